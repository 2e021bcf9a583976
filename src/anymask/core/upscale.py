"""From a decoder's low-resolution logits to the image's own pixels, whole or only where the mask is.

Segment Anything upscales twice, both times bilinearly with half-pixel centres: (h, w) to the square model
input, whose padding is then cut off, and from there to the image (`Sam.postprocess_masks` of
segment_anything). Each step is
linear and separable, so both together are one short weighted sum per axis: an image row reads the same two or
three low-resolution rows ("taps") wherever it stands. Every output element is computed by the same operations
in the same order whatever the window, so a window equals the slice of the whole bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray, Float32Array, Float64Array, sealed
from anymask.core.errors import InputError
from anymask.core.geometry import InputFrame

_IntArray = npt.NDArray[np.intp]

_ROWS_AT_ONCE = 64  # keeps the temporaries of the row step in the CPU's cache
_ROUNDING = 1e-5  # float32 weights add up to 1 only to rounding: cells this close to a threshold count


class Window(NamedTuple):
    """A rectangle of image pixels: rows y0 <= y < y1, columns x0 <= x < x1."""

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slice for indexing an (H, W) array."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.y1 - self.y0, self.x1 - self.x0


def upscale(logits: npt.ArrayLike, frame: InputFrame) -> Float32Array:
    """Low-resolution logits (h, w) over the whole input square -> (H, W) float32 logits of the image.

    Raises InputError if `logits` is not two-dimensional.
    """
    return upscale_window(logits, frame, Window(0, frame.image_hw[0], 0, frame.image_hw[1]))


def upscale_window(logits: npt.ArrayLike, frame: InputFrame, window: Window) -> Float32Array:
    """The part of `upscale(logits, frame)` inside `window`, computed alone: (y1 - y0, x1 - x0) float32.

    Raises InputError if `logits` is not two-dimensional or the window is not inside the image.
    """
    low = low_resolution(logits)
    _check_window(window, frame.image_hw)
    rows, columns = axes(low.shape, frame)
    needed = rows.inputs_of(window.y0, window.y1)
    across = columns.read_across(low[needed], window.x0, window.x1)
    return rows.read(across, window.y0, window.y1, known_from=needed.start)


def mask_window(logits: npt.ArrayLike, frame: InputFrame, threshold: float = 0.0) -> Window | None:
    """The window outside which no image pixel of `upscale(logits, frame)` is above `threshold`.

    It holds every pixel that reads a low-resolution cell above the threshold; a pixel that reads none is a
    weighted mean of values at or below it. None if there is no such pixel.

    Raises InputError if `logits` is not two-dimensional.
    """
    low = low_resolution(logits)
    hot = low > threshold - _ROUNDING * (1.0 + abs(threshold)) if threshold else low > 0
    rows, columns = axes(low.shape, frame)
    y_range = rows.readers_of(np.flatnonzero(hot.any(axis=1)))
    x_range = columns.readers_of(np.flatnonzero(hot.any(axis=0)))
    if y_range is None or x_range is None:
        return None
    return Window(*y_range, *x_range)


def upscale_mask(
    logits: npt.ArrayLike, frame: InputFrame, threshold: float = 0.0
) -> tuple[Window, BoolArray] | None:
    """The mask `upscale(logits, frame) > threshold` as its tight window and the (h, w) bool inside it.

    None if the mask is empty. No array of the image's size is made.
    """
    window = mask_window(logits, frame, threshold)
    if window is None:
        return None
    inside = upscale_window(logits, frame, window) > threshold
    return tight(window, inside)


def tight(window: Window, inside: BoolArray) -> tuple[Window, BoolArray] | None:
    """Shrink a window and the bool array inside it to the set pixels; None if there are none."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if rows.size == 0:
        return None
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    small = Window(window.y0 + top, window.y0 + bottom, window.x0 + left, window.x0 + right)
    return small, inside[top:bottom, left:right]


