"""Simulated prompts: first a click or a noisy box, then clicks where the last mask was wrong.

Kirillov et al., arXiv 2304.02643, appendix A. Coordinates are pixels of the network input; masks have a
quarter of its side.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


class PromptStates:
    """Prompts of N masks: `points_xy` (N, P, 2) float32, `labels` (N, P) int64, filled from the front."""

    def __init__(self, count: int, points: int) -> None:
        self.points_xy = np.zeros((count, points, 2), np.float32)
        self.labels = np.full((count, points), -1, np.int64)
        self.used = np.zeros(count, np.int64)

    def click(self, row: int, cell_xy: tuple[float, float], include: bool) -> bool:
        """Add a click at a stride-4 position; False if there is no room for it."""
        if self.used[row] >= self.labels.shape[1]:
            return False
        # the decoder adds half a pixel, as SAM does, so that whole numbers mean pixel centres
        self.points_xy[row, self.used[row]] = (cell_xy[0] * 4 - 0.5, cell_xy[1] * 4 - 0.5)
        self.labels[row, self.used[row]] = int(include)
        self.used[row] += 1
        return True

    def box(self, row: int, box_xyxy: Floats) -> None:
        """Add a box in input pixels as its two corners."""
        at = self.used[row]
        self.points_xy[row, at : at + 2] = box_xyxy.reshape(2, 2)
        self.labels[row, at : at + 2] = (2, 3)
        self.used[row] += 2


def random_cell(region: Bools, rng: np.random.Generator) -> tuple[float, float]:
    """Centre of a random cell of a region that is not empty."""
    ys, xs = np.nonzero(region)
    i = int(rng.integers(len(ys)))
    return float(xs[i]) + 0.5, float(ys[i]) + 0.5


def centre_cell(region: Bools) -> tuple[float, float, float]:
    """The cell farthest from the region's border: its centre and that distance."""
    distance = cv2.distanceTransform(np.pad(region.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(distance.argmax()), distance.shape)
    return float(x) + 0.5, float(y) + 0.5, float(distance[y, x])


def bounding_box(region: Bools) -> Floats:
    """(4,) x0, y0, x1, y1 in cells, ends exclusive."""
    ys, xs = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    return np.array([xs[0], ys[0], xs[-1] + 1, ys[-1] + 1], np.float32)


def noisy_box(region: Bools, side: int, rng: np.random.Generator) -> Floats:
    """The bounding box in input pixels, each side moved by noise: 10 % of the box's side, at most 20."""
    box = bounding_box(region) * 4
    extent = np.array([box[2] - box[0], box[3] - box[1]] * 2, np.float32)
    noise = np.clip(rng.normal(size=4) * 0.1 * extent, -20, 20)
    moved = np.clip(box + noise, 0, side).astype(np.float32)
    return moved if moved[2] - moved[0] >= 2 and moved[3] - moved[1] >= 2 else box


def first_prompts(
    states: PromptStates, masks: Bools, rng: np.random.Generator, *, box: float, centre: float, many: float
) -> Bools:
    """Give every mask its first prompt; returns (N,) True where it is a single click, which is ambiguous."""
    single = np.zeros(len(masks), np.bool_)
    side = masks.shape[1] * 4
    for row, mask in enumerate(masks):
        if rng.random() < box:
            states.box(row, noisy_box(mask, side, rng))
            continue
        x, y = centre_cell(mask)[:2] if rng.random() < centre else random_cell(mask, rng)
        states.click(row, (x, y), True)
        single[row] = True
        if rng.random() < many:
            single[row] = False
            around = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool) & ~mask
            for _ in range(int(rng.integers(1, 4))):
                if rng.random() < 0.5 and around.any():
                    states.click(row, random_cell(around, rng), False)
                else:
                    states.click(row, random_cell(mask, rng), True)
    return single


def correct(
    states: PromptStates,
    masks: Bools,
    guesses: Bools,
    rng: np.random.Generator,
    *,
    centre: float,
    still: float,
) -> None:
    """Add one click in each mask's error region: its largest part's centre, or a random place in it."""
    for row, (mask, guess) in enumerate(zip(masks, guesses, strict=True)):
        wrong = mask ^ guess
        if rng.random() < still or not wrong.any():
            continue
        if rng.random() < centre:
            x, y = largest_error(mask, guess)
        else:
            x, y = random_cell(wrong, rng)
        states.click(row, (x, y), bool(mask[int(y), int(x)]))


def largest_error(mask: Bools, guess: Bools) -> tuple[float, float]:
    """Centre of the missing or the surplus region, whichever reaches deeper."""
    found = [centre_cell(region) for region in (mask & ~guess, guess & ~mask) if region.any()]
    x, y, _ = max(found, key=lambda item: item[2])
    return x, y
