"""Everything that was decoded of an image, kept, so that other thresholds need no model.

Of a mask's low-resolution logits only a rectangle of cells is kept: outside it no pixel of the image reaches
the looser threshold of the stability score, so no filter can tell the difference.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from anymask.automatic.candidates import Candidate, is_stable, passes_score, place, stable_mask
from anymask.automatic.crop_rule import look_and_resolve
from anymask.automatic.crops import Crop
from anymask.automatic.decoding import Views
from anymask.automatic.kept import KeptMask, kept_mask
from anymask.automatic.possible import Boxes, Possible, boxes_of, narrowed
from anymask.automatic.presets import preset_settings
from anymask.automatic.selection import record_of, select
from anymask.automatic.settings import AutomaticSettings, checked_names
from anymask.automatic.workers import Workers
from anymask.core.arrays import Float32Array, Float64Array
from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import InputError
from anymask.core.geometry import InputFrame
from anymask.core.images import ImageSource, Picture
from anymask.core.record import MaskRecord
from anymask.predict.model import Model

FILTERS = (
    "pred_iou_thresh",
    "stability_score_thresh",
    "stability_score_offset",
    "box_nms_thresh",
    "crop_nms_thresh",
    "min_mask_region_area",
    "tidy_share",
    "min_area",
    "max_area_share",
    "mask_nms_thresh",
    "nested",
    "containment_thresh",
)
"""Settings that `AutomaticState.records` can change; the others say where to click."""


class _Found(NamedTuple):
    """A mask at the image's size. candidate: None if it is empty or its crop cuts it off."""

    stability: float
    candidate: Candidate | None


@dataclass(frozen=True, eq=False)
class AutomaticState:
    """All decoded masks of one image, from `everything` or `load`.

    masks: in order of crops and clicks; those without a pixel above -`stability_score_offset` are left out.
    crops: the parts of the image that were looked at. settings: of the run; `records` uses them by default.
    keep_above: the masks' scores are above it (0: all are here). low_res_hw: size of a mask's logits, cells.
    model, model_sha256, image_sha256, image_hw, input_size: as in `ImageEmbedding`.
    thresholds: of the model, by preset, as `ModelSpec.automatic`. threads: of the CPU, for `records`.
    """

    masks: tuple[KeptMask, ...] = field(repr=False)
    crops: tuple[Crop, ...]
    settings: AutomaticSettings
    keep_above: float
    low_res_hw: tuple[int, int]
    model: str
    model_sha256: str
    image_sha256: str
    image_hw: tuple[int, int]
    input_size: int
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)
    threads: int = field(default=1, repr=False)
    _worked_out: dict[tuple[int, float], _Found] = field(default_factory=dict, init=False, repr=False)
    _boxes: dict[int, Boxes | None] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.masks)

    @property
    def nbytes(self) -> int:
        """Bytes that the logits take."""
        return sum(mask.cells.nbytes for mask in self.masks)

    @property
    def scores(self) -> Float32Array:
        """(N,) float32, predicted IoU."""
        return np.array([mask.score for mask in self.masks], np.float32)

    @property
    def stabilities(self) -> Float32Array:
        """(N,) float32 in [0, 1], the stability scores at the image's size, 0 for a mask without pixels.

        Worked out on first use.
        """
        offset = self.settings.stability_score_offset
        return np.array([self._find(number, offset).stability for number in range(len(self))], np.float32)

    @property
    def points_xy(self) -> Float64Array:
        """(N, 2) float64, the clicks in pixels of the image."""
        corners = [self.crops[mask.crop].window for mask in self.masks]
        points = [
            (mask.point_xy[0] + window.x0, mask.point_xy[1] + window.y0)
            for mask, window in zip(self.masks, corners, strict=True)
        ]
        return np.array(points, np.float64).reshape(-1, 2)

    def low_res_logits(self, number: int) -> Float32Array:
        """(h, w) float32 logits of one mask; cells that are not kept lie below -`stability_score_offset`."""
        return self.masks[number].low_res_logits(self.low_res_hw, self.settings.stability_score_offset)

    def records(self, preset: str | None = None, **filters: Any) -> list[MaskRecord]:
        """The masks that pass: the same as a new run with these settings would give.

        preset: all filters of a preset, with the model's thresholds. filters: any of `FILTERS`; those given
        by neither are the run's.
        Raises InputError for a setting that needs a new run: where to click, a `pred_iou_thresh` below
        `keep_above`, a larger `stability_score_offset`.
        """
        if preset is not None:
            chosen = preset_settings(preset, self.thresholds)
            filters = {name: getattr(chosen, name) for name in FILTERS} | filters
        settings = self._settings(filters)
        found = (list(self._possible(number, settings)) for number in range(len(self.crops)))
        with Workers(self.threads) as workers:
            candidates = select(found, settings, self.image_hw, workers)
        return [record_of(candidate, self) for candidate in candidates]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a safetensors file, atomically. Returns the path. Raises OutputError."""
        from anymask.automatic.state_file import save_state

        return save_state(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> AutomaticState:
        """Read a file that `save` wrote. Raises FormatError if it is missing, damaged or something else."""
        from anymask.automatic.state_file import load_state

        return load_state(path)

    def _settings(self, filters: dict[str, Any]) -> AutomaticSettings:
        for name in checked_names(filters):
            if name not in FILTERS:
                raise InputError(
                    f"{name} says where to click, which needs a new run; give {', '.join(FILTERS)}"
                )
        settings = replace(self.settings, **filters)
        if self.keep_above > max(settings.pred_iou_thresh, 0):
            raise InputError(
                f"pred_iou_thresh is {settings.pred_iou_thresh}, masks were kept above {self.keep_above}; "
                "give at least that, or run again with a lower keep_above"
            )
        if settings.stability_score_offset > self.settings.stability_score_offset:
            raise InputError(
                f"stability_score_offset is {settings.stability_score_offset}, logits were kept down to "
                f"-{self.settings.stability_score_offset}; give at most that, or run again"
            )
        return settings

    def _possible(self, crop_number: int, settings: AutomaticSettings) -> Iterator[Possible]:
        for number, kept in enumerate(self.masks):
            if kept.crop == crop_number and passes_score(kept.score, settings.pred_iou_thresh):
                one = self._boxed(number, settings)
                if one is not None:
                    yield one

    def _boxed(self, number: int, settings: AutomaticSettings) -> Possible | None:
        """A mask between its boxes, which are kept; None if it has no pixel."""

        def work_out() -> Candidate | None:
            stability, candidate = self._find(number, settings.stability_score_offset)
            return candidate if is_stable(stability, settings.stability_score_thresh) else None

        crop = self.crops[self.masks[number].crop]
        frame = InputFrame(crop.window.size_hw, self.input_size)

        def narrow() -> Iterator[Boxes]:
            closer: Boxes | None = None
            for closer in narrowed(self.low_res_logits(number), frame, crop):
                self._boxes[number] = closer
                yield closer
            self._boxes[number] = closer

        if number not in self._boxes:
            self._boxes[number] = boxes_of(self.low_res_logits(number)[None], frame, crop)[0]
        boxes = self._boxes[number]
        if boxes is None:
            return None
        known = boxes[0] == boxes[1]
        return Possible(self.masks[number].score, *boxes, tuple if known else narrow, work_out)

    def _find(self, number: int, offset: float) -> _Found:
        """A mask at the image's size, before any filter; kept, because upscaling is what takes time."""
        key = number, offset
        if key not in self._worked_out:
            kept = self.masks[number]
            crop = self.crops[kept.crop]
            frame = InputFrame(crop.window.size_hw, self.input_size)
            mask = stable_mask(self.low_res_logits(number), frame, offset, 0)
            if mask is None:
                self._worked_out[key] = _Found(0.0, None)
            else:
                placed = place(mask, crop, self.image_hw, score=kept.score, point_xy=kept.point_xy)
                self._worked_out[key] = _Found(mask.stability, placed)
        return self._worked_out[key]


