"""Corrections that stay near their click.

A click on an existing mask says that the mask is wrong there; it says nothing of the rest. A small network
asked again with one more click now and then draws the whole mask anew, and worse. So only that part of the
new mask is taken which the click is about: changes of the click's own kind (an include click adds, an exclude
click removes) that are connected to the click. docs/log.md has the measurements.
"""

from __future__ import annotations

import numpy as np

from anymask.core.arrays import BoolArray
from anymask.core.prediction import Candidate, Prediction
from anymask.core.upscale import Window, upscale_window

TOUCH = 2  # low-resolution cells round the click in which its change must begin


def correct_locally(
    before: Candidate, after: Prediction, click_xy: tuple[float, float], *, include: bool
) -> Prediction:
    """`after` with each candidate changed against `before` only where the click reaches.

    click_xy: x, y in pixels of the image. A click that `before` already agrees with is no correction: then
    `after` stays as it is. Scores stay those of `after`.
    """
    if _is_set(before, click_xy) == include:
        return after
    return Prediction(tuple(_corrected(before, candidate, click_xy, include) for candidate in after))


def _corrected(
    before: Candidate, after: Candidate, click_xy: tuple[float, float], include: bool
) -> Candidate:
    old, new = before.low_res_logits, after.low_res_logits
    x, y = _cell(before, click_xy)
    was, now = old > before.threshold, new > after.threshold
    taken = _touching(now & ~was if include else was & ~now, x, y) | (was == now)
    return Candidate(np.where(taken, new, old), after.score, after.frame, after.threshold)


def _is_set(candidate: Candidate, click_xy: tuple[float, float]) -> bool:
    """Whether the mask has the pixel that was clicked; no other pixel is worked out."""
    height, width = candidate.frame.image_hw
    x, y = min(int(click_xy[0]), width - 1), min(int(click_xy[1]), height - 1)
    logits = upscale_window(candidate.low_res_logits, candidate.frame, Window(y, y + 1, x, x + 1))
    return bool(logits[0, 0] > candidate.threshold)


def _cell(candidate: Candidate, click_xy: tuple[float, float]) -> tuple[float, float]:
    """The click in cells of the low-resolution logits."""
    x, y = candidate.frame.points_to_input(np.array([click_xy], np.float32))[0]
    side = len(candidate.low_res_logits) / candidate.frame.input_size
    return float(x) * side, float(y) * side


def _touching(region: BoolArray, x: float, y: float) -> BoolArray:
    """The connected parts of a region that come within TOUCH cells of the click."""
    import cv2

    _, parts = cv2.connectedComponents(region.astype(np.uint8), connectivity=8)
    row, column = min(int(y), len(region) - 1), min(int(x), region.shape[1] - 1)
    seen = parts[max(0, row - TOUCH) : row + TOUCH + 1, max(0, column - TOUCH) : column + TOUCH + 1]
    found: BoolArray = np.isin(parts, seen[seen > 0])
    return found
