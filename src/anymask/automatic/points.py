"""Grids of clicks, as shares of a crop's width and height."""

from __future__ import annotations

import numpy as np

from anymask.core.arrays import Float64Array, sealed
from anymask.core.errors import InputError


def point_grid(points_per_side: int) -> Float64Array:
    """The middles of n x n equal cells: (n * n, 2) float64, x and y in (0, 1), row by row."""
    half = 1 / (2 * points_per_side)
    side = np.linspace(half, 1 - half, points_per_side)
    x, y = np.meshgrid(side, side)
    return sealed(np.stack([x, y], axis=-1).reshape(-1, 2))


def point_grids(points_per_side: int, crop_n_layers: int, downscale: int) -> tuple[Float64Array, ...]:
    """One grid per layer of crops, its side divided by `downscale` from layer to layer.

    Raises InputError if a layer would have no point.
    """
    sides = [int(points_per_side / downscale**layer) for layer in range(crop_n_layers + 1)]
    if sides[-1] < 1:
        raise InputError(
            f"{points_per_side} points per side divided by {downscale} per layer leave none in layer "
            f"{sides.index(0)}; give more points, fewer layers or a smaller crop_n_points_downscale_factor"
        )
    return tuple(point_grid(side) for side in sides)
