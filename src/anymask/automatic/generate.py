"""Everything mode: click a grid of points, keep the masks that are good, drop the duplicates.

The procedure of Segment Anything's mask generator (arXiv 2304.02643, section 5 and appendix B). Memory is
bounded by one chunk of clicks: of a mask that passes the filters only its run lengths are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from anymask.automatic.candidates import Candidate, place, stable_mask
from anymask.automatic.crop_rule import look_and_resolve
from anymask.automatic.crops import Crop
from anymask.automatic.decoding import Views
from anymask.automatic.presets import preset_settings
from anymask.automatic.selection import record_of, select
from anymask.automatic.settings import AutomaticSettings
from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import InputError
from anymask.core.geometry import InputFrame
from anymask.core.images import ImageSource, Picture
from anymask.core.record import MaskRecord
from anymask.predict.model import Model


def generate_masks(
    model: Model,
    source: ImageSource | Picture | ImageEmbedding,
    settings: AutomaticSettings | str | None = None,
    **overrides: Any,
) -> list[MaskRecord]:
    """All masks of an image.

    model: from `anymask.load`. source: as for `model.embed`, or an embedding of this model.
    settings: `AutomaticSettings`, or the name of a preset, or None for the published defaults; with a name or
        None the thresholds are those that suit the model, and single ones can be given by name;
        `crop_n_layers="auto"` is the rule of `crop_rule.crop_layers`.

    Returns records in order of suppression: by falling score, with crops those of the smallest crops first.
    A mask without pixels is never among them. Equal to `segment_anything.SamAutomaticMaskGenerator` on the
    same weights up to float rounding.
    Raises InputError for settings that do not fit, ImageError for a source that cannot be read,
    EmbeddingError for another model's embedding.
    """
    if isinstance(settings, AutomaticSettings) and overrides:
        raise InputError(f"settings and {', '.join(overrides)} are both given; give one AutomaticSettings")
    if not isinstance(settings, AutomaticSettings):
        source, overrides = look_and_resolve(source, overrides, model.spec.input_size)
        settings = preset_settings(settings, model.spec.automatic, **overrides)
    views = Views(model, source, settings)
    image_hw = views.embedding.image_hw
    found = (list(_candidates(views, crop, settings)) for crop in views.crops)
    return [record_of(candidate, views.embedding) for candidate in select(found, settings, image_hw)]


def _candidates(views: Views, crop: Crop, settings: AutomaticSettings) -> Iterator[Candidate]:
    """The masks of one crop that pass the filters, in order of the clicks."""
    image_hw = views.embedding.image_hw
    frame = InputFrame(crop.window.size_hw, views.embedding.input_size)
    for logits, score, point_xy in views.decode(crop, settings.pred_iou_thresh):
        mask = stable_mask(logits, frame, settings.stability_score_offset, settings.stability_score_thresh)
        if mask is None:
            continue
        candidate = place(mask, crop, image_hw, score=score, point_xy=point_xy)
        if candidate is not None:
            yield candidate
