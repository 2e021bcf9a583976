"""Masks as polygons along the pixels' edges, with holes and several parts, and back without losing a pixel.

Vertices are pixel corners: the pixel in column 3, row 5 is the square (3, 5) to (4, 6). So areas equal pixel
counts, and filling the polygons (a pixel is inside if its centre is, even-odd rule) gives the same mask
again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray, Float64Array, sealed
from anymask.core.errors import InputError
from anymask.core.masks import as_mask, iou, mask_box

_IntArray = npt.NDArray[np.intp]

MAX_COORDINATE = 1e6  # pixels; far beyond any image, and safe in pycocotools' 32-bit arithmetic


@dataclass(frozen=True, eq=False)
class Polygon:
    """One connected part of a mask.

    exterior: (N, 2) float64 x, y of the outline, N >= 3, not closed (the last vertex joins the first).
    holes: outlines of the holes in it, each as `exterior`.

    Raises InputError if an outline has fewer than 3 vertices or a value that is not finite.
    """

    exterior: Float64Array
    holes: tuple[Float64Array, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "exterior", _ring(self.exterior))
        object.__setattr__(self, "holes", tuple(_ring(hole) for hole in self.holes))

    @property
    def rings(self) -> tuple[Float64Array, ...]:
        """The outline and the holes."""
        return (self.exterior, *self.holes)

    @property
    def area(self) -> float:
        """Area in pixels, holes taken off."""
        return abs(_signed_area(self.exterior)) - sum(abs(_signed_area(hole)) for hole in self.holes)


@dataclass(frozen=True, eq=False)
class Simplified:
    """Simplified polygons and what the simplification cost.

    polygons: the result; parts smaller than the tolerance may be gone.
    iou: IoU of the filled result with the filled original, in [0, 1].
    max_deviation: largest distance, in pixels, of an original vertex from the simplified outline.
    vertices: number of vertices that are left.
    """

    polygons: tuple[Polygon, ...]
    iou: float
    max_deviation: float
    vertices: int


def mask_to_polygons(mask: npt.ArrayLike, *, offset_xy: tuple[int, int] = (0, 0)) -> list[Polygon]:
    """(H, W) mask -> its parts as polygons with holes, sorted by the topmost, then leftmost corner.

    Pixels that touch by a corner only are different parts. `offset_xy` is added to all vertices: the place in
    the image of a mask that was cut out of it. Raises InputError if the mask is not two-dimensional.
    """
    import cv2

    array = as_mask(mask)
    x0, y0, x1, y1 = mask_box(array)
    if x0 == x1:
        return []
    padded = np.pad(array[y0:y1, x0:x1], 1)
    rings = _trace(padded)
    _, parts = cv2.connectedComponents(padded.view(np.uint8), connectivity=4)
    exteriors: dict[int, _IntArray] = {}
    holes: dict[int, list[_IntArray]] = {}
    for ring in rings:
        x, y = ring[
            0
        ]  # the topmost, then leftmost corner: set pixel below right of it for outlines, not for holes
        if padded[y, x]:
            exteriors[int(parts[y, x])] = ring
        else:
            holes.setdefault(int(parts[y - 1, x]), []).append(ring)
    shift = np.array([offset_xy[0] + x0 - 1, offset_xy[1] + y0 - 1], np.float64)
    return [
        Polygon(ring + shift, tuple(hole + shift for hole in holes.get(part, [])))
        for part, ring in exteriors.items()
    ]


def polygons_to_mask(polygons: Iterable[Polygon], image_hw: tuple[int, int]) -> BoolArray:
    """Fill polygons: (H, W) bool, True where a pixel's centre lies inside one of them (even-odd within each).

    What lies outside the image is cut off. Raises InputError if the size is not positive.
    """
    if len(image_hw) != 2 or min(image_hw) < 1:
        raise InputError(f"image size {image_hw} must be (height, width), each at least 1")
    mask = np.zeros(image_hw, np.bool_)
    for polygon in polygons:
        _fill(mask, polygon.rings)
    return mask


def simplify(polygons: Sequence[Polygon], tolerance: float, image_hw: tuple[int, int]) -> Simplified:
    """Leave out vertices so that no outline moves by more than `tolerance` pixels (Douglas-Peucker).

    Outlines stay free of crossings, and holes stay in their parts. Tolerance 0 only drops vertices on
    straight lines. The result says what was lost. Raises InputError if the tolerance is negative or not
    finite.
    """
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance {tolerance} must be a number of pixels, 0 or more")
    before = list(polygons)
    after = [_simplify_one(polygon, tolerance) for polygon in before]
    deviation = max((_deviation(old, new) for old, new in zip(before, after, strict=True)), default=0.0)
    return Simplified(
        polygons=tuple(after),
        iou=iou(polygons_to_mask(before, image_hw), polygons_to_mask(after, image_hw)),
        max_deviation=deviation,
        vertices=sum(len(ring) for polygon in after for ring in polygon.rings),
    )


def simplify_to_iou(polygons: Sequence[Polygon], min_iou: float, image_hw: tuple[int, int]) -> Simplified:
    """The coarsest of `simplify`'s results, over tolerances doubling from 1/4 pixel, whose IoU is at least
    `min_iou`.

    min_iou: in [0, 1]. If even 1/4 pixel loses more, the polygons come back with tolerance 0 (nothing lost).
    Raises InputError if min_iou is not in [0, 1].
    """
    if not 0 <= min_iou <= 1:
        raise InputError(f"min_iou {min_iou} must lie between 0 and 1")
    best = simplify(polygons, 0.0, image_hw)
    tolerance = 0.25
    while tolerance <= max(image_hw):
        coarser = simplify(polygons, tolerance, image_hw)
        if coarser.iou < min_iou:
            break
        best = coarser
        tolerance *= 2
    return best


def _ring(values: npt.ArrayLike) -> Float64Array:
    ring = np.array(values, dtype=np.float64)
    if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 3 or not np.isfinite(ring).all():
        raise InputError(f"an outline has shape {ring.shape}; expected at least 3 finite vertices (x, y)")
    return sealed(ring)


def _signed_area(ring: Float64Array) -> float:
    x, y = (ring - ring[0]).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _trace(padded: BoolArray) -> list[_IntArray]:
    """All outlines of a mask with an empty border: (N, 2) corners x, y each, from the topmost, then leftmost.

    A grid point is a corner where an odd number of its four pixels is set, and two corners where two diagonal
    ones are. Along each grid row and column, corners in order bound the edges in pairs, so that every corner
    has one neighbour across and one down; going round alternates between them.
    """
    above_left, above_right = padded[:-1, :-1], padded[:-1, 1:]
    below_left, below_right = padded[1:, :-1], padded[1:, 1:]
    single = above_left ^ above_right ^ below_left ^ below_right
    falling = above_left & below_right & ~above_right & ~below_left
    rising = above_right & below_left & ~above_left & ~below_right
    ys, xs = np.nonzero(single | falling | rising)
    twice = ~single[ys, xs]
    ys, xs = np.repeat(ys, 1 + twice), np.repeat(xs, 1 + twice)
    second = np.zeros(len(xs), np.intp)
    second[1:] = (xs[1:] == xs[:-1]) & (ys[1:] == ys[:-1])
    # Of two corners at one point the first ends the edge from the left. In a falling diagonal (above left,
    # below right) it belongs to the pixel above left and so ends the edge from above; in a rising one it
    # starts the edge down.
    downwards = np.where(rising[ys, xs], 1 - second, second)
    across = _partners(np.arange(len(xs)))
    down = _partners(np.lexsort((downwards, ys, xs)))
    points = np.column_stack([xs, ys]) + 1
    cycles = _cycles(across.tolist(), down.tolist())
    loops = [loop for cycle in cycles for loop in (_split(points[cycle]) if twice.any() else [points[cycle]])]
    return [np.roll(loop, -int(np.lexsort(loop.T)[0]), axis=0) for loop in loops]


def _split(ring: _IntArray) -> list[_IntArray]:
    """Cut a ring that meets itself at a corner into simple ones: an outline and a hole touching it."""
    loops: list[_IntArray] = []
    path: list[tuple[int, int]] = []
    place: dict[tuple[int, int], int] = {}
    for x, y in ring.tolist():
        at = place.get((x, y))
        if at is not None:
            loops.append(np.array(path[at:]))
            for corner in path[at:]:
                del place[corner]
            del path[at:]
        place[x, y] = len(path)
        path.append((x, y))
    return [*loops, np.array(path)]


def _partners(order: _IntArray) -> _IntArray:
    """For corners in an order in which each two in a row bound an edge: the other end of each one's edge."""
    partner = np.empty_like(order)
    partner[order[0::2]] = order[1::2]
    partner[order[1::2]] = order[0::2]
    return partner


