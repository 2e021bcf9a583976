"""What a mask shows, in numbers: EfficientNet-Lite2's features of the mask, its surroundings, the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from anymask.core.arrays import Float32Array, UInt8Array
from anymask.core.images import Picture
from anymask.core.record import MaskRecord
from anymask.text.crops import crops_of
from anymask.text.efficientnet import CLASSES, MEAN, STD, WIDTH, efficientnet_network, package_weights
from anymask.text.graph import Network

CROP_SIDE: Final = 256
PICTURE_SIDE: Final = 288
MARGIN: Final = 0.1
FILL: Final = (MEAN, MEAN, MEAN)
FEATURES: Final = 4 * WIDTH + 7
"""Inside the mask, the mask on plain ground, the picture, the mask in the picture; seven of its shape."""

_CROPS_AT_ONCE: Final = 8


@dataclass(frozen=True, eq=False)
class Looks:
    """features: (M, FEATURES) float32. classes: (M, 1000) float32, shares of ImageNet's classes, sum 1."""

    features: Float32Array
    classes: Float32Array


class Eyes:
    """Looks at masks. Raises MissingExtraError if the package with the weights is not installed."""

    def __init__(self, *, precision: str = "fast", threads: int | None = None) -> None:
        self._weights = package_weights()
        self._precision, self._threads = precision, threads

    def look(self, picture: Picture, records: Sequence[MaskRecord]) -> Looks:
        """What the masks of a picture show."""
        if not records:
            return Looks(np.zeros((0, FEATURES), np.float32), np.zeros((0, CLASSES), np.float32))
        near = [part for group in _groups(records) for part in self._near(picture, group)]
        whole = self._whole(picture, records)
        features = [
            np.concatenate([inside, painted, *around, _shape(record)])
            for (inside, painted, _), around, record in zip(near, whole, records, strict=True)
        ]
        return Looks(np.stack(features).astype(np.float32), np.stack([classes for _, _, classes in near]))

    @cached_property
    def _network(self) -> Network:
        return efficientnet_network(self._weights, precision=self._precision, threads=self._threads)

    def _near(
        self, picture: Picture, records: Sequence[MaskRecord]
    ) -> Iterator[tuple[Float32Array, Float32Array, Float32Array]]:
        """Of each mask's crop: features inside the mask, features on plain ground, shares of classes."""
        crops = list(crops_of(picture, records, CROP_SIDE, MARGIN, FILL))
        views = np.stack([view for crop in crops for view in (crop.pixels, crop.painted(FILL))])
        seen = self._network(_normal(views))
        maps, shares = seen["map"], _shares(seen["logits"])
        for i, crop in enumerate(crops):
            inside = _pooled(maps[2 * i], crop.share)
            yield inside, maps[2 * i + 1].mean(axis=(1, 2)), (shares[2 * i] + shares[2 * i + 1]) / 2

    def _whole(
        self, picture: Picture, records: Sequence[MaskRecord]
    ) -> Iterator[tuple[Float32Array, Float32Array]]:
        """Of the whole picture: its features, and those inside each mask."""
        import cv2

        height, width = picture.image_hw
        scale = PICTURE_SIDE / max(height, width)
        small = max(int(height * scale + 0.5), 1), max(int(width * scale + 0.5), 1)
        square = np.full((1, PICTURE_SIDE, PICTURE_SIDE, 3), MEAN, np.uint8)
        square[0, : small[0], : small[1]] = cv2.resize(
            picture.pixels, small[::-1], interpolation=cv2.INTER_AREA
        )
        seen = self._network(_normal(square))["map"][0]
        share = np.zeros((PICTURE_SIDE, PICTURE_SIDE), np.float32)
        share[: small[0], : small[1]] = 1
        everywhere = _pooled(seen, share)
        for record in records:
            mask = record.mask.astype(np.float32)
            share[: small[0], : small[1]] = cv2.resize(mask, small[::-1], interpolation=cv2.INTER_AREA)
            yield everywhere, _pooled(seen, share)


def _groups(records: Sequence[MaskRecord]) -> Iterator[Sequence[MaskRecord]]:
    for start in range(0, len(records), _CROPS_AT_ONCE):
        yield records[start : start + _CROPS_AT_ONCE]


def _normal(pixels: UInt8Array) -> Float32Array:
    """(B, H, W, 3) -> (B, 3, H, W)."""
    normal: Float32Array = ((pixels.astype(np.float32) - MEAN) / STD).transpose(0, 3, 1, 2)
    return normal


def _pooled(features: Float32Array, share: Float32Array) -> Float32Array:
    """The mean of a map (C, h, w) where `share` (H, W) is."""
    import cv2

    weights = cv2.resize(share, (features.shape[2], features.shape[1]), interpolation=cv2.INTER_AREA)
    total = max(float(weights.sum()), 1e-6)
    pooled: Float32Array = (features.reshape(len(features), -1) @ weights.reshape(-1)) / np.float32(total)
    return pooled


def _shares(logits: Float32Array) -> Float32Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Float32Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _shape(record: MaskRecord) -> Float32Array:
    """Size, place and form of a mask in its picture; every number of the order of 1."""
    height, width = record.image_hw
    x, y, box_width, box_height = record.box_xywh
    return np.array(
        [
            record.area / (height * width),
            box_width / width,
            box_height / height,
            (x + box_width / 2) / width,
            (y + box_height / 2) / height,
            record.area / (box_width * box_height),
            np.log(box_width / box_height),
        ],
        np.float32,
    )
