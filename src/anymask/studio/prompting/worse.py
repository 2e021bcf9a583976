"""Corrections that do more harm than good.

A click on a mask says that the mask is wrong at that place, and people point at the middle of what is wrong.
A correction that turns much of the mask over although the click lies at the edge of the change, or outside
it, has seldom done what was meant; the person is told and may take it back with one key. docs/log.md has what
was measured, also of rules that were worse than this one.
"""

from __future__ import annotations

import numpy as np

from anymask.core.arrays import BoolArray
from anymask.core.masks import iou
from anymask.core.prediction import Candidate

MOST_HARM = 0.1
MOST_AGAINST = 0.5
TOUCH = 2  # low-resolution cells by which a click may miss the change


def is_much_worse(
    before: Candidate, after: Candidate, click_xy: tuple[float, float], *, include: bool
) -> bool:
    """Whether a correction has probably spoilt a mask.

    before, after: the mask that was clicked and what came of it; both are compared in low-resolution cells.
    click_xy: x, y in pixels of the image. include: whether the click was one on the object.

    True if nothing is left of a mask; if the change goes against the click, an include click that takes more
    than half of the mask away or an exclude click that adds more than half of it; or if (1 - IoU(before,
    after)) x (1 - depth / deepest) is above 0.1, where depth is how far the click lies inside the connected
    change that it touches, and deepest what is possible there.
    """
    old, new = before.low_res_logits > before.threshold, after.low_res_logits > after.threshold
    if not new.any() or not old.any():
        return bool(old.any())
    against = old & ~new if include else new & ~old
    if np.count_nonzero(against) > MOST_AGAINST * np.count_nonzero(old):
        return True
    changed = 1 - iou(old, new)
    return (
        changed > MOST_HARM and changed * (1 - _centrality(old != new, _cell(before, click_xy))) > MOST_HARM
    )


def _centrality(change: BoolArray, cell: tuple[int, int]) -> float:
    """How deep the click lies in its part of the change, 1 in the middle, 0 outside. cell: row and column."""
    import cv2

    _, parts = cv2.connectedComponents(change.astype(np.uint8), connectivity=8)
    row, column = cell
    near = np.s_[max(0, row - TOUCH) : row + TOUCH + 1, max(0, column - TOUCH) : column + TOUCH + 1]
    touched = np.isin(parts, parts[near][parts[near] > 0])
    if not touched.any():
        return 0.0
    depth = cv2.distanceTransform(np.pad(touched.view(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    return float(depth[near].max() / depth.max())


def _cell(candidate: Candidate, click_xy: tuple[float, float]) -> tuple[int, int]:
    """Row and column of the low-resolution cell that was clicked."""
    x, y = candidate.frame.points_to_input(np.array([click_xy], np.float32))[0]
    height, width = candidate.low_res_logits.shape
    side = height / candidate.frame.input_size
    return min(int(y * side), height - 1), min(int(x * side), width - 1)
