"""What a person points at: clicks, boxes, a mask, or any mixture of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import AnyArray, BoolArray, Float32Array, Int8Array, read_only, sealed
from anymask.core.errors import PromptError
from anymask.core.strokes import polygon_to_prompt, scribble_to_points

if TYPE_CHECKING:
    from anymask.core.prediction import Candidate, Prediction

Previous: TypeAlias = "Prediction | Candidate | npt.ArrayLike"

_STROKE_SPACING = 1 / 16  # of the image's longer side


def _no_points() -> Float32Array:
    return np.zeros((0, 2), np.float32)


@dataclass(frozen=True, eq=False)
class Prompt:
    """One object, pointed at in the pixels of the original image.

    points_xy: (N, 2) float32, x and y; the pixel in column 3 covers x from 3 to 4.
    labels: (N,) int8, 1 for a point on the object, 0 for one off it.
    boxes_xyxy: (M, 4) float32, x0, y0, x1, y1 with x0 < x1 and y0 < y1.
    mask_logits: (h, w) float32 low-resolution logits of an earlier prediction, in the model's input frame; or
        None.
    mask: (H, W) bool in the frame of the image, True on the object; or None. The predictor turns it into
        logits of the model's `mask_size` with `mask_to_logits`.

    All arrays are read-only. Every mixture is legal, except that at most one of `mask_logits` and `mask` is
    given. Raises PromptError, with the offending value, if something is not as stated or nothing is given.
    """

    points_xy: Float32Array = field(default_factory=_no_points)
    labels: Int8Array = field(default_factory=lambda: np.zeros(0, np.int8))
    boxes_xyxy: Float32Array = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    mask_logits: Float32Array | None = None
    mask: BoolArray | None = None

    def __post_init__(self) -> None:
        points = _numbers(self.points_xy, 2, "points", "(x, y)")
        object.__setattr__(self, "points_xy", points)
        object.__setattr__(self, "labels", _labels(self.labels, len(points)))
        object.__setattr__(self, "boxes_xyxy", _boxes(self.boxes_xyxy))
        if self.mask_logits is not None and self.mask is not None:
            raise PromptError("both a mask and previous logits are given; a model takes one of them")
        if self.mask_logits is not None:
            object.__setattr__(self, "mask_logits", _logits(self.mask_logits))
        if self.mask is not None:
            object.__setattr__(self, "mask", _bool_mask(self.mask))
        if not len(points) and not len(self.boxes_xyxy) and self.mask_logits is None and self.mask is None:
            raise PromptError("the prompt is empty; give at least one point, box, mask, scribble or polygon")

    @classmethod
    def of(
        cls,
        image_hw: tuple[int, int],
        *,
        points: npt.ArrayLike | Sequence[Sequence[float]] | None = None,
        labels: npt.ArrayLike | None = None,
        box: npt.ArrayLike | None = None,
        boxes: npt.ArrayLike | None = None,
        mask: npt.ArrayLike | None = None,
        scribble: Any = None,
        polygon: npt.ArrayLike | None = None,
        previous: Previous | None = None,
    ) -> Prompt:
        """Build a prompt from whatever is at hand, checked against the image.

        image_hw: height and width of the image, pixels.
        points: one point or several, each (x, y) or (x, y, label); without a label a point is on the object.
        labels: one per point, 1 on the object, 0 off it (not together with labels inside `points`).
        box, boxes: x0, y0, x1, y1, one or several; what reaches over the image's border is cut off.
        mask: (H, W) bool, 0/1 or 0/255 of the image's size, or float low-resolution logits (h, w).
        scribble: a brush stroke on the object, (N, 2) vertices, or a list of strokes.
        polygon: a lasso round the object, (N, 2) vertices: a mask and a point deep inside.
        previous: an earlier Prediction or Candidate, or its low-resolution logits (h, w), to be refined.

        Raises PromptError with the offending value: wrong shape, NaN, a point outside the image, an empty or
        reversed box, a label other than 0 and 1, an empty mask, or no prompt at all.
        """
        points_xy, point_labels = _points_and_labels(points, labels)
        if scribble is not None:
            strokes = _stroke_points(scribble, image_hw)
            points_xy = np.concatenate([points_xy, strokes])
            point_labels = np.concatenate([point_labels, np.ones(len(strokes), np.int8)])
        logits, image_mask = _one_mask(mask, polygon, previous, image_hw)
        if polygon is not None:
            image_mask, inside = polygon_to_prompt(polygon, image_hw)
            points_xy = np.concatenate([points_xy, np.array([inside], np.float32)])
            point_labels = np.concatenate([point_labels, np.ones(1, np.int8)])
        prompt = cls(points_xy, point_labels, _boxes_within(box, boxes, image_hw), logits, image_mask)
        prompt.check_inside(image_hw)
        return prompt

    @classmethod
    def click(cls, x: float, y: float, label: int = 1) -> Prompt:
        """One point at x, y of the image: on the object (label 1) or off it (label 0)."""
        return cls(points_xy=np.array([[x, y]], np.float32), labels=np.array([label]))

    @classmethod
    def box(cls, x0: float, y0: float, x1: float, y1: float) -> Prompt:
        """One box, left, top, right, bottom in pixels of the image."""
        return cls(boxes_xyxy=np.array([[x0, y0, x1, y1]], np.float32))

    def with_click(self, x: float, y: float, label: int = 1, *, previous: Previous | None = None) -> Prompt:
        """This prompt and one more point; `previous` (as in `of`) replaces the mask that is fed back."""
        points = np.concatenate([self.points_xy, np.array([[x, y]], np.float32)])
        changed = replace(self, points_xy=points, labels=np.append(self.labels, label))
        return changed if previous is None else changed.with_previous(previous)

    def with_previous(self, previous: Previous) -> Prompt:
        """This prompt with an earlier result (as in `of`) fed back in place of its mask."""
        return replace(self, mask_logits=_previous_logits(previous), mask=None)

    def check_inside(self, image_hw: tuple[int, int]) -> None:
        """Raise PromptError if a point or box lies outside an image of this size, or the mask does not fit.

        Points on the border (x = width, y = height) are inside; a box must share some area with the image.
        """
        height, width = image_hw
        for x, y in self.points_xy[~_within(self.points_xy, image_hw)][:1]:
            hint = (
                "; x comes first, not (y, x)"
                if 0 <= y <= width and 0 <= x <= height
                else "; give x, y in pixels"
            )
            raise PromptError(f"point ({x:g}, {y:g}) is outside the image of {width} x {height} pixels{hint}")
        for x0, y0, x1, y1 in self.boxes_xyxy:
            if x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
                raise PromptError(
                    f"box ({x0:g}, {y0:g}, {x1:g}, {y1:g}) is outside the image of "
                    f"{width} x {height} pixels; give x0, y0, x1, y1 in pixels"
                )
        if self.mask is not None and self.mask.shape != (height, width):
            raise PromptError(
                f"the mask has {self.mask.shape[1]} x {self.mask.shape[0]} pixels, the image "
                f"{width} x {height}; give a mask of the image's size"
            )


def _within(points_xy: Float32Array, image_hw: tuple[int, int]) -> BoolArray:
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


def _numbers(values: Any, columns: int, what: str, each: str) -> Float32Array:
    """(N, columns) finite float32; no values at all give (0, columns)."""
    array = _array(values, what, each)
    if array.size == 0:
        return sealed(np.zeros((0, columns), np.float32))
    if array.ndim != 2 or array.shape[1] != columns:
        raise PromptError(f"{what} have shape {array.shape}; give each as {each}, in all (n, {columns})")
    for row in array[~(np.abs(array) < np.finfo(np.float32).max).all(axis=1)][:1]:
        raise PromptError(f"{what} hold {_tuple(row)}; give finite numbers")
    return sealed(array.astype(np.float32))


def _labels(values: Any, count: int) -> Int8Array:
    array = _array(values, "labels", "1 (on the object) or 0 (off it)")
    if array.ndim != 1 or len(array) != count:
        raise PromptError(f"labels have shape {array.shape} for {count} points; give one label per point")
    for label in array[(array != 0) & (array != 1)][:1]:
        raise PromptError(f"label {label:g} is not known; give 1 (on the object) or 0 (off it)")
    return sealed(array.astype(np.int8))


def _boxes(values: Any) -> Float32Array:
    boxes = _numbers(values, 4, "boxes", "(x0, y0, x1, y1)")
    for x0, y0, x1, y1 in boxes[(boxes[:, 0] >= boxes[:, 2]) | (boxes[:, 1] >= boxes[:, 3])][:1]:
        reversed_corners = x0 > x1 or y0 > y1
        kind = "has its corners the wrong way round" if reversed_corners else "has no area"
        hint = " (x, y, width, height?)" if reversed_corners else ""
        raise PromptError(
            f"box {_tuple((x0, y0, x1, y1))} {kind}; give x0, y0, x1, y1 with x0 < x1 and y0 < y1{hint}"
        )
    return boxes


def _logits(values: Any) -> Float32Array:
    array = _array(values, "mask logits", "low-resolution logits (h, w)")
    array = array[0] if array.ndim == 3 and len(array) == 1 else array
    if array.ndim != 2 or array.size == 0:
        raise PromptError(f"mask logits have shape {array.shape}; give one low-resolution mask (h, w)")
    if not np.isfinite(array).all():
        raise PromptError("mask logits hold NaN or infinite values; give the logits of an earlier prediction")
    return sealed(array.astype(np.float32))


def _bool_mask(values: Any) -> BoolArray:
    array = np.asarray(values)
    if array.ndim != 2 or array.dtype != np.bool_:
        raise PromptError(
            f"the mask is {array.dtype} {array.shape}; a Prompt holds bool (H, W): use Prompt.of"
        )
    if not array.any():
        raise PromptError("the mask is empty; mark at least one pixel or leave the mask out")
    return read_only(array)


def _points_and_labels(points: Any, labels: Any) -> tuple[Float32Array, Int8Array]:
    if points is None:
        if labels is not None:
            raise PromptError(f"labels {_brief(labels)} are given without points; give points, too")
        return _no_points(), np.zeros(0, np.int8)
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
    return _numbers(xy, 2, "points", "(x, y)"), _labels(
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


def _boxes_within(box: Any, boxes: Any, image_hw: tuple[int, int]) -> Float32Array:
    """`box` and `boxes` together, cut off at the image's border; boxes quite outside stay as given."""
    one: Any = [] if box is None else np.atleast_2d(_array(box, "box", "(x0, y0, x1, y1)"))
    more: Any = [] if boxes is None else np.atleast_2d(_array(boxes, "boxes", "(x0, y0, x1, y1)"))
    each = [_boxes(part) for part in (one, more)]
    given = np.concatenate(each)
    height, width = image_hw
    limits = np.array([width, height, width, height], np.float32)
    cut = np.clip(given, 0, limits)
    some_area = (cut[:, 0] < cut[:, 2]) & (cut[:, 1] < cut[:, 3])
    return np.where(some_area[:, None], cut, given)


