"""Masks of one image as numbers in an array: one pixel, one mask; the smaller one is on top."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import AnyArray
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle, decode_window, encode_window
from anymask.core.upscale import Window
from anymask.formats.checks import raster_size
from anymask.formats.contents import Contents


def number_masks(contents: Contents, values: npt.ArrayLike) -> AnyArray:
    """(H, W) array of 0 where there is no mask, else the value of the smallest mask there.

    values: (N,) whole numbers, one per record; the result has their type. Raises FormatError if the image is
    too large.
    """
    numbers = np.asarray(values)
    painted = np.zeros(raster_size(contents.image_hw), numbers.dtype)
    for place in sorted(range(len(contents.records)), key=lambda i: -contents.records[i].area):
        found = decode_window(contents.records[place].rle)
        if found is not None:
            painted[found[0].slices][found[1]] = numbers[place]
    return painted


def visible_areas(contents: Contents) -> list[int]:
    """Pixels of each record that no smaller one covers."""
    painted = number_masks(contents, np.arange(1, len(contents.records) + 1, dtype=np.uint32))
    return [_count(painted, record, value) for value, record in enumerate(contents.records, 1)]


def masks_by_value(values: AnyArray) -> dict[int, Rle]:
    """Every value of an (H, W) array but 0, in rising order, with the mask of its pixels."""
    places = np.flatnonzero(values)
    present = values.ravel()[places]
    by_value = places[np.argsort(present, kind="stable")]
    found, counts = np.unique(present, return_counts=True)
    each = np.split(by_value, np.cumsum(counts)[:-1]) if len(found) else []
    return {int(value): _rle(pixels, values.shape) for value, pixels in zip(found, each, strict=True)}


def _rle(places: npt.NDArray[np.intp], size_hw: tuple[int, ...]) -> Rle:
    """The mask of the pixels at these places (row by row), encoded in its own box."""
    rows, columns = np.divmod(places, size_hw[1])
    window = Window(int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1)
    inside = np.zeros(window.size_hw, np.bool_)
    inside[rows - window.y0, columns - window.x0] = True
    return encode_window(inside, window, (size_hw[0], size_hw[1]))


def _count(painted: AnyArray, record: MaskRecord, value: int) -> int:
    x, y, width, height = record.rle.box_xywh
    return int(np.count_nonzero(painted[y : y + height, x : x + width] == value))
