"""A field of coloured boxes, a model that finds them at once, and files of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from anymask.core.images import Picture
from anymask.models.spec import ModelSpec
from anymask.predict.model import Model
from anymask.predict.runtime import ALL_TOKENS, LowResMasks, PromptBatch

SHA256 = "fe" * 32
Boxes = set[tuple[int, int, int, int]]


class RegionRuntime:
    """The answer to a click is the connected region of the very colour there; grey (ground) is nothing.

    Windows are not scaled (input = window), so that what is found depends on nothing but the pixels.
    """

    def __init__(self, side: int) -> None:
        self.spec = ModelSpec("regions", "lite", input_size=side, mask_size=side, version="0.0.1")
        self.seen: list[tuple[int, int]] = []

    def encode(self, picture: Picture) -> dict[str, np.ndarray]:
        self.seen.append(picture.image_hw)
        height, width = picture.image_hw
        side = self.spec.input_size
        assert max(height, width) == side, "a window that is scaled"
        codes = picture.pixels.astype(np.int32) @ [1, 256, 65536]
        regions, labels = 0, np.zeros((side, side), np.int32)
        for colour in np.unique(codes):
            if colour == _code(GROUND):
                continue
            count, found = cv2.connectedComponents((codes == colour).astype(np.uint8), connectivity=4)
            labels[:height, :width] += np.where(found > 0, found + regions, 0)
            regions += count - 1
        return {"image_embedding": labels.astype(np.float32)}

    def decode(
        self,
        features: Mapping[str, np.ndarray],
        prompts: PromptBatch,
        *,
        tokens: slice = ALL_TOKENS,
        min_score: float | None = None,
    ) -> LowResMasks:
        labels = features["image_embedding"]
        x, y = prompts.points_xy[:, 0].astype(int).T
        region = labels[y, x]
        # The second token answers, the others are not sure.
        scores = np.where(region > 0, 0.95, 0.0).astype(np.float32)[:, None] * np.array(
            [0, 1, 0, 0], np.float32
        )
        index = np.flatnonzero(scores.max(axis=1) >= (min_score or 0))
        inside = labels[None] == region[index, None, None]
        inside &= region[index, None, None] > 0
        count = len(range(*tokens.indices(4)))
        logits = np.where(inside, 20, -20).astype(np.float32)[:, None].repeat(count, axis=1)
        return LowResMasks(logits, scores[:, tokens], index)


def region_model(side: int = 64) -> Model:
    return Model(RegionRuntime(side), sha256=SHA256)


GROUND = (40, 40, 40)


def field(height: int, width: int, boxes: Boxes, seed: int = 0) -> np.ndarray:
    """(height, width, 3) uint8: each box y0, y1, x0, x1 in a colour of its own."""
    random = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), GROUND, np.uint8)
    for y0, y1, x0, x1 in sorted(boxes):
        pixels[y0:y1, x0:x1] = random.integers(80, 255, 3)
    return pixels


def scattered(height: int, width: int, count: int, most: int, seed: int = 0, least: int = 8) -> Boxes:
    """Boxes that keep 2 pixels from each other."""
    random = np.random.default_rng(seed)
    taken = np.zeros((height, width), bool)
    boxes: Boxes = set()
    for _ in range(count):
        h, w = (int(side) for side in random.integers(least, most, 2))
        y, x = int(random.integers(0, height - h)), int(random.integers(0, width - w))
        if not taken[max(y - 2, 0) : y + h + 2, max(x - 2, 0) : x + w + 2].any():
            taken[y : y + h, x : x + w] = True
            boxes.add((y, y + h, x, x + w))
    return boxes


def save_png(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def _code(colour: tuple[int, int, int]) -> int:
    return colour[0] + 256 * colour[1] + 65536 * colour[2]
