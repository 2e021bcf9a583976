"""Answers like a trained network's, put in the place of a random one's after it has done all its work.

Random weights answer clicks with noise, and a measurement of everything mode would be one of noise: nothing
would be filtered, suppressed or small. A scene is three partitions of the picture, from coarse to fine, and a
click is answered with the cell of each that it hits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import torch

from anymask.models.spec import ModelSpec
from anymask.predict.runtime import ALL_TOKENS, LowResMasks, PromptBatch, Runtime

CELLS = 256
"""Side of Segment Anything's low-resolution logits."""
_REGIONS = (220, 110, 27)
_STEEPNESS = 8.0  # logits per cell of distance from a mask's edge
_LARGEST = 20.0


class Scene:
    """Three partitions of a picture (H, W) as logits and scores."""

    def __init__(self, image_hw: tuple[int, int], seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        scale = CELLS / max(image_hw)
        size = np.array(image_hw) * scale
        self._labels = [_partition(random, count, size) for count in _REGIONS]
        self._logits = [[_steep(labels == i) for i in range(labels.max() + 1)] for labels in self._labels]
        self._scores = [random.uniform(0.7, 1.0, len(logits)) for logits in self._logits]

    def answer(self, points_xy: np.ndarray, input_size: int) -> tuple[np.ndarray, np.ndarray]:
        """Clicks (B, 2) in the input frame -> logits (B, 3, h, w), scores (B, 3), float32."""
        cells = np.clip((points_xy * (CELLS / input_size)).astype(int), 0, CELLS - 1)
        logits = np.empty((len(cells), 3, CELLS, CELLS), np.float32)
        scores = np.empty((len(cells), 3), np.float32)
        for number, (x, y) in enumerate(cells):
            for part, labels in enumerate(self._labels):
                own = np.random.default_rng((int(x), int(y), part))  # no two clicks answer quite alike
                region = labels[y, x]
                logits[number, part] = self._logits[part][region] + own.uniform(-1, 1)
                scores[number, part] = self._scores[part][region] + own.normal(0, 0.01)
        return logits, scores


class SceneRuntime:
    """A runtime whose answers to clicks are a scene's; everything that it would compute is computed."""

    def __init__(self, runtime: Runtime, scene: Scene) -> None:
        self._runtime = runtime
        self._scene = scene

    @property
    def spec(self) -> ModelSpec:
        """See `Runtime`."""
        return self._runtime.spec

    def encode(self, picture: Any) -> dict[str, np.ndarray]:
        """See `Runtime.encode`."""
        return self._runtime.encode(picture)

    def decode(
        self,
        features: Mapping[str, np.ndarray],
        prompts: PromptBatch,
        *,
        tokens: slice = ALL_TOKENS,
        min_score: float | None = None,
    ) -> LowResMasks:
        """See `Runtime.decode`: as many prompts are upscaled as the scene's scores would have it."""
        logits, scores = self._scene.answer(prompts.points_xy[:, 0], self.spec.input_size)
        wanted = np.ones(len(prompts), bool) if min_score is None else (scores >= min_score).any(axis=1)
        index = np.flatnonzero(wanted)
        if len(index):
            self._runtime.decode(features, _some(prompts, index), tokens=tokens)
        rest = np.flatnonzero(~wanted)
        if len(rest):
            self._runtime.decode(features, _some(prompts, rest), tokens=tokens, min_score=np.inf)
        return LowResMasks(logits[index], scores, index)


def answer_with(scene: Scene, published: Any) -> None:
    """Let a published network answer single clicks with a scene's masks, after its own work."""
    clicks: list[np.ndarray] = []

    def remember(_: Any, __: Any, arguments: dict[str, Any]) -> None:
        clicks[:] = [arguments["points"][0][:, 0].numpy()]

    def replace(_: Any, __: Any, answer: Any) -> tuple[torch.Tensor, torch.Tensor]:
        logits, scores = scene.answer(clicks[0], published.image_encoder.img_size)
        return torch.from_numpy(logits), torch.from_numpy(scores)

    published.prompt_encoder.register_forward_pre_hook(remember, with_kwargs=True)
    published.mask_decoder.register_forward_hook(replace)


def _some(prompts: PromptBatch, index: np.ndarray) -> PromptBatch:
    return PromptBatch(prompts.points_xy[index], prompts.labels[index])


def _partition(random: np.random.Generator, count: int, size_hw: np.ndarray) -> np.ndarray:
    """(CELLS, CELLS) numbers of the nearest of `count` random points, edges bent."""
    y, x = np.mgrid[:CELLS, :CELLS].astype(np.float32)
    for plane in (y, x):
        noise = random.standard_normal((CELLS, CELLS)).astype(np.float32)
        plane += cv2.GaussianBlur(noise, (0, 0), 4) * 12
    points = random.random((count, 2)) * size_hw
    distances = (y[None] - points[:, :1, None]) ** 2 + (x[None] - points[:, 1:, None]) ** 2
    labels = np.argmin(distances, axis=0)
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


def _steep(inside: np.ndarray) -> np.ndarray:
    """Logits that grow with the distance from a region's edge."""
    mask = inside.astype(np.uint8)
    signed = cv2.distanceTransform(mask, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    smooth = cv2.GaussianBlur(signed, (0, 0), 0.7) * _STEEPNESS
    return np.clip(smooth, -_LARGEST, _LARGEST).astype(np.float32)
