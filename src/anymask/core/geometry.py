"""The one crossing between image pixels and the frame that a model sees.

Segment Anything scales an image so that its longer side becomes `input_size` and pads it at the right and
bottom to a square (arXiv 2304.02643, appendix A). Image and input frame share the corner (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import Float32Array, Float64Array
from anymask.core.errors import InputError


@dataclass(frozen=True)
class InputFrame:
    """An image's size and the model's square input, with the maps between their coordinates.

    image_hw: height and width of the image, pixels, each >= 1.
    input_size: side of the model's square input, pixels, >= 1.

    Raises InputError if a size is not a positive whole number.
    """

    image_hw: tuple[int, int]
    input_size: int

    def __post_init__(self) -> None:
        sizes = (*self.image_hw, self.input_size)
        if len(sizes) != 3 or not all(isinstance(s, (int, np.integer)) and s >= 1 for s in sizes):
            raise InputError(
                f"image_hw {self.image_hw!r} and input_size {self.input_size!r} are not sizes; "
                "give (height, width) and one side, whole numbers from 1"
            )
        object.__setattr__(self, "image_hw", (int(self.image_hw[0]), int(self.image_hw[1])))
        object.__setattr__(self, "input_size", int(self.input_size))

    @property
    def resized_hw(self) -> tuple[int, int]:
        """Height and width of the scaled image inside the input, by Segment Anything's rounding.

        One deviation: a side that would round to 0 (an image more than twice `input_size` times longer than
        wide) is 1.
        """
        height, width = self.image_hw
        scale = self.input_size * 1.0 / max(height, width)
        return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))

    @property
    def scale_xy(self) -> tuple[float, float]:
        """Input pixels per image pixel along x and y; they differ a little, because the sides are rounded."""
        resized_height, resized_width = self.resized_hw
        return resized_width / self.image_hw[1], resized_height / self.image_hw[0]

    def points_to_input(self, points_xy: npt.ArrayLike) -> Float32Array:
        """(..., 2) x, y in image pixels -> (..., 2) float32 in input pixels."""
        return _scaled(_coordinates(points_xy, 2), self.scale_xy)

    def points_to_image(self, points_xy: npt.ArrayLike) -> Float32Array:
        """(..., 2) x, y in input pixels -> (..., 2) float32 in image pixels."""
        return _scaled(_coordinates(points_xy, 2), self.scale_xy, back=True)

    def boxes_to_input(self, boxes_xyxy: npt.ArrayLike) -> Float32Array:
        """(..., 4) x0, y0, x1, y1 in image pixels -> (..., 4) float32 in input pixels."""
        return _scaled(_coordinates(boxes_xyxy, 4), self.scale_xy * 2)

    def boxes_to_image(self, boxes_xyxy: npt.ArrayLike) -> Float32Array:
        """(..., 4) x0, y0, x1, y1 in input pixels -> (..., 4) float32 in image pixels."""
        return _scaled(_coordinates(boxes_xyxy, 4), self.scale_xy * 2, back=True)


def _scaled(values: Float64Array, scale: tuple[float, ...], *, back: bool = False) -> Float32Array:
    result: Float64Array = values / np.array(scale) if back else values * np.array(scale)
    return result.astype(np.float32)


def _coordinates(values: npt.ArrayLike, last: int) -> Float64Array:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != last:
        raise InputError(f"coordinates have shape {array.shape}; the last axis must have {last} entries")
    return array