def everything(
    model: Model,
    source: ImageSource | Picture | ImageEmbedding,
    preset: str | None = None,
    *,
    keep_above: float = 0.0,
    **overrides: Any,
) -> AutomaticState:
    """Decode all masks of an image and keep them; `.records()` gives those that pass the filters.

    model: from `anymask.load`. source: as for `model.embed`, or an embedding of this model where there are no
    crops. preset: a name in `PRESETS`, or None for the published defaults, either with the model's own
    thresholds where its manifest states some. overrides: single settings; `crop_n_layers="auto"` is the rule
    of `crop_rule.crop_layers`.
    keep_above: masks whose predicted IoU is not above it are neither upscaled nor kept; 0 keeps all. Time and
    memory fall as it rises; `records` cannot go below it.

    Raises InputError, ImageError or EmbeddingError as `generate_masks`, whose records `.records()` equals.
    """
    source, overrides = look_and_resolve(source, overrides, model.spec.input_size)
    settings = preset_settings(preset, model.spec.automatic, **overrides)
    if not 0 <= keep_above <= max(settings.pred_iou_thresh, 0):
        raise InputError(
            f"keep_above is {keep_above}; give a score from 0 to pred_iou_thresh ({settings.pred_iou_thresh})"
        )
    views = Views(model, source, settings)
    masks = [
        kept_mask(decoded, number, settings.stability_score_offset)
        for number, crop in enumerate(views.crops)
        for decoded in views.decode(crop, keep_above)
    ]
    embedding = views.embedding
    size = model.spec.mask_size
    return AutomaticState(
        masks=tuple(mask for mask in masks if mask is not None),
        crops=tuple(views.crops),
        settings=settings,
        keep_above=float(keep_above),
        low_res_hw=(size, size),
        model=embedding.model,
        model_sha256=embedding.model_sha256,
        image_sha256=embedding.image_sha256,
        image_hw=embedding.image_hw,
        input_size=embedding.input_size,
        thresholds=model.spec.automatic,
        threads=model.threads,
    )
