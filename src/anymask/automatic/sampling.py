"""Which points of a grid are clicked, and in which order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray, Float32Array

Sampling = Literal["full", "coarse-to-fine"]

_Indices = npt.NDArray[np.intp]


class Sampler(Protocol):
    """Says which clicks come next, and is told what became of them."""

    def rounds(self) -> Iterator[_Indices]:
        """Indices of clicks that may be decoded together."""
        ...

    def covered(self, masks: Float32Array) -> None:
        """Told the good masks of one click, (K, h, w) logits."""
        ...


class FullGrid:
    """Every click, in order."""

    def __init__(self, count: int) -> None:
        self._count = count

    def rounds(self) -> Iterator[_Indices]:
        """See `Sampler`."""
        yield np.arange(self._count)

    def covered(self, masks: Float32Array) -> None:
        """See `Sampler`: of no importance."""


class CoarseToFine:
    """Every fourth row and column first, then every second, then all; what is explained by then is left out.

    A point is explained by the smallest good mask of another click if it lies inside: a click there would
    most likely give the same mask. Larger masks explain nothing, since smaller things may lie in them.
    """

    def __init__(self, cells_xy: npt.ArrayLike, low_res_hw: tuple[int, int]) -> None:
        """cells_xy: (n * n, 2) the grid row by row, in cells of the low-resolution masks."""
        cells = np.asarray(cells_xy, np.float64)
        height, width = low_res_hw
        self._x = np.clip(cells[:, 0].astype(np.intp), 0, width - 1)
        self._y = np.clip(cells[:, 1].astype(np.intp), 0, height - 1)
        self._explained: BoolArray = np.zeros(low_res_hw, np.bool_)
        self._levels = _levels(math.isqrt(len(cells)))

    def rounds(self) -> Iterator[_Indices]:
        """See `Sampler`."""
        for level in range(3):
            open_points = (self._levels == level) & ~self._explained[self._y, self._x]
            yield np.flatnonzero(open_points)

    def covered(self, masks: Float32Array) -> None:
        """See `Sampler`."""
        inside = masks > 0
        areas = np.count_nonzero(inside, axis=(1, 2))
        if areas.any():
            self._explained |= inside[np.argmin(np.where(areas > 0, areas, areas.max() + 1))]


def make_sampler(
    sampling: Sampling, cells_xy: npt.ArrayLike, low_res_hw: tuple[int, int], *, regular: bool
) -> Sampler:
    """The sampler of a grid. regular: whether the points are a square grid; others are all clicked."""
    count = len(np.asarray(cells_xy))
    return CoarseToFine(cells_xy, low_res_hw) if sampling == "coarse-to-fine" and regular else FullGrid(count)


def _levels(side: int) -> _Indices:
    """(side * side,) 0 for the coarsest points, then 1 and 2."""
    along = np.arange(side)
    coarse, middle = along % 4 == 2 % side, along % 2 == 0
    levels = np.full((side, side), 2, np.intp)
    levels[np.ix_(middle, middle)] = 1
    levels[np.ix_(coarse, coarse)] = 0
    return levels.ravel()
