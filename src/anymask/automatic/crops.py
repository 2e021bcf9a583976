"""Overlapping crops of an image, layer by layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

from anymask.core.upscale import Window


@dataclass(frozen=True)
class Crop:
    """A part of the image to look at by itself. layer 0 is the whole image."""

    window: Window
    layer: int

    @property
    def box_xywh(self) -> tuple[int, int, int, int]:
        """x, y, width, height in image pixels."""
        height, width = self.window.size_hw
        return self.window.x0, self.window.y0, width, height

    @property
    def area(self) -> int:
        """Pixels."""
        height, width = self.window.size_hw
        return height * width


def image_crops(image_hw: tuple[int, int], n_layers: int, overlap_ratio: float) -> list[Crop]:
    """The whole image, then 2**i x 2**i crops for each layer i from 1 to `n_layers`, column by column.

    overlap_ratio: overlap of neighbours in layer 1 as a share of the image's short side, halved per layer.
    """
    height, width = image_hw
    crops = [Crop(Window(0, height, 0, width), 0)]
    for layer in range(1, n_layers + 1):
        per_side = 2**layer
        overlap = int(overlap_ratio * min(image_hw) * (2 / per_side))
        columns = _spans(width, per_side, overlap)
        rows = _spans(height, per_side, overlap)
        crops += [Crop(Window(*row, *column), layer) for column, row in product(columns, rows)]
    return crops


def _spans(length: int, count: int, overlap: int) -> list[tuple[int, int]]:
    """(start, stop) of `count` equally long stretches that overlap by `overlap` and end with the image.

    Of an image with fewer pixels than stretches, those beyond its end are left out.
    """
    size = math.ceil((overlap * (count - 1) + length) / count)
    starts = [(size - overlap) * i for i in range(count)]
    return [(start, min(start + size, length)) for start in starts if start < length]