def _stroke_points(scribble: Any, image_hw: tuple[int, int]) -> Float32Array:
    try:
        many = np.ndim(scribble[0][0]) > 0
    except (TypeError, IndexError, KeyError, ValueError):
        many = False
    strokes = scribble if many else [scribble]
    spacing = max(image_hw) * _STROKE_SPACING
    return np.concatenate([scribble_to_points(stroke, spacing=spacing) for stroke in strokes])


def _one_mask(
    mask: Any, polygon: Any, previous: Any, image_hw: tuple[int, int]
) -> tuple[Float32Array | None, BoolArray | None]:
    """Low-resolution logits or an image mask, whichever of the three arguments gives one."""
    if sum(value is not None for value in (mask, polygon, previous)) > 1:
        raise PromptError("mask, polygon and previous all say where the mask is; give one of them")
    if previous is not None:
        return _previous_logits(previous), None
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
    return _logits(array)


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
    return _bool_mask(array != 0)


def _previous_logits(previous: Any) -> Float32Array:
    from anymask.core.prediction import Candidate, Prediction

    if isinstance(previous, Prediction):
        return previous.best.low_res_logits
    return previous.low_res_logits if isinstance(previous, Candidate) else _logits(previous)


def _tuple(values: Any) -> str:
    return "(" + ", ".join(f"{float(v):g}" for v in values) + ")"


def _brief(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
