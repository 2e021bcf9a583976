"""How a huge image is cut up: cores that tile it, and round each core a window that the model sees.

Every pixel lies in one core and every click is made in the window of the core that it lies in, on a lattice
fixed to the image. So which clicks are made does not depend on where the tiling begins; what remains is that
the model sees a place in another surrounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from anymask.core.arrays import Float64Array
from anymask.core.errors import InputError
from anymask.core.upscale import Window

_LEAST_WINDOW = 32


@dataclass(frozen=True)
class Layout:
    """Cores and windows of one image, numbered row by row.

    image_hw: height and width of the image, pixels.
    window: side of a window, pixels; a smaller image has windows of its own size.
    halo: what a window shows round its core, pixels. Windows at the image's edge are moved inwards, not cut.
    origin_xy: where a corner of the tiling lies, pixels.

    Raises InputError for sizes that leave no core.
    """

    image_hw: tuple[int, int]
    window: int
    halo: int
    origin_xy: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.window < _LEAST_WINDOW:
            raise InputError(f"window is {self.window} pixels; give at least {_LEAST_WINDOW}")
        if self.halo < 0 or self.core_side < 1 or self.core_side < self.window // 4:
            raise InputError(
                f"halo is {self.halo} pixels of a window of {self.window}; give 0 to {self.window * 3 // 8}"
            )

    @property
    def core_side(self) -> int:
        """Side of a full core, pixels."""
        return self.window - 2 * self.halo

    @cached_property
    def rows(self) -> tuple[tuple[int, int], ...]:
        """(start, stop) of the rows of cores."""
        return self._spans(self.image_hw[0], self.origin_xy[1])

    @cached_property
    def columns(self) -> tuple[tuple[int, int], ...]:
        """(start, stop) of the columns of cores."""
        return self._spans(self.image_hw[1], self.origin_xy[0])

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def core(self, number: int) -> Window:
        """The part of the image that a window decides, in image pixels."""
        row, column = divmod(number, len(self.columns))
        return Window(*self.rows[row], *self.columns[column])

    def view(self, number: int) -> Window:
        """What the model sees: the core and the halo round it, in image pixels."""
        core = self.core(number)
        return Window(
            *self._seen(core.y0, core.y1, self.image_hw[0]), *self._seen(core.x0, core.x1, self.image_hw[1])
        )

    def overlapping(self, number: int) -> Iterator[int]:
        """The later windows that share pixels with this one, in order."""
        own, (row, column) = self.view(number), divmod(number, len(self.columns))
        reach = self.window // self.core_side + 2  # moved and narrow cores at the edges included
        for other_row in range(row, min(row + reach + 1, len(self.rows))):
            for other_column in range(max(column - reach, 0), min(column + reach + 1, len(self.columns))):
                other = other_row * len(self.columns) + other_column
                if other > number and common(own, self.view(other)) is not None:
                    yield other

    def clicks(self, number: int, step: float) -> Float64Array:
        """(N, 2) float64 x, y in image pixels: the points of the image's lattice that lie in the core.

        step: distance of the lattice's points, pixels; the first lies half a step inside the image.
        """
        core = self.core(number)
        x, y = np.meshgrid(_lattice(core.x0, core.x1, step), _lattice(core.y0, core.y1, step))
        return np.stack([x, y], axis=-1).reshape(-1, 2)

    def distance_from_centre(self, number: int, box: Window) -> float:
        """How far the middle of a box lies from the middle of the window's core, pixels (the longer axis)."""
        core = self.core(number)
        y, x = (box.y0 + box.y1 - core.y0 - core.y1) / 2, (box.x0 + box.x1 - core.x0 - core.x1) / 2
        return max(abs(x), abs(y))

    def _spans(self, length: int, origin: int) -> tuple[tuple[int, int], ...]:
        if length <= self.window:
            return ((0, length),)
        first = origin % self.core_side
        cuts = [0, *range(first or self.core_side, length, self.core_side), length]
        return tuple(pairwise(cuts))

    def _seen(self, start: int, stop: int, length: int) -> tuple[int, int]:
        size = min(self.window, length)
        at = min(max(start - self.halo, 0), length - size)
        return at, at + size


def common(one: Window, other: Window) -> Window | None:
    """The pixels of both windows; None if there are none."""
    y0, y1 = max(one.y0, other.y0), min(one.y1, other.y1)
    x0, x1 = max(one.x0, other.x0), min(one.x1, other.x1)
    return Window(y0, y1, x0, x1) if y0 < y1 and x0 < x1 else None


def around(windows: list[Window]) -> Window:
    """The smallest window round all of them."""
    y0, y1, x0, x1 = zip(*windows, strict=True)
    return Window(min(y0), max(y1), min(x0), max(x1))


def _lattice(start: int, stop: int, step: float) -> Float64Array:
    first, last = int(np.ceil(start / step - 0.5)), int(np.ceil(stop / step - 0.5))
    lattice: Float64Array = (np.arange(first, last, dtype=np.float64) + 0.5) * step
    return lattice