@dataclass(frozen=True, eq=False)
class Axis:
    """Both bilinear steps along one axis: output i is the sum over t of weights[t, i] * input[first[i] +
    t].
    """

    first: _IntArray  # (n_out,), never decreasing
    weights: Float32Array  # (taps, n_out)

    def read(self, values: Float32Array, start: int, stop: int, *, known_from: int = 0) -> Float32Array:
        """(n, m) values -> (stop - start, m) float32: outputs start..stop along the first axis.

        values: inputs from number `known_from` on, at least those that the outputs read.
        """
        out = np.empty((stop - start, values.shape[1]), np.float32)
        for at in range(start, stop, _ROWS_AT_ONCE):
            end = min(at + _ROWS_AT_ONCE, stop)
            block = out[at - start : end - start]
            first, weights = self.first[at:end] - known_from, self.weights[:, at:end, None]
            np.multiply(values[first], weights[0], out=block)
            for tap in range(1, len(weights)):
                block += values[first + tap] * weights[tap]
        return out

    def read_across(self, values: Float32Array, start: int, stop: int) -> Float32Array:
        """As `read` along the second axis: (m, n_in) values -> (m, stop - start) float32."""
        first, weights = self.first[start:stop], self.weights[:, start:stop]
        out = np.take(values, first, axis=1)
        out *= weights[0]
        for tap in range(1, len(weights)):
            term = np.take(values, first + tap, axis=1)
            term *= weights[tap]
            out += term
        return out

    def inputs_of(self, start: int, stop: int) -> slice:
        """The inputs that outputs start..stop read."""
        if start == stop:
            return slice(0, 0)
        return slice(int(self.first[start]), int(self.first[stop - 1]) + len(self.weights))

    def readers_of(self, cells: _IntArray) -> tuple[int, int] | None:
        """The range (start, stop) of outputs that read an input from cells[0] to cells[-1]; None if there
        are none.
        """
        if cells.size == 0:
            return None
        last = self.first + len(self.weights) - 1
        start = int(np.searchsorted(last, cells[0], side="left"))
        stop = int(np.searchsorted(self.first, cells[-1], side="right"))
        return (start, stop) if start < stop else None


def axes(low_hw: tuple[int, ...], frame: InputFrame) -> tuple[Axis, Axis]:
    """How rows and columns of the image read those of logits (h, w)."""
    return (
        _axis(low_hw[0], frame.input_size, frame.resized_hw[0], frame.image_hw[0]),
        _axis(low_hw[1], frame.input_size, frame.resized_hw[1], frame.image_hw[1]),
    )


@lru_cache(maxsize=64)
def _axis(low: int, input_size: int, resized: int, image: int) -> Axis:
    """Compose low -> input_size, cut to `resized`, -> image."""
    near, far, fraction = _bilinear(resized, image)
    low_near, low_far, low_fraction = _bilinear(low, input_size)
    cells = np.stack([low_near[near], low_far[near], low_near[far], low_far[far]])
    shares = np.stack(
        [
            (1 - fraction) * (1 - low_fraction[near]),
            (1 - fraction) * low_fraction[near],
            fraction * (1 - low_fraction[far]),
            fraction * low_fraction[far],
        ]
    )
    first = cells.min(axis=0)
    taps = int((cells - first).max()) + 1
    # At the far end, read earlier cells with weight 0 and not beyond the array.
    first = np.minimum(first, low - taps)
    weights = np.zeros((taps, image))
    for cell, share in zip(cells, shares, strict=True):
        weights[cell - first, np.arange(image)] += share
    return Axis(sealed(first), sealed(weights.astype(np.float32)))


def _bilinear(size_in: int, size_out: int) -> tuple[_IntArray, _IntArray, Float64Array]:
    """Neighbours and the share of the far one, for each output, as torch's interpolate (align_corners=False).

    Positions are rounded to float32 once, as torch's fused multiply-add does; in float64 they would differ by
    up to 1e-4 of a pixel in wide images, and the logits with them.
    """
    scale = np.float64(np.float32(size_in) / np.float32(size_out))
    position = np.maximum(((np.arange(size_out) + 0.5) * scale - 0.5).astype(np.float32), np.float32(0))
    near = np.minimum(position.astype(np.intp), size_in - 1)
    far = np.minimum(near + 1, size_in - 1)
    fraction = np.clip(position - near.astype(np.float32), 0, 1).astype(np.float64)
    return near, far, fraction


def low_resolution(logits: npt.ArrayLike) -> Float32Array:
    """Logits as (h, w) float32. Raises InputError if they are not two-dimensional."""
    low = np.asarray(logits, dtype=np.float32)
    if low.ndim != 2 or low.size == 0:
        raise InputError(f"low-resolution logits have shape {low.shape}; one mask (h, w) is expected")
    return low


def _check_window(window: Window, image_hw: tuple[int, int]) -> None:
    inside = 0 <= window.y0 <= window.y1 <= image_hw[0] and 0 <= window.x0 <= window.x1 <= image_hw[1]
    if not inside:
        raise InputError(
            f"{window} is not inside the image of {image_hw[0]} x {image_hw[1]} pixels (height x width)"
        )
