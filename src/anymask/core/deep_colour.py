"""Colour images with 16 bits a channel, which Pillow would cut down to the upper 8 bits: 12-bit photographs
turn black.

Pillow has checked the file; OpenCV decodes it again with all bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anymask.core.arrays import AnyArray
from anymask.core.errors import ImageError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_ORIENTATION = 0x0112  # EXIF tag


def is_deep_colour(image: ImageFile) -> bool:
    """Whether the file that Pillow has opened, and not yet loaded, has several channels of 16 bits."""
    return image.mode in ("RGB", "RGBA", "LA") and any(";16" in str(tile.args) for tile in image.tile)


def decode_deep_colour(data: bytes, orientation: int) -> AnyArray:
    """The file's pixels: (H, W, 3) or (H, W, 4) uint16, red first, turned upright.

    orientation: EXIF's, 1 to 8; others count as 1. Raises ImageError if OpenCV cannot decode the file.
    """
    import cv2

    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.ndim != 3:
        raise ImageError("this kind of 16-bit colour image cannot be read; save it as PNG")
    channels = [2, 1, 0, 3][: decoded.shape[2]]
    return _upright(np.asarray(decoded)[..., channels], orientation)


def orientation_of(image: ImageFile) -> int:
    """EXIF orientation, 1 if there is none or it cannot be read."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # Pillow lets many kinds out for damaged EXIF
        return 1


def _upright(pixels: AnyArray, orientation: int) -> AnyArray:
    turned = pixels.transpose(1, 0, 2) if orientation in (5, 6, 7, 8) else pixels
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    return turned[:, ::-1] if orientation in (2, 3, 6, 7) else turned
