"""`ResizeLongestSide` of `segment_anything.utils.transforms`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from anymask.compat.tensors import Tensor
from anymask.core.arrays import Float64Array, UInt8Array
from anymask.core.errors import ImageError
from anymask.core.geometry import InputFrame


class ResizeLongestSide:
    """Scales images so that the longer side becomes `target_length`, and coordinates with them."""

    def __init__(self, target_length: int) -> None:
        self.target_length = target_length

    def apply_image(self, image: UInt8Array) -> UInt8Array:
        """(H, W, C) uint8 -> the scaled image, by Pillow's bilinear filter. Raises ImageError."""
        from PIL import Image

        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3:
            raise ImageError("image must be a uint8 array (height, width, channels)")
        height, width = self.get_preprocess_shape(image.shape[0], image.shape[1], self.target_length)
        scaled = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
        return np.array(scaled)

    def apply_coords(self, coords: npt.ArrayLike, original_size: tuple[int, ...]) -> Float64Array:
        """(..., 2) x, y in pixels of an image of `original_size` (H, W) -> (..., 2) in the scaled image."""
        scaled: Float64Array = np.asarray(coords, np.float64) * np.array(self._scale_xy(original_size))
        return scaled

    def apply_boxes(self, boxes: npt.ArrayLike, original_size: tuple[int, ...]) -> Float64Array:
        """(B, 4) x0, y0, x1, y1 in an image of `original_size` (H, W) -> (B, 4) in the scaled image."""
        corners = np.asarray(boxes, np.float64).reshape(-1, 2, 2)
        return self.apply_coords(corners, original_size).reshape(-1, 4)

    def apply_image_torch(self, image: Tensor) -> Tensor:
        """(B, C, H, W) float tensor -> scaled with antialiasing; may differ a little from `apply_image`."""
        from torch.nn.functional import interpolate

        size = self.get_preprocess_shape(image.shape[-2], image.shape[-1], self.target_length)
        return interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)

    def apply_coords_torch(self, coords: Tensor, original_size: tuple[int, ...]) -> Tensor:
        """`apply_coords` for a tensor, which stays on its device; float32."""
        scaled = coords.clone().float()
        for axis, factor in enumerate(self._scale_xy(original_size)):
            scaled[..., axis] *= factor
        return scaled

    def apply_boxes_torch(self, boxes: Tensor, original_size: tuple[int, ...]) -> Tensor:
        """`apply_boxes` for a tensor, which stays on its device; float32."""
        return self.apply_coords_torch(boxes.reshape(-1, 2, 2), original_size).reshape(-1, 4)

    @staticmethod
    def get_preprocess_shape(oldh: int, oldw: int, long_side_length: int) -> tuple[int, int]:
        """Height and width of an image scaled so that its longer side becomes `long_side_length`."""
        return InputFrame((oldh, oldw), long_side_length).resized_hw

    def _scale_xy(self, original_size: tuple[Any, ...]) -> tuple[float, float]:
        return InputFrame((original_size[0], original_size[1]), self.target_length).scale_xy
