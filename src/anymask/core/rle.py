"""COCO's compressed run-length encoding (RLE) of masks.

Runs go down the columns and start with the zeros; counts are written as text, 5 bits a character, from the
third run on as the difference to the run two before (`maskApi.c` of the COCO API).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray
from anymask.core.errors import FormatError, InputError
from anymask.core.upscale import Window, tight

_MAX_PIXELS = 2**31 - 1  # pycocotools counts in 32-bit numbers


@dataclass(frozen=True)
class Rle:
    """One mask as COCO compressed RLE.

    size_hw: height and width of the mask, pixels, each >= 1.
    counts: the compressed runs, ASCII text.

    Raises FormatError unless the runs are well formed and cover exactly height x width pixels: pycocotools
    would read or write out of bounds.
    """

    size_hw: tuple[int, int]
    counts: str

    def __post_init__(self) -> None:
        _check_size(self.size_hw)
        object.__setattr__(self, "size_hw", (int(self.size_hw[0]), int(self.size_hw[1])))
        runs_of(self.counts, self.size_hw)

    @property
    def area(self) -> int:
        """Number of set pixels."""
        return int(runs_of(self.counts, self.size_hw)[1::2].sum())

    @property
    def box_xywh(self) -> tuple[int, int, int, int]:
        """x, y, width, height of the smallest rectangle round the set pixels; zeros if the mask is empty."""
        from pycocotools import mask as coco_mask

        x, y, width, height = coco_mask.toBbox(self.to_coco())
        return int(x), int(y), int(width), int(height)

    def to_coco(self) -> dict[str, Any]:
        """The dictionary form that COCO files and pycocotools use."""
        return {"size": list(self.size_hw), "counts": self.counts}

    @classmethod
    def from_coco(cls, value: Any) -> Rle:
        """Read `{"size": [h, w], "counts": text, bytes or a list of runs}`.

        Raises FormatError if it is anything else.
        """
        if not isinstance(value, Mapping) or not {"size", "counts"} <= set(value):
            raise FormatError(
                f"{_brief(value)} is not an RLE; expected {{'size': [height, width], 'counts': ...}}"
            )
        size, counts = value["size"], value["counts"]
        _check_size(size)
        size_hw = (int(size[0]), int(size[1]))
        if isinstance(counts, bytes):
            return cls(size_hw, counts.decode("ascii", "replace"))
        if isinstance(counts, str):
            return cls(size_hw, counts)
        return from_runs(_whole_numbers(counts), size_hw)


def encode(mask: npt.ArrayLike) -> Rle:
    """(H, W) bool (or numbers, where not 0 means set) -> Rle. Raises InputError if the shape is another."""
    from pycocotools import mask as coco_mask

    array = np.asarray(mask)
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"the mask has shape {array.shape}; expected (height, width), each at least 1")
    encoded = coco_mask.encode(np.asfortranarray(array != 0).view(np.uint8))
    return Rle((array.shape[0], array.shape[1]), encoded["counts"].decode("ascii"))


def decode(rle: Rle) -> BoolArray:
    """Rle -> (H, W) bool."""
    runs = runs_of(rle.counts, rle.size_hw)
    height, width = rle.size_hw
    down_the_columns = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return np.ascontiguousarray(down_the_columns.reshape(width, height).T)


def decode_window(rle: Rle) -> tuple[Window, BoolArray] | None:
    """The mask's tight window and the (h, w) bool inside it; None if it is empty.

    Only the columns that the mask reaches are unrolled, not the whole image.
    """
    runs = runs_of(rle.counts, rle.size_hw)
    ends = np.cumsum(runs)
    starts, stops = ends[0::2][: len(runs) // 2], ends[1::2]
    filled = np.flatnonzero(stops > starts)
    if filled.size == 0:
        return None
    height = rle.size_hw[0]
    left, right = int(starts[filled[0]]) // height, int(stops[filled[-1]] - 1) // height + 1
    # Where values change, counted from the top of the first column that is reached.
    changes = np.clip(ends, left * height, right * height) - left * height
    unrolled = np.zeros((right - left) * height, np.bool_)
    lengths = np.diff(changes, prepend=0)
    unrolled[: changes[-1]] = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    columns = unrolled.reshape(right - left, height).T
    return tight(Window(0, height, left, right), columns)


def encode_window(inside: npt.ArrayLike, window: Window, size_hw: tuple[int, int]) -> Rle:
    """The mask of size `size_hw` that is `inside` (bool, the window's size) in `window` and empty elsewhere
    -> Rle.

    Only the window is looked at, so the cost does not grow with the image.
    Raises InputError if sizes do not fit.
    """
    part = np.asarray(inside, dtype=bool)
    if part.shape != window.size_hw or window.y1 > size_hw[0] or window.x1 > size_hw[1] or min(window) < 0:
        raise InputError(
            f"{part.shape} pixels do not fill {window} inside {size_hw[0]} x {size_hw[1]} pixels"
        )
    height, width = part.shape
    padded = np.zeros((width, height + 2), np.int8)
    padded[:, 1:-1] = part.T
    column, row = np.nonzero(padded[:, 1:] != padded[:, :-1])
    change = (column + window.x0) * size_hw[0] + row + window.y0  # ends of runs, counted down the columns
    starts, stops = change[0::2], change[1::2]
    joined = starts[1:] == stops[:-1]  # a run that reaches the bottom goes on at the top of the next column
    starts, stops = np.delete(starts, np.flatnonzero(joined) + 1), np.delete(stops, np.flatnonzero(joined))
    ends = np.column_stack([starts, stops]).ravel()
    return from_runs(np.diff(ends, prepend=0, append=size_hw[0] * size_hw[1]), size_hw)


def from_runs(runs: npt.ArrayLike, size_hw: tuple[int, int]) -> Rle:
    """Lengths of the runs down the columns, zeros first -> Rle.

    Raises FormatError unless they are whole numbers >= 0 that add up to height x width.
    """
    from pycocotools import mask as coco_mask

    _check_size(size_hw)
    lengths = np.asarray(runs, dtype=np.int64)
    _check_runs(lengths, size_hw)
    if len(lengths) > 1 and lengths[-1] == 0:
        lengths = lengths[:-1]  # as pycocotools writes it: no empty run at the end
    encoded = coco_mask.frPyObjects({"size": list(size_hw), "counts": lengths.tolist()}, *size_hw)
    return Rle((int(size_hw[0]), int(size_hw[1])), encoded["counts"].decode("ascii"))


def runs_of(counts: str, size_hw: tuple[int, int]) -> npt.NDArray[np.int64]:
    """The run lengths behind compressed `counts`: (n,) int64, zeros first.

    Raises FormatError if the text is not a well-formed RLE of height x width pixels.
    """
    if not isinstance(counts, str) or not counts or not counts.isascii():
        raise FormatError(f"RLE counts {_brief(counts)} are not text in COCO's compressed form")
    codes = np.frombuffer(counts.encode("ascii"), np.uint8).astype(np.int64) - 48
    if codes.min() < 0 or codes.max() > 63 or codes[-1] & 32:
        raise FormatError(
            f"RLE counts {_brief(counts)} hold characters that COCO's compressed form does not have"
        )
    ends = np.flatnonzero((codes & 32) == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 7:
        raise FormatError(f"RLE counts {_brief(counts)} hold a run longer than any image")
    shift = 5 * (np.arange(len(codes)) - np.repeat(starts, lengths))
    values = np.add.reduceat((codes & 31) << shift, starts)
    values -= np.where(codes[ends] & 16, np.int64(1) << (5 * lengths), 0)
    # The first run of zeros, and the first two of what follows, are plain; later ones are differences.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    _check_runs(values, size_hw)
    return values


def _check_runs(runs: npt.NDArray[np.int64], size_hw: tuple[int, int]) -> None:
    pixels = size_hw[0] * size_hw[1]
    if runs.ndim != 1 or runs.size == 0 or runs.min() < 0 or runs.max() > pixels or runs.sum() != pixels:
        raise FormatError(
            f"the RLE's runs do not cover {size_hw[0]} x {size_hw[1]} pixels exactly; "
            "the mask belongs to another image size or is damaged"
        )


def _check_size(size: Any) -> None:
    pair = isinstance(size, (list, tuple)) and len(size) == 2
    if not pair or not all(
        isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 1 for n in size
    ):
        raise FormatError(f"RLE size {_brief(size)} is not [height, width] in whole pixels")
    if size[0] * size[1] > _MAX_PIXELS:
        raise FormatError(f"RLE size {_brief(size)} has more than {_MAX_PIXELS} pixels")


def _whole_numbers(counts: Any) -> npt.NDArray[np.int64]:
    if not isinstance(counts, (list, tuple)) or not all(
        type(n) is int and abs(n) <= _MAX_PIXELS for n in counts
    ):
        raise FormatError(f"RLE counts {_brief(counts)} are neither text nor a list of whole numbers")
    return np.array(counts, dtype=np.int64)


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
