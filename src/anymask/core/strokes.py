"""What a hand draws, as what a model understands: brush strokes as points, a lasso as mask and point."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray, Float32Array, Float64Array
from anymask.core.errors import PromptError

MAX_STROKE_POINTS = 8  # Segment Anything was trained with up to nine points


def scribble_to_points(
    polyline_xy: npt.ArrayLike, *, spacing: float, max_points: int = MAX_STROKE_POINTS
) -> Float32Array:
    """A brush stroke -> points spaced evenly along it.

    polyline_xy: (N, 2) x, y of the stroke's vertices, N >= 1.
    spacing: wanted distance between points, in the same unit, > 0.
    max_points: at most this many points, >= 1.

    The stroke is cut into equally long parts and the middle of each part is taken: the ends of a hand-drawn
    stroke are its least careful places. A stroke without length gives its one point. Returns (M, 2) float32.

    Raises PromptError if the vertices are not finite (N, 2) numbers, or spacing or max_points is not
    positive.
    """
    vertices = vertices_of(polyline_xy, "scribble", at_least=1)
    if not spacing > 0 or max_points < 1:
        raise PromptError(f"spacing {spacing} and max_points {max_points} must be positive")
    steps = np.hypot(*np.diff(vertices, axis=0).T) if len(vertices) > 1 else np.zeros(0)
    travelled = np.concatenate([[0.0], np.cumsum(steps)])
    length = float(travelled[-1])
    if length == 0:
        return vertices[:1].astype(np.float32)
    count = min(max_points, max(1, round(length / spacing)))
    at = (np.arange(count) + 0.5) * length / count
    return np.column_stack([np.interp(at, travelled, axis) for axis in vertices.T]).astype(np.float32)


def polygon_to_prompt(
    polygon_xy: npt.ArrayLike, image_hw: tuple[int, int]
) -> tuple[BoolArray, tuple[float, float]]:
    """A lasso -> the (H, W) bool mask of its inside, and x, y of the pixel centre deepest inside.

    polygon_xy: (N, 2) x, y of the vertices in image pixels, N >= 3; it closes itself, parts outside the image
    are cut off, and where it crosses itself the even-odd rule holds.

    Raises PromptError if the vertices are not finite (N, 2) numbers, fewer than 3, or enclose no pixel of the
    image.
    """
    from anymask.core.masks import inside_point
    from anymask.core.polygons import Polygon, polygons_to_mask

    vertices = vertices_of(polygon_xy, "polygon", at_least=3)
    mask = polygons_to_mask([Polygon(vertices)], image_hw)
    if not mask.any():
        raise PromptError(
            f"the polygon {_brief(vertices)} encloses no pixel of the image "
            f"({image_hw[1]} x {image_hw[0]} pixels); draw it larger or inside the image"
        )
    x, y = inside_point(mask)
    return mask, (x + 0.5, y + 0.5)


def vertices_of(values: npt.ArrayLike, what: str, *, at_least: int) -> Float64Array:
    """(N, 2) finite float64 with N >= `at_least`, or a PromptError that names `what`."""
    try:
        vertices = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PromptError(f"{what} {values!r:.80} is not a list of (x, y) pairs of numbers") from error
    if vertices.ndim != 2 or vertices.shape[1] != 2 or len(vertices) < at_least:
        raise PromptError(f"{what} has shape {vertices.shape}; expected at least {at_least} vertices (x, y)")
    if not np.isfinite(vertices).all():
        wrong = vertices[~np.isfinite(vertices).all(axis=1)][0]
        raise PromptError(f"{what} has the vertex ({wrong[0]}, {wrong[1]}); give finite numbers")
    return vertices


def _brief(vertices: Float64Array) -> str:
    text = str(vertices[:4].tolist())
    return text if len(vertices) <= 4 else text[:-1] + ", ...]"
