"""One decoded mask: is it good enough, and where is it? Only its own part of the image is worked out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from anymask.automatic.crops import Crop
from anymask.core.arrays import BoolArray, Float32Array
from anymask.core.edges import LogitTiles
from anymask.core.geometry import InputFrame
from anymask.core.rle import Rle, encode_window
from anymask.core.upscale import Window, mask_window, tight, upscale_window

_EDGE_TOLERANCE = 20  # pixels within which a box counts as cut off by its crop


class InclusiveBox(NamedTuple):
    """x0, y0, x1, y1 with x1 and y1 the last set column and row, in which Segment Anything compares boxes."""

    x0: int
    y0: int
    x1: int
    y1: int

    @classmethod
    def of(cls, window: Window) -> InclusiveBox:
        """The box of a mask's tight window."""
        return cls(window.x0, window.y0, window.x1 - 1, window.y1 - 1)


@dataclass(frozen=True)
class Candidate:
    """A mask that passed the filters, in the image's frame.

    rle: of the whole image. box: of its set pixels. score: predicted IoU. stability: in [0, 1].
    point_xy: the click, image pixels. crop: where it was found.
    """

    rle: Rle
    box: InclusiveBox
    score: float
    stability: float
    point_xy: tuple[float, float]
    crop: Crop

    @cached_property
    def area(self) -> int:
        """Set pixels."""
        return self.rle.area


class StableMask(NamedTuple):
    """A mask inside its tight window and its stability score."""

    window: Window
    inside: BoolArray
    stability: float


def stable_mask(
    low_res_logits: Float32Array, frame: InputFrame, offset: float, least_stability: float
) -> StableMask | None:
    """The mask of one image's or crop's (h, w) logits; None if it is empty or not stable enough.

    offset, least_stability: `stability_score_offset` and `stability_score_thresh` of the settings.

    The stability score (arXiv 2304.02643, appendix B) is taken at the image's resolution; outside the window
    of its looser threshold no pixel counts, so the window gives the score of the whole.
    """
    if not _can_be_stable(LogitTiles(low_res_logits, frame), offset, least_stability):
        return None
    window = mask_window(low_res_logits, frame, -offset)
    if window is None:
        return None
    logits = upscale_window(low_res_logits, frame, window)
    loose = int(np.count_nonzero(logits > -offset))
    if loose == 0:
        return None
    stability = _share(int(np.count_nonzero(logits > offset)), loose)
    if not is_stable(stability, least_stability):
        return None
    found = tight(window, logits > 0)
    return None if found is None else StableMask(*found, stability)


def _can_be_stable(tiles: LogitTiles, offset: float, least: float) -> bool:
    """False if no upscaling is needed to see that the stability score is below `least`."""
    strict, loose = tiles.bounds_above(offset), tiles.bounds_above(-offset)
    if loose.most == 0:
        return False
    return loose.least == 0 or is_stable(_share(strict.most, loose.least), least)


def _share(strict: int, loose: int) -> float:
    return float(np.float32(strict) / np.float32(loose))


def is_stable(stability: float, least: float) -> bool:
    """Whether a stability score reaches `least`, compared as float32; 0 lets all pass."""
    return least <= 0 or bool(np.float32(stability) >= np.float32(least))


def passes_score(score: float, threshold: float) -> bool:
    """Whether a predicted IoU is above `threshold`, compared as float32; 0 lets all pass."""
    return threshold <= 0 or bool(np.float32(score) > np.float32(threshold))


def place(
    mask: StableMask, crop: Crop, image_hw: tuple[int, int], *, score: float, point_xy: tuple[float, float]
) -> Candidate | None:
    """A crop's mask in the image; None if the crop cuts it off. point_xy: the click in the crop's pixels."""
    x, y = crop.window.x0, crop.window.y0
    own = mask.window
    window = Window(own.y0 + y, own.y1 + y, own.x0 + x, own.x1 + x)
    box = InclusiveBox.of(window)
    if is_cut_off(box, crop, image_hw):
        return None
    rle = encode_window(mask.inside, window, image_hw)
    return Candidate(rle, box, score, mask.stability, (point_xy[0] + x, point_xy[1] + y), crop)


def is_cut_off(box: InclusiveBox, crop: Crop, image_hw: tuple[int, int]) -> bool:
    """Whether a side of the box lies at a side of the crop that is not a side of the image as well."""
    height, width = image_hw
    edges = (crop.window.x0, crop.window.y0, crop.window.x1, crop.window.y1)
    ends = (0, 0, width, height)
    return any(
        abs(side - edge) <= _EDGE_TOLERANCE < abs(side - end)
        for side, edge, end in zip(box, edges, ends, strict=True)
    )
