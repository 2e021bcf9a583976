"""Square views of pictures without their masks: whole or cropped, flipped now and then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anymask.core.errors import InputError
from anymask.train.pretrain.settings import PretrainSettings


class Pictures(Protocol):
    """Pixels (H, W, 3) uint8 RGB by number; a `ShardCache` is one."""

    def __len__(self) -> int: ...

    def pixels(self, index: int) -> NDArray[np.uint8]: ...


def square_view(
    pixels: NDArray[np.uint8], size: int, smallest_crop: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A random part of the picture, of at least `smallest_crop` of its area, as (size, size, 3) uint8.

    The part's sides are in a proportion of 3:4 to 4:3 of the picture's (Szegedy et al., arXiv 1409.4842),
    and it is flipped half of the time.
    """
    height, width = pixels.shape[:2]
    share = rng.uniform(smallest_crop, 1.0)
    stretch = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3))) if smallest_crop < 1 else 1.0
    h = int(np.clip(round(height * np.sqrt(share / stretch)), 1, height))
    w = int(np.clip(round(width * np.sqrt(share * stretch)), 1, width))
    top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    part = np.ascontiguousarray(pixels[top : top + h, left : left + w])
    smaller = size < min(h, w)
    view = cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        view = view[:, ::-1]
    return np.ascontiguousarray(view, dtype=np.uint8)


def batches(
    pictures: Pictures, weights: Sequence[float] | None, settings: PretrainSettings, start: int
) -> Iterator[Tensor]:
    """Views (images, 3, S, S) uint8, step by step from `start` on; the same at the same step in every run.

    weights: how likely each picture is, any scale; equally if None. Raises InputError without pictures.
    """
    if not len(pictures):
        raise InputError("there are no pictures to train on")
    share = None if weights is None else np.asarray(weights, float) / np.sum(weights)
    step = start
    while True:
        rng = np.random.default_rng((settings.seed, step))
        chosen = rng.choice(len(pictures), settings.images, p=share)
        views = [
            square_view(pictures.pixels(int(i)), settings.image_size, settings.smallest_crop, rng)
            for i in chosen
        ]
        yield torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2).contiguous()
        step += 1
