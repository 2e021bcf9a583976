"""What low-resolution logits alone say of the upscaled ones: where none or all are above a threshold.

Pixels that read the same low-resolution cells form a tile. A pixel is a weighted mean of its cells, so a tile
whose cells all lie above a threshold is above it as a whole, and likewise below. Only the tiles in between
stay open, a band along a mask's edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray, Float32Array, sealed
from anymask.core.geometry import InputFrame
from anymask.core.upscale import Axis, Window, axes, low_resolution, tight, upscale_window

_IntArray = npt.NDArray[np.intp]

_ROUNDING = 1e-5  # of a weighted sum in float32, relative: closer to a threshold than this is not certain


class Bounds(NamedTuple):
    """Least and largest possible number of pixels above a threshold."""

    least: int
    most: int


class LogitTiles:
    """Bounds on `core.upscale.upscale(logits, frame)` that cost no upscaling."""

    def __init__(self, logits: npt.ArrayLike, frame: InputFrame) -> None:
        """logits: (h, w) over the whole input square. Raises InputError if not two-dimensional."""
        self._low, self._frame = low_resolution(logits), frame
        rows, columns = axes(self._low.shape, frame)
        self._rows, self._columns = _runs(rows), _runs(columns)

    def bounds_above(self, threshold: float) -> Bounds:
        """How many pixels of the image are above `threshold`."""
        sure, possible = self._above(threshold)
        return Bounds(self._pixels(sure), self._pixels(possible))

    def narrowed(self, threshold: float) -> Iterator[tuple[Window, Window]]:
        """Windows in and round which the tight one of the pixels above `threshold` lies, ever closer.

        A side at a time is found exactly, by upscaling a strip along it; the last two windows are equal.
        There are none if no pixel is above `threshold`.
        """
        sure, possible = self._above(threshold)
        inner, outer = self._window(sure), self._window(possible)
        if inner is None or outer is None:
            found = self._tight(outer, threshold)
            if found is not None:
                yield found, found
            return
        for side, strip in zip(Window._fields, _strips(sure, possible), strict=True):
            found = self._tight(self._window(strip), threshold)
            inner = inner if found is None else _hull(inner, found)
            outer = outer._replace(**{side: getattr(inner, side)})
            yield inner, outer

    def _tight(self, window: Window | None, threshold: float) -> Window | None:
        if window is None:
            return None
        found = tight(window, upscale_window(self._low, self._frame, window) > threshold)
        return None if found is None else found[0]

    @cached_property
    def _extremes(self) -> tuple[Float32Array, Float32Array]:
        return _extremes(self._low, self._rows, self._columns)

    def _above(self, threshold: float) -> tuple[BoolArray, BoolArray]:
        return _above(*self._extremes, threshold)

    def _pixels(self, tiles: BoolArray) -> int:
        return int(self._rows.lengths @ (tiles @ self._columns.lengths))

    def _window(self, tiles: BoolArray) -> Window | None:
        return _windows(tiles[None], self._rows, self._columns)[0]


def windows_above(
    logits: npt.ArrayLike, frame: InputFrame, threshold: float
) -> list[tuple[Window | None, Window | None]]:
    """Of each of (N, h, w) logits windows in and round which the tight one of the pixels above it lies.

    The first is None if no pixel is surely above `threshold`, the second if none can be.
    """
    low = np.asarray(logits, np.float32)
    rows, columns = (_runs(axis) for axis in axes(low.shape[1:], frame))
    sure, possible = _above(*_extremes(low, rows, columns), threshold)
    return list(zip(_windows(sure, rows, columns), _windows(possible, rows, columns), strict=True))


def _extremes(low: Float32Array, rows: _Runs, columns: _Runs) -> tuple[Float32Array, Float32Array]:
    """Least and largest cell that each tile reads: (..., h, w) -> twice (..., row runs, column runs)."""
    least, most = low, low
    for axis, runs in ((-2, rows), (-1, columns)):
        least = np.minimum.reduce([np.take(least, cells, axis=axis) for cells in runs.cells])
        most = np.maximum.reduce([np.take(most, cells, axis=axis) for cells in runs.cells])
    return least, most


def _above(least: Float32Array, most: Float32Array, threshold: float) -> tuple[BoolArray, BoolArray]:
    """Which tiles are above `threshold` as a whole, and which have a pixel that may be."""
    margin = _ROUNDING * (1 + np.maximum(np.abs(least), np.abs(most)))
    return least - margin > threshold, most + margin > threshold


def _windows(tiles: BoolArray, rows: _Runs, columns: _Runs) -> list[Window | None]:
    """The windows of (N, row runs, column runs) tiles, None where there are none."""
    sides: list[_IntArray] = []
    for axis, runs in ((2, rows), (1, columns)):
        sides += runs.stretch(np.logical_or.reduce(tiles, axis=axis))
    places = zip(np.stack(sides, axis=1).tolist(), np.logical_or.reduce(tiles, axis=(1, 2)), strict=True)
    return [Window(*place) if filled else None for place, filled in places]


def _strips(sure: BoolArray, possible: BoolArray) -> list[BoolArray]:
    """The possible tiles above, below, left and right of the box of the sure ones, four times (R, C)."""
    rows, columns = np.flatnonzero(sure.any(axis=1)), np.flatnonzero(sure.any(axis=0))
    beside = slice(int(rows[0]), int(rows[-1]) + 1)
    places = (
        (slice(0, beside.start), slice(None)),
        (slice(beside.stop, None), slice(None)),
        (beside, slice(0, int(columns[0]))),
        (beside, slice(int(columns[-1]) + 1, None)),
    )
    strips = []
    for place in places:
        strip = np.zeros_like(possible)
        strip[place] = possible[place]
        strips.append(strip)
    return strips


def _hull(one: Window, other: Window) -> Window:
    y0, y1, x0, x1 = zip(one, other, strict=True)
    return Window(min(y0), max(y1), min(x0), max(x1))


class _Runs(NamedTuple):
    """The outputs of an axis in R runs that read the same cells: starts, lengths (R,), cells (taps, R)."""

    starts: _IntArray
    lengths: _IntArray
    cells: _IntArray

    def stretch(self, runs: BoolArray) -> tuple[_IntArray, _IntArray]:
        """Of each of (N, R) bool the first output of the first run, and one behind the last of the last."""
        first, last = runs.argmax(axis=1), runs.shape[1] - 1 - runs[:, ::-1].argmax(axis=1)
        return self.starts[first], self.starts[last] + self.lengths[last]


@lru_cache(maxsize=64)
def _runs(axis: Axis) -> _Runs:
    starts = np.flatnonzero(np.diff(axis.first, prepend=-1))
    lengths = np.diff(starts, append=len(axis.first))
    cells = axis.first[starts] + np.arange(len(axis.weights))[:, None]
    return _Runs(sealed(starts), sealed(lengths), sealed(cells))
