"""What a person points at: clicks, boxes, a mask, or any mixture of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray, Float32Array, Int8Array
from anymask.core.errors import PromptError
from anymask.core.prompt_values import (
    bool_mask,
    box_rows,
    boxes_within,
    inside_image,
    label_values,
    low_resolution_logits,
    mask_or_logits,
    no_points,
    number_rows,
    points_and_labels,
    previous_logits,
    stroke_points,
)
from anymask.core.strokes import polygon_to_prompt

if TYPE_CHECKING:
    from anymask.core.prediction import Candidate, Prediction

Previous: TypeAlias = "Prediction | Candidate | npt.ArrayLike"


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

    points_xy: Float32Array = field(default_factory=no_points)
    labels: Int8Array = field(default_factory=lambda: np.zeros(0, np.int8))
    boxes_xyxy: Float32Array = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    mask_logits: Float32Array | None = None
    mask: BoolArray | None = None

    def __post_init__(self) -> None:
        points = number_rows(self.points_xy, 2, "points", "(x, y)")
        object.__setattr__(self, "points_xy", points)
        object.__setattr__(self, "labels", label_values(self.labels, len(points)))
        object.__setattr__(self, "boxes_xyxy", box_rows(self.boxes_xyxy))
        if self.mask_logits is not None and self.mask is not None:
            raise PromptError("both a mask and previous logits are given; a model takes one of them")
        if self.mask_logits is not None:
            object.__setattr__(self, "mask_logits", low_resolution_logits(self.mask_logits))
        if self.mask is not None:
            object.__setattr__(self, "mask", bool_mask(self.mask))
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
        points_xy, point_labels = points_and_labels(points, labels)
        if scribble is not None:
            strokes = stroke_points(scribble, image_hw)
            points_xy = np.concatenate([points_xy, strokes])
            point_labels = np.concatenate([point_labels, np.ones(len(strokes), np.int8)])
        logits, image_mask = mask_or_logits(mask, polygon, previous, image_hw)
        if polygon is not None:
            image_mask, inside = polygon_to_prompt(polygon, image_hw)
            points_xy = np.concatenate([points_xy, np.array([inside], np.float32)])
            point_labels = np.concatenate([point_labels, np.ones(1, np.int8)])
        prompt = cls(points_xy, point_labels, boxes_within(box, boxes, image_hw), logits, image_mask)
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
        return replace(self, mask_logits=previous_logits(previous), mask=None)

    def check_inside(self, image_hw: tuple[int, int]) -> None:
        """Raise PromptError if a point or box lies outside an image of this size, or the mask does not fit.

        Points on the border (x = width, y = height) are inside; a box must share some area with the image.
        """
        height, width = image_hw
        for x, y in self.points_xy[~inside_image(self.points_xy, image_hw)][:1]:
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
