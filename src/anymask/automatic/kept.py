"""What is kept of a decoded mask: the rectangle of low-resolution cells that a filter could see."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from anymask.automatic.decoding import Decoded
from anymask.core.arrays import Float32Array, sealed
from anymask.core.upscale import Window

_REACH = 4  # a pixel reads at most three neighbouring cells along an axis (see core.upscale)


class KeptMask(NamedTuple):
    """One decoded mask.

    cells: (y1 - y0, x1 - x0) float32, read-only, its low-resolution logits in `window` (in cells). score:
    predicted IoU, as float32. point_xy: the click, pixels of the crop. crop: index of the crop.
    """

    cells: Float32Array
    window: Window
    score: float
    point_xy: tuple[float, float]
    crop: int

    def low_res_logits(self, low_res_hw: tuple[int, int], offset: float) -> Float32Array:
        """(h, w) float32; cells that are not kept lie below -`offset`."""
        whole = np.full(low_res_hw, -offset - 1, np.float32)
        whole[self.window.slices] = self.cells
        return whole


def kept_mask(decoded: Decoded, crop: int, offset: float) -> KeptMask | None:
    """The part of a mask's logits near cells above -`offset`; None if there are none."""
    logits, score, point_xy = decoded
    # A little below the threshold, as core.upscale allows for rounding.
    hot = logits > -offset - 1e-3 * (1 + offset)
    rows, columns = np.flatnonzero(hot.any(axis=1)), np.flatnonzero(hot.any(axis=0))
    if rows.size == 0:
        return None
    height, width = logits.shape
    window = Window(
        max(int(rows[0]) - _REACH, 0),
        min(int(rows[-1]) + 1 + _REACH, height),
        max(int(columns[0]) - _REACH, 0),
        min(int(columns[-1]) + 1 + _REACH, width),
    )
    return KeptMask(sealed(logits[window.slices].copy()), window, score, point_xy, crop)
