"""How many layers of crops an image needs, so that small things reach the model large enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from anymask.core.embedding import ImageEmbedding
from anymask.core.images import ImageSource, Picture, load_image

AUTO = "auto"
"""In place of a number for `crop_n_layers`: the rule below."""
CropLayers = int | Literal["auto"]

MOST_LAYERS = 3  # 4 + 16 + 64 crops; larger images are better cut into windows (automatic.huge)
_REDUCTION = 2.0


def crop_layers(image_hw: tuple[int, int], input_size: int) -> int:
    """The fewest layers whose smallest crops the model sees reduced by no more than 2; at most 3.

    image_hw: height and width, pixels. input_size: side of the model's input, pixels. A crop of layer i is
    2**i times smaller than the image (its overlap aside), so i is the logarithm to base 2 of
    long side / (2 * input_size), rounded up: 0 up to twice the input size, 1 up to four times, 2 up to eight.
    """
    reduction = max(image_hw) / input_size
    return min(max(math.ceil(math.log2(reduction / _REDUCTION)), 0), MOST_LAYERS)


def resolved(overrides: Mapping[str, Any], image_hw: tuple[int, int], input_size: int) -> dict[str, Any]:
    """Settings by name, with the rule's number where `crop_n_layers` is "auto"."""
    layers = overrides.get("crop_n_layers", 0)
    if layers != AUTO:
        return dict(overrides)
    return {**overrides, "crop_n_layers": crop_layers(image_hw, input_size)}


def look_and_resolve(
    source: ImageSource | Picture | ImageEmbedding, overrides: Mapping[str, Any], input_size: int
) -> tuple[ImageSource | Picture | ImageEmbedding, dict[str, Any]]:
    """The source, read where the rule has to know its size, and the settings as `resolved` gives them.

    Raises ImageError for a source that cannot be read.
    """
    if overrides.get("crop_n_layers", 0) != AUTO:
        return source, dict(overrides)
    known = source if isinstance(source, ImageEmbedding) else load_image(source)
    return known, resolved(overrides, known.image_hw, input_size)
