"""Masks that are worked out only if they can matter.

Most decoded masks are duplicates. Where the box of a mask must lie follows from its low-resolution logits
alone, up to a few pixels; often that says already that a better mask suppresses it. Otherwise the box itself
says so, for which only strips along its sides are upscaled. Such a mask would go whatever its stability, so
neither that nor its pixels are worked out. The masks that stay are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from anymask.automatic.candidates import Candidate, InclusiveBox
from anymask.automatic.crops import Crop
from anymask.automatic.suppression import box_areas, overlaps
from anymask.automatic.workers import ALONE, Workers
from anymask.core.arrays import Float32Array
from anymask.core.edges import LogitTiles, windows_above
from anymask.core.geometry import InputFrame
from anymask.core.upscale import Window

Boxes = tuple[InclusiveBox | None, InclusiveBox]
"""In and round which the box of a mask lies, image pixels; the first is None if not known."""

_ROUNDING = 1e-5  # of an IoU in float32


@dataclass(frozen=True, eq=False)
class Possible:
    """A mask with a good enough score.

    inner, outer: boxes in and round which the mask's own lies, image pixels; inner is None if not known.
    narrow: gives closer ones, the last two equal; none if these are equal or the mask is empty.
    work_out: gives the mask, or None if it is empty, unstable, or cut off by its crop.
    """

    score: float
    inner: InclusiveBox | None
    outer: InclusiveBox
    narrow: Callable[[], Iterable[Boxes]]
    work_out: Callable[[], Candidate | None]

    @classmethod
    def known(cls, candidate: Candidate) -> Possible:
        """A mask that is worked out."""
        box = candidate.box
        return cls(candidate.score, box, box, tuple, lambda: candidate)


def boxes_of(logits: Float32Array, frame: InputFrame, crop: Crop) -> list[Boxes | None]:
    """The boxes of a crop's masks from their (N, h, w) logits; None where no pixel can be in the mask."""
    return [
        None if outer is None else (None if inner is None else _box(inner, crop), _box(outer, crop))
        for inner, outer in windows_above(logits, frame, 0.0)
    ]


def narrowed(logits: Float32Array, frame: InputFrame, crop: Crop) -> Iterator[Boxes]:
    """As `Possible.narrow`, of a mask with the crop's (h, w) logits."""
    for inner, outer in LogitTiles(logits, frame).narrowed(0.0):
        yield _box(inner, crop), _box(outer, crop)


def best(
    found: Sequence[Possible], fits: Callable[[Candidate], bool], iou_threshold: float
) -> list[Candidate]:
    """Those that fit and that no better one suppresses by its box, the best score first.

    Equal to working out all and giving those that fit to `suppress_overlaps`.
    """
    kept: list[Candidate] = []
    boxes = np.zeros((0, 4), np.float32)
    for i in np.argsort(-np.array([one.score for one in found], np.float32), kind="stable"):
        candidate = _unless_suppressed(found[i], boxes, iou_threshold)
        if candidate is not None and fits(candidate):
            kept.append(candidate)
            boxes = np.concatenate([boxes, np.array([candidate.box], np.float32)])
    return kept


def within(
    found: Iterable[tuple[int, Possible]], most_bytes: float, workers: Workers = ALONE
) -> list[Possible]:
    """All of them, but worked out, which frees their logits, as soon as those would take more bytes.

    found: bytes of the logits that a mask holds, and the mask.
    """
    masks: list[Possible] = []
    held, settled = 0, 0
    for size, one in found:
        masks.append(one)
        held += size
        if held > most_bytes:
            candidates = workers.map(lambda waiting: waiting.work_out(), masks[settled:])
            masks[settled:] = [Possible.known(one) for one in candidates if one is not None]
            held, settled = 0, len(masks)
    return masks


def _unless_suppressed(one: Possible, boxes: Float32Array, iou_threshold: float) -> Candidate | None:
    """The mask worked out; None if it is none or one of the boxes (N, 4) suppresses it."""
    for inner, outer in chain([(one.inner, one.outer)], one.narrow()):
        least, most = _iou_bounds(inner, outer, boxes)
        if least > iou_threshold + _ROUNDING:
            return None
        if most < iou_threshold - _ROUNDING:
            return one.work_out()
    own = np.array(outer, np.float32)
    suppressed = (overlaps(boxes, own).astype(np.float64) > iou_threshold).any()
    return None if inner != outer or suppressed else one.work_out()


def _iou_bounds(inner: InclusiveBox | None, outer: InclusiveBox, boxes: Float32Array) -> tuple[float, float]:
    """Least and largest possible IoU, of the highest with one of the boxes (N, 4), of a box between two."""
    if not len(boxes):
        return 0.0, 0.0
    between = np.array([inner or (*outer[:2], *outer[:2]), outer], np.float64)[:, None]
    sides = np.minimum(between[..., 2:], boxes[:, 2:]) - np.maximum(between[..., :2], boxes[:, :2])
    common = np.maximum(sides, 0).prod(axis=2)
    if inner is None:
        common[0] = 0
    areas = (between[..., 2:] - between[..., :2]).prod(axis=2)
    joint = np.maximum(areas[::-1], common) + box_areas(boxes) - common
    bounds = np.divide(common, joint, out=np.zeros_like(common), where=joint > 0).max(axis=1)
    return float(bounds[0]), float(bounds[1])


def _box(window: Window, crop: Crop) -> InclusiveBox:
    x, y = crop.window.x0, crop.window.y0
    return InclusiveBox.of(Window(window.y0 + y, window.y1 + y, window.x0 + x, window.x1 + x))
