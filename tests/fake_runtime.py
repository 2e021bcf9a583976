"""A model that needs no weights: the answer to a click is the region of similar colour around it.

It keeps to the runtime seam, is deterministic, and answers every kind of prompt, so that everything above the
seam can be tested without a network.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from anymask.core.geometry import InputFrame
from anymask.core.images import Picture
from anymask.models.spec import ModelSpec
from anymask.predict.model import Model
from anymask.predict.runtime import ALL_TOKENS, LowResMasks, PromptBatch

SHA256 = "fa" * 32
TOLERANCES = (40.0, 90.0, 40.0, 12.0)
"""Colour distance that counts as similar, per token; for a single click: whole, part, part of a part."""
SCORES = (0.95, 0.7, 0.9, 0.8)


class FakeRuntime:
    """`calls` counts encodes and keeps the batches that were decoded."""

    def __init__(self, input_size: int = 256, mask_size: int = 64, name: str = "fake") -> None:
        self.spec = ModelSpec(name, "lite", input_size=input_size, mask_size=mask_size, version="0.0.1")
        self.encoded = 0
        self.batches: list[tuple[PromptBatch, slice]] = []

    def encode(self, picture: Picture) -> dict[str, np.ndarray]:
        self.encoded += 1
        size = self.spec.mask_size
        frame = InputFrame(picture.image_hw, size)
        height, width = frame.resized_hw
        grid = np.full((3, size, size), -1000, np.float32)
        grid[:, :height, :width] = cv2.resize(
            picture.pixels, (width, height), interpolation=cv2.INTER_AREA
        ).transpose(2, 0, 1)
        return {"image_embedding": grid}

    def decode(
        self,
        features: Mapping[str, np.ndarray],
        prompts: PromptBatch,
        *,
        tokens: slice = ALL_TOKENS,
        min_score: float | None = None,
    ) -> LowResMasks:
        self.batches.append((prompts, tokens))
        grid = features["image_embedding"]
        logits = np.stack([self._answer(grid, prompts, i)[tokens] for i in range(len(prompts))])
        scores = np.tile(np.array(SCORES, np.float32)[tokens], (len(prompts), 1))
        wanted = np.arange(len(prompts)) if min_score is None else np.flatnonzero(scores.max(1) >= min_score)
        return LowResMasks(logits[wanted], scores, wanted)

    def _answer(self, grid: np.ndarray, prompts: PromptBatch, i: int) -> np.ndarray:
        """(4, h, w) logits, +8 inside and -8 outside."""
        cells = prompts.points_xy[i] * (self.spec.mask_size / self.spec.input_size)
        labels = prompts.labels[i]
        inside = np.zeros((4, *grid.shape[1:]), bool)
        if prompts.mask_logits is not None:
            inside |= prompts.mask_logits[i, 0] > 0
        corners = np.concatenate([cells[labels == 2], cells[labels == 3]])
        seeds = list(cells[labels == 1])
        if len(corners) and not seeds:
            seeds = [corners.mean(0)]
        for token, tolerance in enumerate(TOLERANCES):
            for seed in seeds:
                inside[token] |= similar_region(grid, seed, tolerance)
            for seed in cells[labels == 0]:
                inside[token] &= ~similar_region(grid, seed, TOLERANCES[3])
        if len(corners):
            inside &= _within_box(corners, grid.shape[1:])
        return np.where(inside, 8, -8).astype(np.float32)


def similar_region(grid: np.ndarray, seed_xy: np.ndarray, tolerance: float) -> np.ndarray:
    """The connected cells around a seed whose colour is like the seed's."""
    x, y = np.clip(seed_xy.astype(int), 0, grid.shape[1] - 1)
    near = np.abs(grid - grid[:, y, x][:, None, None]).max(0) <= tolerance
    parts = cv2.connectedComponents(near.astype(np.uint8))[1]
    return near & (parts == parts[y, x])


def _within_box(corners: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows >= y0 - 1) & (rows < y1 + 1) & (columns >= x0 - 1) & (columns < x1 + 1)


def fake_model(**settings: int) -> Model:
    return Model(FakeRuntime(**settings), sha256=SHA256)


def scene() -> np.ndarray:
    """160 x 120 pixels: an orange square (x 30 to 80, y 20 to 70) and a blue bar (100 to 150, 40 to 110).

    The square has a yellowish spot (x 45 to 65, y 35 to 55).
    """
    pixels = np.full((120, 160, 3), 20, np.uint8)
    pixels[20:70, 30:80] = (230, 120, 30)
    pixels[35:55, 45:65] = (230, 150, 60)
    pixels[40:110, 100:150] = (30, 60, 220)
    return pixels
