"""What low-resolution logits alone say of the upscaled ones: where none or all are above a threshold.

Pixels that read the same low-resolution cells form a tile. A pixel is a weighted mean of its cells, so a tile
whose cells all lie above a threshold is above it as a whole, and likewise below. Only the tiles in between
stay open, a band along a mask's edge.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray, Float32Array, sealed
from anymask.core.geometry import InputFrame
from anymask.core.upscale import Axis, Window, axes, low_resolution

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
        self._low = low_resolution(logits)
        rows, columns = axes(self._low.shape, frame)
        self._rows, self._columns = _runs(rows), _runs(columns)

    def bounds_above(self, threshold: float) -> Bounds:
        """How many pixels of the image are above `threshold`."""
        sure, possible = self._above(threshold)
        return Bounds(self._pixels(sure), self._pixels(possible))

    def windows_above(self, threshold: float) -> tuple[Window | None, Window | None]:
        """Windows in and round which the tight one of the pixels above `threshold` lies.

        The first is None if no pixel is surely above it, the second if none can be.
        """
        sure, possible = self._above(threshold)
        return self._window(sure), self._window(possible)

    @cached_property
    def _extremes(self) -> tuple[Float32Array, Float32Array]:
        """Least and largest cell that each tile reads, (row runs, column runs)."""
        least, most = self._low, self._low
        for number, runs in enumerate((self._rows, self._columns)):
            least = np.minimum.reduce([np.take(least, cells, axis=number) for cells in runs.cells])
            most = np.maximum.reduce([np.take(most, cells, axis=number) for cells in runs.cells])
        return least, most

    def _above(self, threshold: float) -> tuple[BoolArray, BoolArray]:
        """Which tiles are above `threshold` as a whole, and which have a pixel that may be."""
        least, most = self._extremes
        margin = _ROUNDING * (1 + np.maximum(np.abs(least), np.abs(most)))
        return least - margin > threshold, most + margin > threshold

    def _pixels(self, tiles: BoolArray) -> int:
        return int(self._rows.lengths @ (tiles @ self._columns.lengths))

    def _window(self, tiles: BoolArray) -> Window | None:
        rows, columns = np.flatnonzero(tiles.any(axis=1)), np.flatnonzero(tiles.any(axis=0))
        if rows.size == 0:
            return None
        return Window(*self._rows.stretch(rows), *self._columns.stretch(columns))


class _Runs(NamedTuple):
    """The outputs of an axis in R runs that read the same cells: starts, lengths (R,), cells (taps, R)."""

    starts: _IntArray
    lengths: _IntArray
    cells: _IntArray

    def stretch(self, runs: _IntArray) -> tuple[int, int]:
        """First output of the first run, and one behind the last output of the last."""
        return int(self.starts[runs[0]]), int(self.starts[runs[-1]] + self.lengths[runs[-1]])


@lru_cache(maxsize=64)
def _runs(axis: Axis) -> _Runs:
    starts = np.flatnonzero(np.diff(axis.first, prepend=-1))
    lengths = np.diff(starts, append=len(axis.first))
    cells = axis.first[starts] + np.arange(len(axis.weights))[:, None]
    return _Runs(sealed(starts), sealed(lengths), sealed(cells))
