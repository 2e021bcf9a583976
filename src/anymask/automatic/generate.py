"""Everything mode: click a grid of points, keep the masks that are good, drop the duplicates.

The procedure of Segment Anything's mask generator (arXiv 2304.02643, section 5 and appendix B). Memory is
bounded by one chunk of clicks: of a mask that passes the filters only its run lengths are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from anymask.automatic.candidates import Candidate, place, stable_mask
from anymask.automatic.crop_rule import look_and_resolve
from anymask.automatic.crops import Crop
from anymask.automatic.decoding import Views
from anymask.automatic.kept import KeptMask, kept_mask
from anymask.automatic.memory import bytes_to_hold
from anymask.automatic.possible import Boxes, Possible, boxes_of, narrowed, within
from anymask.automatic.presets import preset_settings
from anymask.automatic.selection import record_of, select
from anymask.automatic.settings import AutomaticSettings
from anymask.automatic.workers import Workers
from anymask.core.arrays import Float32Array
from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import InputError
from anymask.core.geometry import InputFrame
from anymask.core.images import ImageSource, Picture
from anymask.core.record import MaskRecord
from anymask.predict.model import Model

_JUDGED_AT_ONCE = 48  # masks whose boxes are bounded together; their cells fit into the CPU's cache
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
    with Workers(model.threads) as workers:
        found = (within(_possible(views, crop, settings), most, workers) for crop in views.crops)
        chosen = select(found, settings, views.embedding.image_hw, workers)
    return [record_of(candidate, views.embedding) for candidate in chosen]


def _possible(views: Views, crop: Crop, settings: AutomaticSettings) -> Iterator[tuple[int, Possible]]:
    """The masks of one crop that pass the score, in order of the clicks, and the bytes that they hold."""
    frame = InputFrame(crop.window.size_hw, views.embedding.input_size)
    decoded = views.decode(crop, settings.pred_iou_thresh)
    while group := list(islice(decoded, _JUDGED_AT_ONCE)):
        for one, boxes in zip(group, boxes_of(np.stack([d.logits for d in group]), frame, crop), strict=True):
            kept = kept_mask(one, 0, settings.stability_score_offset)
            if kept is not None and boxes is not None:
                task = _Task(kept, one.logits.shape[:2], frame, crop, views.embedding.image_hw, settings)
                yield kept.cells.nbytes, Possible(one.score, *boxes, task.narrow, task.work_out)


@dataclass(frozen=True, eq=False)
class _Task:
    """What it takes to work a mask out later."""

    kept: KeptMask
    low_res_hw: tuple[int, int]
    frame: InputFrame
    crop: Crop
    image_hw: tuple[int, int]
    settings: AutomaticSettings

    def narrow(self) -> Iterator[Boxes]:
        return narrowed(self._logits(), self.frame, self.crop)

    def work_out(self) -> Candidate | None:
        kept, settings = self.kept, self.settings
        offset, least = settings.stability_score_offset, settings.stability_score_thresh
        mask = stable_mask(self._logits(), self.frame, offset, least)
        if mask is None:
            return None
        return place(mask, self.crop, self.image_hw, score=kept.score, point_xy=kept.point_xy)

    def _logits(self) -> Float32Array:
        return self.kept.low_res_logits(self.low_res_hw, self.settings.stability_score_offset)
