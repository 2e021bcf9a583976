"""Marks to prompts, masks to polygons with as many vertices as the user's slider asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from anymask.core.polygons import Polygon, simplify
from anymask.core.prediction import Candidate
from anymask.core.prompt import Prompt
from anymask.server.problems import Problem
from anymask.server.x_anylabeling.schemas import Mark

ASK = "AUTOLABEL_OBJECT"
"""The label for which the program asks its user."""

_MIN_SHARE = 0.2
"""Parts below this share of the largest one are specks, as in the program's own models."""


def prompts_of(marks: Sequence[Mark], image_hw: tuple[int, int]) -> list[Prompt]:
    """One prompt per rectangle, with the points inside it; without rectangles one of all points.

    Raises PromptError for marks that cannot be meant, Problem (422) for marks of another length.
    """
    points = [(*_numbers(mark, 2), mark.label) for mark in marks if mark.type == "point"]
    boxes = [_numbers(mark, 4) for mark in marks if mark.type == "rectangle"]
    if not boxes:
        return [Prompt.of(image_hw, points=points)] if points else []
    return [
        Prompt.of(image_hw, box=box, points=[point for point in points if _is_inside(point, box)] or None)
        for box in (_ordered(box) for box in boxes)
    ]


def shapes_of(candidate: Candidate, epsilon_factor: float) -> list[dict[str, Any]]:
    """The mask's parts as polygons without holes.

    epsilon_factor: how far an outline may move, as a share of its length.
    """
    parts = candidate.contours
    if not parts:
        return []
    largest = max(part.area for part in parts)
    outlines = [Polygon(part.exterior) for part in parts if part.area >= _MIN_SHARE * largest]
    return [_shape(_simplified(outline, epsilon_factor, candidate), candidate.score) for outline in outlines]


def _simplified(outline: Polygon, epsilon_factor: float, candidate: Candidate) -> Polygon:
    steps = np.diff(outline.exterior, axis=0, append=outline.exterior[:1])
    length = float(np.hypot(*steps.T).sum())
    return simplify([outline], epsilon_factor * length, candidate.frame.image_hw).polygons[0]


def _shape(outline: Polygon, score: float) -> dict[str, Any]:
    return {
        "label": ASK,
        "shape_type": "polygon",
        "points": outline.exterior.tolist(),
        "score": score,
        "attributes": {},
        "description": None,
        "difficult": False,
        "direction": 0,
        "flags": None,
        "group_id": None,
        "kie_linking": [],
    }


def _numbers(mark: Mark, count: int) -> tuple[float, ...]:
    if len(mark.data) != count:
        raise Problem(422, "unusable", f"a {mark.type} has {len(mark.data)} numbers; expected {count}")
    return tuple(mark.data)


def _ordered(box: tuple[float, ...]) -> tuple[float, float, float, float]:
    """Drawn from any corner."""
    x0, y0, x1, y1 = box
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _is_inside(point: tuple[float, ...], box: tuple[float, float, float, float]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
