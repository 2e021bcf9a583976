"""Where a simulated person points: clicks and strokes on a true mask, the same whoever is measured."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from anymask.core.arrays import BoolArray, Float64Array
from anymask.core.errors import MissingExtraError
from anymask.core.masks import deepest_pixel, mask_box
from anymask.evaluate.predictors import Point

_STROKE_SHARE = (0.5, 0.9)
"""How much of the medial line a stroke covers: a hand stops short of both ends."""


def central_click(mask: BoolArray) -> Point:
    """A click on the pixel farthest from the object's border (Kirillov et al., arXiv 2304.02643, 7.1)."""
    x, y, _ = deepest_pixel(mask)
    return x, y, 1


def random_click(mask: BoolArray, rng: np.random.Generator) -> Point:
    """A click on any pixel of the object, all with equal chance."""
    pixels = np.flatnonzero(mask)
    y, x = divmod(int(pixels[rng.integers(len(pixels))]), mask.shape[1])
    return x, y, 1


def next_click(mask: BoolArray, guess: BoolArray, scored: BoolArray | None = None) -> Point | None:
    """A click at the centre of the largest error; None if there is none.

    The deepest pixel of what is missing or of what is too much, whichever is deeper (Sofiiuk et al., arXiv
    2102.06583). scored: (H, W) bool, the pixels that count; None means all.
    """
    wrong = mask ^ guess if scored is None else (mask ^ guess) & scored
    best: tuple[int, Point] | None = None
    for label, side in ((1, mask), (0, ~mask)):
        region = wrong & side
        if not region.any():
            continue
        x, y, depth = deepest_pixel(region)
        if best is None or depth > best[0]:
            best = depth, (x, y, label)
    return best[1] if best is not None else None


def stroke(mask: BoolArray, rng: np.random.Generator) -> Float64Array:
    """A brush stroke inside the object, along its medial line: (N, 2) x, y of pixel centres, N >= 1.

    The medial line is the path between the two ends of the object's deepest part that keeps to the middle: a
    step costs its length over the squared distance from the border. Of it a contiguous stretch of 50 to 90 %
    is drawn, its length and place given by `rng`, in either direction.

    Raises MissingExtraError if scikit-image is not installed.
    """
    import cv2

    graph = _graph()
    x0, y0, x1, y1 = mask_box(mask)
    inside = np.pad(mask[y0:y1, x0:x1], 1)
    depth = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    middle = np.unravel_index(int(depth.argmax()), depth.shape)
    near, far = np.where(inside, 1.0, -1.0), np.where(inside, 1 / np.maximum(depth, 1) ** 2, -1.0)
    start = _farthest(graph, near, middle)
    end = _farthest(graph, near, start)
    path = np.array(graph.route_through_array(far, start, end, fully_connected=True, geometric=True)[0])
    length = max(1, round(len(path) * rng.uniform(*_STROKE_SHARE)))
    begin = int(rng.integers(len(path) - length + 1))
    drawn = path[begin : begin + length][:: 1 if rng.integers(2) else -1]
    centres: Float64Array = drawn[:, ::-1] + np.array([x0 - 0.5, y0 - 0.5])  # one off for the padding
    return centres


def mask_rng(seed: int, key: str, number: int) -> np.random.Generator:
    """The chance of one mask: the same whatever else is measured, in whatever order."""
    digest = hashlib.sha256(f"{seed}\n{number}\n{key}".encode()).digest()
    return np.random.default_rng(list(digest))


def _farthest(graph: Any, costs: Float64Array, start: Any) -> Any:
    """The cell farthest from `start` on ways through cells of positive cost; the first in reading order."""
    reached, _ = graph.MCP_Geometric(costs, fully_connected=True).find_costs([start])
    reached[~np.isfinite(reached)] = -1
    return np.unravel_index(int(reached.argmax()), reached.shape)


def _graph() -> Any:
    try:
        from skimage import graph
    except ImportError as error:
        raise MissingExtraError(
            "simulated strokes need scikit-image; install it with: pip install 'anymask[evaluate]'"
        ) from error
    return graph