def _cycles(across: list[int], down: list[int]) -> list[list[int]]:
    seen = bytearray(len(across))
    cycles = []
    for start in range(len(across)):
        if seen[start]:
            continue
        cycle, at = [], start
        while not seen[at]:
            seen[at] = 1
            cycle.append(at)
            at = across[at]
            seen[at] = 1
            cycle.append(at)
            at = down[at]
        cycles.append(cycle)
    return cycles


def _fill(mask: BoolArray, rings: Sequence[Float64Array]) -> None:
    """Set the pixels of `mask` whose centres are inside the rings, looking only at the rings' own box."""
    height, width = mask.shape
    corners = np.concatenate(rings)
    x0, y0 = np.clip(np.floor(corners.min(axis=0)), 0, [width, height]).astype(int)
    x1, y1 = np.clip(np.ceil(corners.max(axis=0)), 0, [width, height]).astype(int)
    if x0 >= x1 or y0 >= y1:
        return
    crossings = np.zeros((y1 - y0, x1 - x0 + 1), np.uint8)
    for ring in rings:
        rows, xs = _crossings(ring, y0, y1)
        # The first pixel whose centre lies right of the crossing; beyond the box it has no effect.
        columns = np.clip(np.ceil(xs - 0.5), x0, x1).astype(np.intp) - x0
        np.add.at(crossings, (rows - y0, columns), 1)
    inside = np.add.accumulate(crossings, axis=1, dtype=np.uint8) & 1
    mask[y0:y1, x0:x1] |= inside[:, :-1].view(np.bool_)


