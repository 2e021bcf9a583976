"""From a picture to the pixels that an image encoder takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anymask.core.geometry import InputFrame
from anymask.core.images import Picture
from anymask.predict.runtime import Float32

if TYPE_CHECKING:
    from anymask.models.spec import ModelSpec


def network_input(picture: Picture, spec: ModelSpec) -> Float32:
    """The picture scaled to the model's input square, normalised and padded: (1, 3, S, S) float32.

    Scaled as in Segment Anything: by Pillow's bilinear filter, which averages when it shrinks.
    """
    from PIL import Image

    height, width = InputFrame(picture.image_hw, spec.input_size).resized_hw
    pixels = picture.pixels
    if (height, width) != picture.image_hw:
        pixels = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))
    square = np.empty((1, 3, spec.input_size, spec.input_size), np.float32)
    for channel in range(3):
        mean, std = np.float32(spec.pixel_mean[channel]), np.float32(spec.pixel_std[channel])
        square[0, channel] = (np.float32(spec.pad_value[channel]) - mean) / std
        square[0, channel, :height, :width] = (pixels[:, :, channel] - mean) / std
    return square
