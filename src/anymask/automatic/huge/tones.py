"""One scale for a whole huge image: numbers of any type to 8 bits, by the rules of `load_image`.

Windows stretched one by one would differ at their seams.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from anymask.core.arrays import AnyArray, UInt8Array
from anymask.core.errors import ImageError

_PERCENTILES = (0.1, 99.9)
_MOST_VALUES = 2**24  # of larger images the percentiles are those of every k-th value
_LARGEST = 1e38  # differences of such numbers still fit into float32


@dataclass(frozen=True)
class Tones:
    """low, high: the values that become 0 and 255. None: values are 0 to 255 already.

    lowest, highest: finite values of the image, which NaN and -inf, and +inf count as.
    """

    low: float | None = None
    high: float | None = None
    lowest: float = 0.0
    highest: float = 255.0

    def apply(self, values: AnyArray) -> UInt8Array:
        """Numbers of any real type -> uint8 of the same shape."""
        if values.dtype == np.uint8:
            return values
        wide = values.astype(np.float64)
        if values.dtype.kind == "f":
            np.nan_to_num(wide, copy=False, nan=self.lowest, neginf=self.lowest, posinf=self.highest)
            np.clip(wide, -_LARGEST, _LARGEST, out=wide)
        if self.low is None or self.high is None:
            return wide.astype(np.uint8)
        if self.low >= self.high:
            return np.zeros(values.shape, np.uint8)
        wide -= self.low
        with np.errstate(over="ignore"):  # far outside a tiny range: clipped next
            wide /= self.high - self.low
            wide *= 255
        np.clip(wide, 0, 255, out=wide)
        np.rint(wide, out=wide)
        scaled: UInt8Array = wide.astype(np.uint8)
        return scaled


def tones_of(strips: Iterable[AnyArray], total: int) -> Tones:
    """The scale of an image that comes in strips of `total` values together, all of one type.

    Raises ImageError if no value is finite.
    """
    sample, lowest, highest, whole = [], np.inf, -np.inf, True
    step = -(-total // _MOST_VALUES)
    offset = 0
    for strip in strips:
        if strip.dtype == np.uint8:
            return Tones()
        flat = strip.ravel()
        sample.append(flat[offset % step :: step].copy())
        offset -= flat.size
        known = flat[np.isfinite(flat)] if flat.dtype.kind == "f" else flat
        if known.size:
            lowest, highest = min(lowest, float(known.min())), max(highest, float(known.max()))
            whole = whole and (known.dtype.kind in "iu" or bool((known == np.floor(known)).all()))
    if highest < lowest:
        raise ImageError("the image holds no finite number (all NaN or infinite)")
    is_float = sample[0].dtype.kind == "f"
    if lowest >= 0 and highest <= 255 and whole and not (is_float and highest <= 1):
        return Tones(None, None, lowest, highest)
    if is_float and lowest >= 0 and highest <= 1:
        return Tones(0.0, 1.0, lowest, highest)
    return _stretch(np.concatenate(sample), max(lowest, -_LARGEST), min(highest, _LARGEST))


def _stretch(values: AnyArray, lowest: float, highest: float) -> Tones:
    if values.dtype.kind == "f":
        values = np.clip(np.nan_to_num(values, nan=lowest, neginf=lowest, posinf=highest), lowest, highest)
    low, high = (float(p) for p in np.percentile(values, _PERCENTILES))
    if low >= high:  # almost everything has one value: use what range there is
        low, high = lowest, highest
    return Tones(low, high, lowest, highest)