def _crossings(ring: Float64Array, y0: int, y1: int) -> tuple[_IntArray, Float64Array]:
    """Where a ring crosses the centre lines of rows y0..y1: the rows, and x at each crossing."""
    ends = np.roll(ring, -1, axis=0)
    upper = np.where((ring[:, 1] <= ends[:, 1])[:, None], ring, ends)
    lower = np.where((ring[:, 1] <= ends[:, 1])[:, None], ends, ring)
    # An edge covers the centre lines from its upper end, inclusive, to its lower one, exclusive.
    first = np.clip(np.ceil(upper[:, 1] - 0.5), y0, y1).astype(np.intp)
    stop = np.clip(np.ceil(lower[:, 1] - 0.5), y0, y1).astype(np.intp)
    count = stop - first
    edge = np.repeat(np.arange(len(ring)), count)
    rows = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    share = (rows + 0.5 - upper[edge, 1]) / (lower[edge, 1] - upper[edge, 1])
    return rows, upper[edge, 0] + (lower[edge, 0] - upper[edge, 0]) * share


def _simplify_one(polygon: Polygon, tolerance: float) -> Polygon:
    import shapely

    shape = shapely.Polygon(polygon.exterior, polygon.holes)
    simple = shape.simplify(tolerance, preserve_topology=True)
    if simple.is_empty or simple.geom_type != "Polygon":
        return polygon
    return Polygon(
        np.asarray(simple.exterior.coords)[:-1],
        tuple(np.asarray(hole.coords)[:-1] for hole in simple.interiors),
    )


def _deviation(old: Polygon, new: Polygon) -> float:
    import shapely

    outline = shapely.MultiLineString([np.vstack([ring, ring[:1]]) for ring in new.rings])
    vertices = shapely.points(np.concatenate(old.rings))
    return float(shapely.distance(vertices, outline).max())
