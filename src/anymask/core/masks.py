"""Masks as sets of pixels: size, box, overlap, union, difference, stability."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray, Float64Array
from anymask.core.errors import InputError

_ROOT_ERROR = 5e-7  # of a float32 root, generously; depths up to 1000 pixels stay apart


def as_mask(mask: npt.ArrayLike) -> BoolArray:
    """(H, W) of bool or numbers, where not 0 means set -> (H, W) bool.

    Raises InputError if the shape is another.
    """
    array = np.asarray(mask)
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"the mask has shape {array.shape}; expected (height, width), each at least 1")
    return array if array.dtype == np.bool_ else array != 0


def mask_area(mask: npt.ArrayLike) -> int:
    """Number of set pixels of an (H, W) mask."""
    return int(np.count_nonzero(as_mask(mask)))


def mask_box(mask: npt.ArrayLike) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of the smallest rectangle round the set pixels; x1 and y1 lie one past the last pixel.

    An empty mask gives zeros.
    """
    array = as_mask(mask)
    rows, columns = np.flatnonzero(array.any(axis=1)), np.flatnonzero(array.any(axis=0))
    if rows.size == 0:
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def iou(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Intersection over union of two (H, W) masks, in [0, 1]; 1.0 if both are empty.

    Raises InputError if the sizes differ.
    """
    one, other = _same_size(first, second)
    joint = np.count_nonzero(one | other)
    return float(np.count_nonzero(one & other) / joint) if joint else 1.0


def pairwise_iou(first: npt.ArrayLike, second: npt.ArrayLike) -> Float64Array:
    """IoU of every mask of (N, H, W) with every mask of (M, H, W): (N, M) float64; 1.0 where both are empty.

    Raises InputError if the shapes do not fit.
    """
    one, other = np.asarray(first), np.asarray(second)
    if one.ndim != 3 or other.ndim != 3 or one.shape[1:] != other.shape[1:]:
        raise InputError(f"masks have shapes {one.shape} and {other.shape}; expected (N, H, W) and (M, H, W)")
    rows, columns = (m.reshape(len(m), m[0].size if len(m) else 0) != 0 for m in (one, other))
    if not len(rows) or not len(columns):
        return np.zeros((len(rows), len(columns)))
    # float32 counts exactly up to 2**24 pixels; beyond that float64 does
    kind = np.float32 if rows.shape[1] < 2**24 else np.float64
    both = (rows.astype(kind) @ columns.astype(kind).T).astype(np.float64)
    joint = rows.sum(axis=1)[:, None] + columns.sum(axis=1)[None] - both
    overlap: Float64Array = np.divide(both, joint, out=np.ones_like(both), where=joint > 0)
    return overlap


def union(first: npt.ArrayLike, *others: npt.ArrayLike) -> BoolArray:
    """Pixels set in any of the (H, W) masks. Raises InputError if the sizes differ."""
    result = as_mask(first).copy()
    for other in others:
        result |= _same_size(result, other)[1]
    return result


def intersect(first: npt.ArrayLike, *others: npt.ArrayLike) -> BoolArray:
    """Pixels set in all of the (H, W) masks. Raises InputError if the sizes differ."""
    result = as_mask(first).copy()
    for other in others:
        result &= _same_size(result, other)[1]
    return result


def subtract(first: npt.ArrayLike, *others: npt.ArrayLike) -> BoolArray:
    """Pixels set in the first (H, W) mask and in none of the others. InputError if sizes differ."""
    result = as_mask(first).copy()
    for other in others:
        result &= ~_same_size(result, other)[1]
    return result


def stability(logits: npt.ArrayLike, threshold: float = 0.0, offset: float = 1.0) -> float:
    """Segment Anything's stability score: IoU of the masks at `threshold + offset` and `threshold - offset`.

    logits: (H, W) float. The first mask lies inside the second, so the IoU is the ratio of their areas
    (arXiv 2304.02643, appendix B). In [0, 1]; 0.0 if even the larger mask is empty.
    """
    values = np.asarray(logits)
    return stability_of_areas(
        int(np.count_nonzero(values > threshold + offset)), int(np.count_nonzero(values > threshold - offset))
    )


def stability_of_areas(strict: int, loose: int) -> float:
    """The stability score from both masks' areas in pixels; 0.0 if the looser mask is empty."""
    return strict / loose if loose else 0.0


def inside_point(mask: npt.ArrayLike) -> tuple[int, int]:
    """x, y of the set pixel farthest from the mask's edge (the image's border counts as edge).

    Of several, the first in reading order. Raises InputError if the mask is empty.
    """
    x, y, _ = deepest_pixel(mask)
    return x, y


def deepest_pixel(mask: npt.ArrayLike) -> tuple[int, int, int]:
    """x, y of `inside_point`, and the square of its distance from the nearest pixel that is not set.

    Distances are those between pixel centres; pixels beyond the image's border are not set.
    Raises InputError if the mask is empty.
    """
    import cv2

    array = as_mask(mask)
    x0, y0, x1, y1 = mask_box(array)
    if x0 == x1:
        raise InputError("the mask is empty; it has no inside point")
    part = np.pad(array[y0:y1, x0:x1].view(np.uint8), 1)
    depth = cv2.distanceTransform(part, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    deepest = float(depth.max())
    # Squared distances are whole numbers. OpenCV's roots of them are off in the last bit, in which places
    # depends on the array's size and the threads; equally deep pixels are told by a margin wider than that.
    row, column = divmod(int((depth >= deepest * (1 - _ROOT_ERROR)).argmax()), depth.shape[1])
    return x0 + column - 1, y0 + row - 1, round(deepest**2)


def _same_size(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[BoolArray, BoolArray]:
    one, other = as_mask(first), as_mask(second)
    if one.shape != other.shape:
        raise InputError(
            f"the masks have sizes {one.shape} and {other.shape}; masks of one image are expected"
        )
    return one, other
