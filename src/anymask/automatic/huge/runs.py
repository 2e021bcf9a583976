"""Masks by their runs, so that no array of a huge mask's size is made.

A mask is an RLE of its own box and the window where the box lies in the image: image sizes beyond what COCO's
32-bit run lengths reach are no matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from anymask.automatic.huge.layout import around, common
from anymask.core.arrays import BoolArray
from anymask.core.rle import Rle, from_runs, runs_of
from anymask.core.upscale import Window

MOST_PIXELS = 2**31 - 1
"""Largest box that an RLE can have (COCO counts in 32-bit numbers)."""
_IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PlacedMask:
    """A mask somewhere in an image. window: its box, image pixels. rle: of the box alone."""

    window: Window
    rle: Rle

    @cached_property
    def runs(self) -> _IntArray:
        """(n,) int64 lengths down the box's columns, zeros first."""
        return runs_of(self.rle.counts, self.rle.size_hw)

    @property
    def area(self) -> int:
        """Set pixels."""
        return int(self.runs[1::2].sum())

    def pixels(self, part: Window) -> BoolArray:
        """(h, w) bool: the mask inside `part` (image pixels), which may go beyond the box."""
        whole = np.zeros(part.size_hw, np.bool_)
        shared = common(self.window, part)
        if shared is not None:
            y, x = shared.y0 - part.y0, shared.x0 - part.x0
            height, width = shared.size_hw
            whole[y : y + height, x : x + width] = self._inside(shared)
        return whole

    def _inside(self, part: Window) -> BoolArray:
        """The mask in a part of the box: every end of a run is counted in pixels of the part before it."""
        box_height = self.window.size_hw[0]
        height, width = part.size_hw
        column, row = np.divmod(np.cumsum(self.runs), box_height)
        column -= part.x0 - self.window.x0
        row -= part.y0 - self.window.y0
        inside = (column >= 0) & (column < width)
        ends = np.clip(column, 0, width) * height + np.where(inside, np.clip(row, 0, height), 0)
        lengths = np.diff(ends, prepend=0)
        unrolled = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
        return np.ascontiguousarray(unrolled.reshape(width, height).T)


def iou_inside(one: PlacedMask, other: PlacedMask, region: Window | None = None) -> float:
    """IoU of two masks, or of what of them lies in `region`; 0 where they do not meet."""
    boxes = [one.window, other.window]
    if region is not None:
        clipped = [common(box, region) for box in boxes]
        if clipped[0] is None or clipped[1] is None:
            return 0.0
        boxes = [clipped[0], clipped[1]]
    shared = common(*boxes)
    if shared is None:
        return 0.0
    both = int(np.count_nonzero(one.pixels(shared) & other.pixels(shared)))
    if not both:
        return 0.0
    joint = sum(_area_inside(mask, box) for mask, box in zip((one, other), boxes, strict=True)) - both
    return both / joint


def union(masks: Sequence[PlacedMask]) -> PlacedMask:
    """All pixels of the masks, as one mask in the box round them, of at most `MOST_PIXELS`."""
    box = around([mask.window for mask in masks])
    height, width = box.size_hw
    parts = [_intervals(mask, box) for mask in masks]
    starts, stops = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(stops[order])
    first = np.append(True, starts[1:] > reach[:-1])  # runs that touch become one
    ends = np.column_stack([starts[first], reach[np.append(first[1:], True)]]).ravel()
    return PlacedMask(box, from_runs(np.diff(ends, prepend=0, append=height * width), box.size_hw))


def _intervals(mask: PlacedMask, box: Window) -> tuple[_IntArray, _IntArray]:
    """First pixel and the one past the last of every run, counted down the columns of `box`.

    A run that goes on in the next column of the mask's own box is cut there.
    """
    own_height, height = mask.window.size_hw[0], box.size_hw[0]
    ends = np.cumsum(mask.runs)
    starts, stops = ends[0::2][: len(mask.runs) // 2], ends[1::2]
    starts, stops = starts[starts < stops], stops[starts < stops]
    first, last = starts // own_height, (stops - 1) // own_height
    count = last - first + 1
    run = np.repeat(np.arange(len(count)), count)
    column = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[run]
    top = np.maximum(starts[run] - column * own_height, 0)
    bottom = np.minimum(stops[run] - column * own_height, own_height)
    shift = (column + mask.window.x0 - box.x0) * height + mask.window.y0 - box.y0
    return shift + top, shift + bottom


def _area_inside(mask: PlacedMask, part: Window) -> int:
    return mask.area if part == mask.window else int(np.count_nonzero(mask.pixels(part)))
