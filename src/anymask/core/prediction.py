"""What a model answers: a few candidate masks, best first, each worked out only as far as asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray, Float32Array, read_only, sealed
from anymask.core.errors import InputError
from anymask.core.geometry import InputFrame
from anymask.core.masks import stability_of_areas
from anymask.core.upscale import Window, upscale, upscale_mask

if TYPE_CHECKING:
    from anymask.core.polygons import Polygon
    from anymask.core.record import MaskRecord

STABILITY_OFFSET = 1.0


@dataclass(frozen=True, eq=False)
class Candidate:
    """One mask that a model proposes.

    low_res_logits: (h, w) float32 over the model's input square, read-only; > threshold means object.
    score: the model's own guess of the mask's IoU with the object (usually in [0, 1]).
    frame: the maps between image and input.
    threshold: logit above which a pixel belongs to the mask.

    Mask, box, area and contours are worked out on first use, inside the mask's own box only.
    Raises InputError if the logits are not a finite (h, w) array.
    """

    low_res_logits: Float32Array
    score: float
    frame: InputFrame
    threshold: float = 0.0

    def __post_init__(self) -> None:
        logits = np.asarray(self.low_res_logits, dtype=np.float32)
        if logits.ndim != 2 or logits.size == 0 or not np.isfinite(logits).all():
            raise InputError(f"low-resolution logits {logits.shape} must be a finite array (h, w)")
        object.__setattr__(self, "low_res_logits", read_only(logits))
        object.__setattr__(self, "score", float(self.score))

    @cached_property
    def inside(self) -> tuple[Window, BoolArray] | None:
        """The mask's tight window in the image and the (h, w) bool inside it; None if the mask is empty."""
        found = upscale_mask(self.low_res_logits, self.frame, self.threshold)
        return None if found is None else (found[0], sealed(found[1]))

    @cached_property
    def mask(self) -> BoolArray:
        """(H, W) bool at the image's size, read-only."""
        whole = np.zeros(self.frame.image_hw, np.bool_)
        if self.inside is not None:
            window, part = self.inside
            whole[window.slices] = part
        return sealed(whole)

    @property
    def logits(self) -> Float32Array:
        """(H, W) float32 logits at the image's size, made anew at each call."""
        return upscale(self.low_res_logits, self.frame)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 in image pixels, x1 and y1 one past the last pixel; zeros if the mask is empty."""
        if self.inside is None:
            return 0, 0, 0, 0
        window = self.inside[0]
        return window.x0, window.y0, window.x1, window.y1

    @cached_property
    def area(self) -> int:
        """Number of pixels of the mask."""
        return 0 if self.inside is None else int(np.count_nonzero(self.inside[1]))

    @cached_property
    def stability(self) -> float:
        """Segment Anything's stability score at the image's size, in [0, 1]: how little the mask depends on
        the threshold (IoU of the masks at threshold +1 and -1); 0.0 if both are empty."""
        return stability_of_areas(
            self._area_above(self.threshold + STABILITY_OFFSET),
            self._area_above(self.threshold - STABILITY_OFFSET),
        )

    @property
    def contours(self) -> list[Polygon]:
        """The mask's parts as polygons with holes, along the pixels' edges, in image coordinates."""
        from anymask.core.polygons import mask_to_polygons

        if self.inside is None:
            return []
        window, part = self.inside
        return mask_to_polygons(part, offset_xy=(window.x0, window.y0))

    def to_record(
        self,
        *,
        label: str | None = None,
        point_xy: tuple[float, float] | None = None,
        crop_box: tuple[float, float, float, float] | None = None,
        attributes: Mapping[str, Any] | None = None,
        provenance: Mapping[str, Any] | None = None,
        with_stability: bool = True,
    ) -> MaskRecord:
        """The mask as a value to keep: RLE, box, area and both scores, with what the caller knows about it.

        point_xy: the click that gave the mask, x and y in image pixels.
        crop_box: x, y, width, height of the part of the image that was looked at; None means all of it.
        with_stability: work the stability score out, which takes longer than all the rest.
        """
        from anymask.core.record import MaskRecord
        from anymask.core.rle import Rle, encode_window, from_runs

        height, width = self.frame.image_hw
        rle: Rle
        if self.inside is None:
            rle = from_runs([height * width], (height, width))
        else:
            rle = encode_window(self.inside[1], self.inside[0], (height, width))
        x0, y0, x1, y1 = self.box
        return MaskRecord(
            rle=rle,
            box_xywh=(x0, y0, x1 - x0, y1 - y0),
            area=self.area,
            score=self.score,
            stability=self.stability if with_stability else None,
            point_xy=point_xy,
            crop_box=crop_box or (0, 0, width, height),
            label=label,
            attributes=attributes or {},
            provenance=provenance or {},
        )

    def _area_above(self, threshold: float) -> int:
        found = upscale_mask(self.low_res_logits, self.frame, threshold)
        return 0 if found is None else int(np.count_nonzero(found[1]))


@dataclass(frozen=True, eq=False)
class Prediction(Sequence[Candidate]):
    """Candidates for one prompt, the highest score first (order of the input where scores are equal).

    Raises InputError if there is none, or they belong to different images.
    """

    candidates: tuple[Candidate, ...]

    def __post_init__(self) -> None:
        candidates = tuple(self.candidates)
        if not candidates:
            raise InputError("a prediction needs at least one candidate")
        if len({c.frame for c in candidates}) != 1 or len({c.low_res_logits.shape for c in candidates}) != 1:
            raise InputError("the candidates belong to different images or models; a prediction is about one")
        best_first = sorted(candidates, key=lambda c: -c.score)
        object.__setattr__(self, "candidates", tuple(best_first))

    @classmethod
    def of(
        cls, low_res_logits: npt.ArrayLike, scores: npt.ArrayLike, frame: InputFrame, threshold: float = 0.0
    ) -> Prediction:
        """From a decoder's (T, h, w) logits and (T,) scores. Raises InputError if the shapes do not fit."""
        logits, values = np.asarray(low_res_logits, dtype=np.float32), np.asarray(scores, dtype=np.float32)
        if logits.ndim != 3 or values.shape != logits.shape[:1]:
            raise InputError(
                f"logits {logits.shape} and scores {values.shape} do not fit; expected (T, h, w) and (T,)"
            )
        return cls(
            tuple(Candidate(low, float(s), frame, threshold) for low, s in zip(logits, values, strict=True))
        )

    @property
    def best(self) -> Candidate:
        """The candidate with the highest score."""
        return self.candidates[0]

    @property
    def masks(self) -> BoolArray:
        """(T, H, W) bool, best first."""
        return np.stack([c.mask for c in self.candidates])

    @property
    def scores(self) -> Float32Array:
        """(T,) float32, falling."""
        return np.array([c.score for c in self.candidates], np.float32)

    @property
    def low_res_logits(self) -> Float32Array:
        """(T, h, w) float32, best first."""
        return np.stack([c.low_res_logits for c in self.candidates])

    @property
    def frame(self) -> InputFrame:
        """The maps between image and input."""
        return self.best.frame

    def __len__(self) -> int:
        return len(self.candidates)

    @overload
    def __getitem__(self, index: int) -> Candidate: ...
    @overload
    def __getitem__(self, index: slice) -> Prediction: ...
    def __getitem__(self, index: int | slice) -> Candidate | Prediction:
        if isinstance(index, slice):
            return Prediction(self.candidates[index])
        return self.candidates[index]

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.candidates)
