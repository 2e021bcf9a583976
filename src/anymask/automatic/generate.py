"""Everything mode: click a grid of points, keep the masks that are good, drop the duplicates.

The procedure of Segment Anything's mask generator (arXiv 2304.02643, section 5 and appendix B). Memory is
bounded by one chunk of clicks: of a mask that passes the filters only its run lengths are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from anymask.automatic.candidates import Candidate, place, stable_mask
from anymask.automatic.crop_rule import look_and_resolve
from anymask.automatic.crops import Crop
from anymask.automatic.decoding import Views
from anymask.automatic.kept import KeptMask, kept_mask
from anymask.automatic.memory import bytes_to_hold
from anymask.automatic.possible import Possible, boxes_of, within
from anymask.automatic.presets import preset_settings
from anymask.automatic.selection import record_of, select
from anymask.automatic.settings import AutomaticSettings
from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import InputError
from anymask.core.geometry import InputFrame
from anymask.core.images import ImageSource, Picture
from anymask.core.record import MaskRecord
from anymask.predict.model import Model

_MOST_HELD = 64 << 20  # bytes of low-resolution logits that wait until it is clear whether they matter


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
    most = bytes_to_hold(settings.max_memory, _MOST_HELD)
    found = (within(_possible(views, crop, settings), most) for crop in views.crops)
    chosen = select(found, settings, views.embedding.image_hw)
    return [record_of(candidate, views.embedding) for candidate in chosen]


def _possible(views: Views, crop: Crop, settings: AutomaticSettings) -> Iterator[tuple[int, Possible]]:
    """The masks of one crop that pass the score, in order of the clicks, and the bytes that they hold."""
    frame = InputFrame(crop.window.size_hw, views.embedding.input_size)
    for decoded in views.decode(crop, settings.pred_iou_thresh):
        kept = kept_mask(decoded, 0, settings.stability_score_offset)
        boxes = boxes_of(decoded.logits, frame, crop)
        if kept is not None and boxes is not None:
            task = _Task(kept, decoded.logits.shape, frame, crop, views.embedding.image_hw, settings)
            yield kept.cells.nbytes, Possible(decoded.score, *boxes, task.work_out)


@dataclass(frozen=True, eq=False)
class _Task:
    """What it takes to work a mask out later."""

    kept: KeptMask
    low_res_hw: tuple[int, ...]
    frame: InputFrame
    crop: Crop
    image_hw: tuple[int, int]
    settings: AutomaticSettings

    def work_out(self) -> Candidate | None:
        kept, offset = self.kept, self.settings.stability_score_offset
        height, width = self.low_res_hw
        logits = kept.low_res_logits((height, width), offset)
        mask = stable_mask(logits, self.frame, offset, self.settings.stability_score_thresh)
        if mask is None:
            return None
        return place(mask, self.crop, self.image_hw, score=kept.score, point_xy=kept.point_xy)
