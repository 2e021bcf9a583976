"""The parts of a prompt, however they were given, as checked arrays; or a PromptError that says what is
wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from anymask.core.arrays import AnyArray, BoolArray, Float32Array, Int8Array, read_only, sealed
from anymask.core.errors import PromptError
from anymask.core.strokes import scribble_to_points

_STROKE_SPACING = 1 / 16  # of the image's longer side


def no_points() -> Float32Array:
    """(0, 2) float32."""
    return np.zeros((0, 2), np.float32)


def inside_image(points_xy: Float32Array, image_hw: tuple[int, int]) -> BoolArray:
    """(N,) bool: whether each point lies inside the image or on its border."""
    x, y = points_xy[:, 0], points_xy[:, 1]
    inside: BoolArray = (x >= 0) & (y >= 0) & (x <= image_hw[1]) & (y <= image_hw[0])
    return inside


def _array(values: Any, what: str, each: str) -> AnyArray:
    """An array of numbers, or a PromptError: lists of unequal length and text end here."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise PromptError(
            f"{what} {_brief(values)} are not numbers of one shape; give each as {each}"
        ) from error


def number_rows(values: Any, columns: int, what: str, each: str) -> Float32Array:
    """(N, columns) finite float32; no values at all give (0, columns)."""
    array = _array(values, what, each)
    if array.size == 0:
        return sealed(np.zeros((0, columns), np.float32))
    if array.ndim != 2 or array.shape[1] != columns:
        raise PromptError(f"{what} have shape {array.shape}; give each as {each}, in all (n, {columns})")
    for row in array[~(np.abs(array) < np.finfo(np.float32).max).all(axis=1)][:1]:
        raise PromptError(f"{what} hold {_tuple(row)}; give finite numbers")
    return sealed(array.astype(np.float32))


def label_values(values: Any, count: int) -> Int8Array:
    """(count,) int8 of 0 and 1."""
    array = _array(values, "labels", "1 (on the object) or 0 (off it)")
    if array.ndim != 1 or len(array) != count:
        raise PromptError(f"labels have shape {array.shape} for {count} points; give one label per point")
    for label in array[(array != 0) & (array != 1)][:1]:
        raise PromptError(f"label {label:g} is not known; give 1 (on the object) or 0 (off it)")
    return sealed(array.astype(np.int8))


def box_rows(values: Any) -> Float32Array:
    """(M, 4) float32 x0, y0, x1, y1, each with an area."""
    boxes = number_rows(values, 4, "boxes", "(x0, y0, x1, y1)")
    for x0, y0, x1, y1 in boxes[(boxes[:, 0] >= boxes[:, 2]) | (boxes[:, 1] >= boxes[:, 3])][:1]:
        reversed_corners = x0 > x1 or y0 > y1
        kind = "has its corners the wrong way round" if reversed_corners else "has no area"
        hint = " (x, y, width, height?)" if reversed_corners else ""
        raise PromptError(
            f"box {_tuple((x0, y0, x1, y1))} {kind}; give x0, y0, x1, y1 with x0 < x1 and y0 < y1{hint}"
        )
    return boxes


def low_resolution_logits(values: Any) -> Float32Array:
    """One finite (h, w) float32 array; (1, h, w) is taken, too."""
    array = _array(values, "mask logits", "low-resolution logits (h, w)")
    array = array[0] if array.ndim == 3 and len(array) == 1 else array
    if array.ndim != 2 or array.size == 0:
        raise PromptError(f"mask logits have shape {array.shape}; give one low-resolution mask (h, w)")
    if not np.isfinite(array).all():
        raise PromptError("mask logits hold NaN or infinite values; give the logits of an earlier prediction")
    return sealed(array.astype(np.float32))


def bool_mask(values: Any) -> BoolArray:
    """(H, W) bool with at least one pixel set."""
    array = np.asarray(values)
    if array.ndim != 2 or array.dtype != np.bool_:
        raise PromptError(
            f"the mask is {array.dtype} {array.shape}; a Prompt holds bool (H, W): use Prompt.of"
        )
    if not array.any():
        raise PromptError("the mask is empty; mark at least one pixel or leave the mask out")
    return read_only(array)


def points_and_labels(points: Any, labels: Any) -> tuple[Float32Array, Int8Array]:
    """(N, 2) float32 and (N,) int8 from points that may carry their labels."""
    if points is None:
        if labels is not None:
            raise PromptError(f"labels {_brief(labels)} are given without points; give points, too")
        return no_points(), np.zeros(0, np.int8)
    rows = _rows(points)
    with_label = [len(row) == 3 for row in rows]
    for row in rows:
        if len(row) not in (2, 3):
            raise PromptError(f"point {_tuple(row)} has {len(row)} numbers; give (x, y) or (x, y, label)")
    if labels is not None and any(with_label):
        raise PromptError("labels are given twice, inside the points and as labels; give them once")
    xy = np.array([row[:2] for row in rows], np.float64).reshape(-1, 2)
    if labels is None:
        labels = [row[2] if len(row) == 3 else 1 for row in rows]
    return number_rows(xy, 2, "points", "(x, y)"), label_values(
        np.atleast_1d(_array(labels, "labels", "0 or 1")), len(rows)
    )


