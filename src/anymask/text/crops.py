"""What a mask shows, as a square picture: cut out with a margin, its background kept or painted over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from anymask.core.arrays import Float32Array, UInt8Array
from anymask.core.images import Picture
from anymask.core.record import MaskRecord

LEAST_SIDE = 16
"""Pixels of the picture that a crop shows at least along its sides: below, there is only blur to see."""


@dataclass(frozen=True, eq=False)
class Crop:
    """pixels: (S, S, 3) uint8, `fill` outside the picture. share: (S, S) float32, 1 on the mask."""

    pixels: UInt8Array
    share: Float32Array

    def painted(self, fill: tuple[float, float, float]) -> UInt8Array:
        """The pixels with everything but the mask painted over."""
        share = self.share[:, :, None]
        mixed = self.pixels * share + np.array(fill, np.float32) * (1 - share)
        painted: UInt8Array = (mixed + 0.5).astype(np.uint8)
        return painted


def crops_of(
    picture: Picture,
    records: Sequence[MaskRecord],
    size: int,
    margin: float,
    fill: tuple[float, float, float],
) -> Iterator[Crop]:
    """A crop of S = `size` pixels for each mask, about its box and larger by `margin` of it on every side."""
    for record in records:
        yield _crop(picture, record, size, margin, fill)


def _crop(
    picture: Picture, record: MaskRecord, size: int, margin: float, fill: tuple[float, float, float]
) -> Crop:
    import cv2

    x, y, width, height = record.box_xywh
    side = max(max(width, height) * (1 + 2 * margin), LEAST_SIDE)
    left, top = x + width / 2 - side / 2, y + height / 2 - side / 2
    # Only the part of the picture that the crop shows is touched.
    rows = slice(max(int(top) - 2, 0), int(top + side) + 3)
    columns = slice(max(int(left) - 2, 0), int(left + side) + 3)
    pixels: Any = picture.pixels[rows, columns]
    mask: Any = record.mask[rows, columns].astype(np.float32)
    left, top, scale = left - columns.start, top - rows.start, size / side
    if scale < 0.5:  # the warp below looks at four pixels only, so shrink by averages first
        small_hw = [max(round(length * scale), 1) for length in mask.shape]
        factors = [small / length for small, length in zip(small_hw, mask.shape, strict=True)]
        pixels = cv2.resize(pixels, small_hw[::-1], interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, small_hw[::-1], interpolation=cv2.INTER_AREA)
    else:
        factors = [1.0, 1.0]
    zoom_y, zoom_x = scale / factors[0], scale / factors[1]
    # Pixel centres: (x + 0.5 - left) * scale - 0.5, after the first step's own scale.
    shift = np.array(
        [
            [zoom_x, 0, 0.5 * zoom_x - left * scale - 0.5],
            [0, zoom_y, 0.5 * zoom_y - top * scale - 0.5],
        ]
    )
    border = tuple(float(value) for value in fill)
    shown = cv2.warpAffine(pixels, shift, (size, size), flags=cv2.INTER_LINEAR, borderValue=border)
    share = cv2.warpAffine(mask, shift, (size, size), flags=cv2.INTER_LINEAR)
    return Crop(np.asarray(shown, np.uint8), np.asarray(share, np.float32))
