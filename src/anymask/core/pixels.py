"""Numbers of any type to 8-bit RGB: ranges, not-a-number, channels, transparency."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import AnyArray, Float32Array, UInt8Array, sealed
from anymask.core.errors import ImageError

_PERCENTILES = (0.1, 99.9)
_LARGEST = 1e38  # differences of such numbers still fit into float32


def array_to_rgb(array: AnyArray, max_pixels: int) -> UInt8Array:
    """(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of bool, integers or floats -> (H, W, 3) uint8, read-only.

    The rules for values are those of `load_image`.
    Raises ImageError if shape or type is another, there are too many pixels, or no value is finite.
    """
    _check_array(array, max_pixels)
    channels = array if array.ndim == 3 else array[..., None]
    colour = to_uint8(channels[..., :3])
    if channels.shape[2] == 4:
        colour = _over_white(colour, _alpha(channels[..., 3]))
    if colour.shape[2] == 1:
        colour = np.repeat(colour, 3, axis=2)
    return sealed(colour.copy() if np.may_share_memory(colour, array) else colour)


def to_uint8(values: AnyArray) -> UInt8Array:
    """Numbers of any real type -> uint8 of the same shape, by the rules of `load_image`.

    Raises ImageError if no value is finite.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    finite = values if values.dtype.kind in "iu" else _finite(values)
    lowest, highest = finite.min(), finite.max()
    if lowest >= 0 and highest <= 255 and _whole(finite):
        return finite.astype(np.uint8)
    if finite.dtype.kind == "f" and lowest >= 0 and highest <= 1:
        return _scaled(finite, 0.0, 1.0)
    low, high = (float(p) for p in np.percentile(finite, _PERCENTILES))
    if low == high:  # almost everything has one value: use what range there is
        low, high = float(lowest), float(highest)
    return _scaled(finite, low, high)


def check_pixel_count(image_hw: tuple[int, int], max_pixels: int, what: str) -> None:
    """Raise ImageError if the image has no pixel or more than `max_pixels`; `what` names it."""
    height, width = image_hw
    if height < 1 or width < 1:
        raise ImageError(f"{what} has no pixels ({width} x {height})")
    if height * width > max_pixels:
        raise ImageError(
            f"{what} has {width} x {height} = {height * width:,} pixels, more than the limit of "
            f"{max_pixels:,}; make it smaller or raise max_pixels"
        )


def _check_array(array: AnyArray, max_pixels: int) -> None:
    if array.dtype.kind not in "buif":
        raise ImageError(f"the array holds {array.dtype}; an image holds bool, integers or floats")
    fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if not fits:
        raise ImageError(f"the array has shape {array.shape}; {_shape_advice(array.shape)}")
    check_pixel_count((array.shape[0], array.shape[1]), max_pixels, "the array")


def _shape_advice(shape: tuple[int, ...]) -> str:
    if len(shape) == 3 and shape[0] in (1, 3, 4):
        return "channels come last: array.transpose(1, 2, 0)"
    if len(shape) == 4:
        return "give one image at a time"
    return "expected (height, width), or (height, width, channels) with 1, 3 or 4 channels"


def _finite(values: AnyArray) -> AnyArray:
    """Floats without NaN and infinities, and small enough to be subtracted from each other."""
    known = np.isfinite(values)
    if not known.any():
        raise ImageError("the image holds no finite number (all NaN or infinite)")
    lowest, highest = values[known].min(), values[known].max()
    if not known.all():
        values = np.nan_to_num(values, nan=lowest, neginf=lowest, posinf=highest)
    huge = values.dtype.itemsize > 2 and max(-lowest, highest) > _LARGEST
    return np.clip(values, -_LARGEST, _LARGEST) if huge else values


def _whole(values: AnyArray) -> bool:
    """Whether all are whole numbers, and more than 0 and 1 where floats could mean that range."""
    if values.dtype.kind in "iu":
        return True
    return bool(values.max() > 1 and (values == np.floor(values)).all())


def _scaled(values: AnyArray, low: float, high: float) -> UInt8Array:
    if low == high:
        return np.zeros(values.shape, np.uint8)
    wide = _in_floats(values) - low
    wide *= 255.0 / (high - low)
    np.clip(wide, 0, 255, out=wide)
    np.rint(wide, out=wide)
    return wide.astype(np.uint8)


def _in_floats(values: AnyArray) -> npt.NDArray[np.floating[Any]]:
    small = values.dtype.itemsize <= 4
    return values.astype(np.float32) if small else values.astype(np.float64)


def _alpha(values: AnyArray) -> Float32Array:
    """(H, W) of any type -> (H, W, 1) float32 in [0, 1], by the rules of `load_image`."""
    known = np.nan_to_num(values.astype(np.float64), nan=0.0)
    opaque = _opaque(values.dtype, float(known.max()))
    share: Float32Array = np.clip(known / opaque, 0, 1).astype(np.float32)
    return share[..., None]


def _opaque(dtype: np.dtype[Any], highest: float) -> float:
    """The alpha that lets nothing through, for channels that may hold less than their type could."""
    if dtype.kind in "fb" and highest <= 1:
        return 1.0
    return next((full for full in (255.0, 65535.0) if highest <= full), highest)


def _over_white(colour: UInt8Array, alpha: Float32Array) -> UInt8Array:
    if (alpha == 1).all():
        return colour
    blended: Float32Array = np.rint(colour * alpha + 255 * (1 - alpha))
    return blended.astype(np.uint8)