def _rows(points: Any) -> list[list[float]]:
    """One point or several, with or without label, as lists of numbers."""
    try:
        items = [points] if np.ndim(points) == 1 and len(points) in (2, 3) else list(points)
    except ValueError:  # (x, y) and (x, y, label) mixed have no common shape
        items = list(points)
    except TypeError:
        raise PromptError(
            f"points {_brief(points)} are not points; give each as (x, y) or (x, y, label)"
        ) from None
    try:
        return [[float(number) for number in item] for item in items]
    except (TypeError, ValueError):
        raise PromptError(
            f"points {_brief(points)} are not numbers; give each as (x, y) or (x, y, label)"
        ) from None


def boxes_within(box: Any, boxes: Any, image_hw: tuple[int, int]) -> Float32Array:
    """`box` and `boxes` together, cut off at the image's border; boxes quite outside stay as given."""
    one: Any = [] if box is None else np.atleast_2d(_array(box, "box", "(x0, y0, x1, y1)"))
    more: Any = [] if boxes is None else np.atleast_2d(_array(boxes, "boxes", "(x0, y0, x1, y1)"))
    each = [box_rows(part) for part in (one, more)]
    given = np.concatenate(each)
    height, width = image_hw
    limits = np.array([width, height, width, height], np.float32)
    cut = np.clip(given, 0, limits)
    some_area = (cut[:, 0] < cut[:, 2]) & (cut[:, 1] < cut[:, 3])
    return np.where(some_area[:, None], cut, given)


def stroke_points(scribble: Any, image_hw: tuple[int, int]) -> Float32Array:
    """(N, 2) float32 along one stroke or several."""
    try:
        many = np.ndim(scribble[0][0]) > 0
    except (TypeError, IndexError, KeyError, ValueError):
        many = False
    strokes = scribble if many else [scribble]
    spacing = max(image_hw) * _STROKE_SPACING
    return np.concatenate([scribble_to_points(stroke, spacing=spacing) for stroke in strokes])


def mask_or_logits(
    mask: Any, polygon: Any, previous: Any, image_hw: tuple[int, int]
) -> tuple[Float32Array | None, BoolArray | None]:
    """Low-resolution logits or an image mask, whichever of the three arguments gives one."""
    if sum(value is not None for value in (mask, polygon, previous)) > 1:
        raise PromptError("mask, polygon and previous all say where the mask is; give one of them")
    if previous is not None:
        return previous_logits(previous), None
    if mask is None:
        return None, None
    try:
        array = np.asarray(mask)
    except ValueError as error:  # lists of unequal length
        raise PromptError(
            f"the mask {_brief(mask)} is not an array; give (H, W) of the image's size"
        ) from error
    if array.ndim == 3 and 1 in (array.shape[0], array.shape[2]):
        array = array[0] if array.shape[0] == 1 else array[..., 0]
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "buif":
        raise PromptError(
            f"the mask is {array.dtype} {array.shape}; give (H, W) of the image's size or logits (h, w)"
        )
    if array.dtype.kind == "f" and not _two_valued(array, image_hw):
        return _logits_not_picture(array, image_hw), None
    return None, _image_mask(array, image_hw)


def _two_valued(array: AnyArray, image_hw: tuple[int, int]) -> bool:
    """Whether floats are a mask of the image's size (0/1 or 0/255) rather than logits."""
    return array.shape == tuple(image_hw) and bool(
        np.isin(array, (0, 1)).all() or np.isin(array, (0, 255)).all()
    )


def _logits_not_picture(array: AnyArray, image_hw: tuple[int, int]) -> Float32Array:
    if array.shape == tuple(image_hw) and array.shape[0] != array.shape[1]:
        raise PromptError(
            f"the mask holds floats from {np.nanmin(array):g} to {np.nanmax(array):g} at the image's size; "
            "compare with a threshold first (mask > 0), or give low-resolution logits as previous"
        )
    return low_resolution_logits(array)


def _image_mask(array: AnyArray, image_hw: tuple[int, int]) -> BoolArray:
    if array.shape != tuple(image_hw):
        raise PromptError(
            f"the mask has {array.shape[1]} x {array.shape[0]} pixels, the image "
            f"{image_hw[1]} x {image_hw[0]}; give a mask of its size (low-resolution logits are floats)"
        )
    values = np.unique(array) if array.dtype != np.bool_ else np.array([0, 1])
    if not set(values.tolist()) <= {0, 1} and not set(values.tolist()) <= {0, 255}:
        raise PromptError(
            f"the mask holds {len(values)} values from {values[0]} to {values[-1]}; give bool, 0/1 or 0/255 "
            "(of a label map, one object: labels == 3)"
        )
    return bool_mask(array != 0)


def previous_logits(previous: Any) -> Float32Array:
    """The low-resolution logits of a Prediction's best candidate, of a Candidate, or as given."""
    from anymask.core.prediction import Candidate, Prediction

    if isinstance(previous, Prediction):
        return previous.best.low_res_logits
    return previous.low_res_logits if isinstance(previous, Candidate) else low_resolution_logits(previous)


def _tuple(values: Any) -> str:
    return "(" + ", ".join(f"{float(v):g}" for v in values) + ")"


def _brief(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
