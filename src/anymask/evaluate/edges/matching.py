"""Which edge pixels of two maps are the same edge: one-to-one, within a tolerance.

The published benchmark (Martin, Fowlkes, Malik, IEEE PAMI 26(5), 2004) solves a minimum-cost assignment with
Goldberg and Kennedy's CSA: a pair costs its distance, a pixel without partner 100 times the tolerance. The
same is solved here with SciPy's sparse Jonker-Volgenant method. What differs: distances are not rounded to
hundredths of a pixel; a pixel may stay without partner wherever that is best (CSA runs on six random outlier
connections per pixel); and as many pairs as possible come first, whatever their distances (in CSA only if one
more pair does not move more than about a hundred others). Among equally good assignments the choice is free
in both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from anymask.core.arrays import BoolArray
from anymask.core.errors import InputError, MissingExtraError


class Matches(NamedTuple):
    """Those pixels of each map that have a partner in the other one; (H, W) bool, equally many set."""

    found: BoolArray
    drawn: BoolArray


def match_edges(found: BoolArray, drawn: BoolArray, tolerance: float) -> Matches:
    """Pair as many pixels of both (H, W) maps as possible; among all such pairings, the nearest.

    tolerance: the largest distance of a pair, pixels; distances are between pixel centres.

    Raises InputError if the sizes differ or the tolerance is negative, MissingExtraError without SciPy.
    """
    if found.shape != drawn.shape or found.ndim != 2:
        raise InputError(f"the edge maps have shapes {found.shape} and {drawn.shape}; expected one (H, W)")
    if not 0 <= tolerance < float("inf"):
        raise InputError(f"the tolerance is {tolerance} pixels; give a number from 0")
    rows, columns, distances = _pairs(found, drawn, tolerance)
    matched_found, matched_drawn = np.zeros_like(found), np.zeros_like(drawn)
    if len(distances):
        some_rows, some_columns = _assign(rows, columns, distances)
        matched_found.flat[some_rows] = True
        matched_drawn.flat[some_columns] = True
    return Matches(matched_found, matched_drawn)


def _pairs(found: BoolArray, drawn: BoolArray, tolerance: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flat indices of a pixel in `found` and of one in `drawn` within the tolerance, and their distance."""
    height, width = drawn.shape
    y, x = np.nonzero(drawn)
    reach = int(tolerance)
    rows, columns, distances = [], [], []
    for dy in range(-min(reach, height), min(reach, height) + 1):
        for dx in range(-min(reach, width), min(reach, width) + 1):
            distance = float(np.hypot(dy, dx))
            if distance > tolerance:
                continue
            inside = (y + dy >= 0) & (y + dy < height) & (x + dx >= 0) & (x + dx < width)
            near = (y[inside] + dy) * width + x[inside] + dx
            hit = found.ravel()[near]
            rows.append(near[hit])
            columns.append((y[inside] * width + x[inside])[hit])
            distances.append(np.full(int(hit.sum()), distance))
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(distances)


def _assign(rows: np.ndarray, columns: np.ndarray, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows and columns that are paired, of pairs that may be.

    Not with SciPy's maximum_bipartite_matching: on maps of real size it did not end within minutes.
    """
    try:
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import min_weight_full_bipartite_matching
    except ImportError:
        raise MissingExtraError("matching edges needs SciPy: pip install 'anymask[evaluate]'") from None
    row_names, row_of = np.unique(rows, return_inverse=True)
    column_names, column_of = np.unique(columns, return_inverse=True)
    if len(row_names) > len(column_names):  # the fewer rows, the fewer searches
        other, one = _assign(columns, rows, distances)
        return one, other
    count = len(row_names)
    # Stored zeros would be no pairs: every pair costs one pixel more. Each row has a way out of its own, so
    # that an assignment of all rows exists; it costs more than all pairs together, so that pairs come first.
    cost = 1 + distances
    alone = (count + 1) * float(cost.max())
    weights = csr_matrix(
        (
            np.append(cost, np.full(count, alone)),
            (
                np.append(row_of, np.arange(count)),
                np.append(column_of, len(column_names) + np.arange(count)),
            ),
        )
    )
    row, column = min_weight_full_bipartite_matching(weights)
    paired = column < len(column_names)
    return row_names[row[paired]], column_names[column[paired]]
