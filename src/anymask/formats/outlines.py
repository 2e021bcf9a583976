"""Between masks and outlines in files: polygons of a record, polygons filled, many rings as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import Float64Array
from anymask.core.errors import FormatError
from anymask.core.polygons import MAX_COORDINATE, Polygon, mask_to_polygons
from anymask.core.rle import Rle, decode_window, from_runs
from anymask.formats.checks import brief

_IntArray = npt.NDArray[np.int64]
_MAX_CROSSINGS = 20_000_000
_MAX_DISTANCES = 4_000_000


def polygons_of(rle: Rle) -> list[Polygon]:
    """The mask's parts as polygons along the pixels' edges, in image coordinates."""
    found = decode_window(rle)
    if found is None:
        return []
    window, inside = found
    return mask_to_polygons(inside, offset_xy=(window.x0, window.y0))


def ring_of(points: Any, what: str, farthest: float = MAX_COORDINATE) -> Float64Array:
    """A list of [x, y] pairs from a file -> (N, 2) float64.

    Raises FormatError, `what` its first words, if it is anything else or a coordinate is beyond `farthest`.
    """
    try:
        ring = np.array(points, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        ring = np.zeros(0)
    if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 3 or not (np.abs(ring) <= farthest).all():
        raise FormatError(f"{what} is {brief(points)}; expected at least 3 finite points [x, y]")
    return ring


def fill(polygons: Iterable[Sequence[Float64Array]], image_hw: tuple[int, int]) -> Rle:
    """The mask of all pixels whose centre lies inside one of the polygons.

    polygons: the rings of each, filled by the even-odd rule. What lies outside the image is cut off. Works on
    runs, so memory grows with the outlines and not with the image.

    Raises FormatError for outlines of absurd length.
    """
    intervals = [_intervals(rings, image_hw) for rings in polygons]
    starts = np.concatenate([np.zeros(0, np.int64), *(part[0] for part in intervals)])
    stops = np.concatenate([np.zeros(0, np.int64), *(part[1] for part in intervals)])
    starts, stops = starts[starts < stops], stops[starts < stops]
    total = image_hw[0] * image_hw[1]
    if not len(starts):
        return from_runs([total], image_hw)
    order = np.argsort(starts, kind="stable")
    starts, reach = starts[order], np.maximum.accumulate(stops[order])
    first = np.append(True, starts[1:] > reach[:-1])  # touching intervals are one run
    ends = np.column_stack([starts[first], reach[np.append(first[1:], True)]]).ravel()
    return from_runs(np.diff(ends, prepend=0, append=total), image_hw)


def keyhole(polygons: Sequence[Polygon]) -> Float64Array:
    """All outlines of the polygons as one ring, joined by cuts of no width that go there and back.

    Filled by the even-odd rule it is the same area as the polygons with their holes.
    """
    rings = [ring for polygon in polygons for ring in polygon.rings]
    base = rings[0]
    detours: dict[int, list[Float64Array]] = {}
    for ring in rings[1:]:
        at, entry = _nearest(base, ring)
        detours.setdefault(at, []).append(np.roll(ring, -entry, axis=0))
    pieces: list[Float64Array] = []
    for at, vertex in enumerate(base):
        pieces.append(vertex[None])
        for ring in detours.get(at, []):
            pieces += [ring, ring[:1], vertex[None]]
    return np.concatenate(pieces)


def _nearest(base: Float64Array, ring: Float64Array) -> tuple[int, int]:
    """Indices of two vertices close to each other; the closest ones unless there are very many."""
    step = -(-len(base) * len(ring) // _MAX_DISTANCES)
    thin = base[::step]
    distances = np.abs(thin[:, None] - ring[None]).sum(axis=2)
    at, entry = np.unravel_index(int(np.argmin(distances)), distances.shape)
    return int(at) * step, int(entry)


def _intervals(rings: Sequence[Float64Array], image_hw: tuple[int, int]) -> tuple[_IntArray, _IntArray]:
    """First pixel and the one past the last of every run, counted down the columns."""
    height, width = image_hw
    heads = np.concatenate(rings)
    tails = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    forward = (heads[:, 0] <= tails[:, 0])[:, None]
    left, right = np.where(forward, heads, tails), np.where(forward, tails, heads)
    # An edge covers the centre lines of columns from its left end, inclusive, to its right one, exclusive.
    first = np.clip(np.ceil(left[:, 0] - 0.5), 0, width).astype(np.int64)
    stop = np.clip(np.ceil(right[:, 0] - 0.5), 0, width).astype(np.int64)
    count = stop - first
    if count.sum() > _MAX_CROSSINGS:
        raise FormatError(
            f"outlines that cross {int(count.sum())} pixel columns; this is no outline of a mask"
        )
    edge = np.repeat(np.arange(len(count)), count)
    columns = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    share = (columns + 0.5 - left[edge, 0]) / (right[edge, 0] - left[edge, 0])
    crossing = left[edge, 1] + (right[edge, 1] - left[edge, 1]) * share
    rows = np.clip(np.ceil(crossing - 0.5), 0, height).astype(np.int64)
    places = np.sort(columns * height + rows)
    return places[0::2], places[1::2]
