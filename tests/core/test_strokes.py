from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import PromptError
from anymask.core.strokes import MAX_STROKE_POINTS, polygon_to_prompt, scribble_to_points

coordinates = st.floats(-1000, 1000)
polylines = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=12)


def test_points_lie_in_the_middle_of_equal_parts() -> None:
    points = scribble_to_points([(0, 0), (10, 0), (10, 10)], spacing=5)
    assert points == pytest.approx(np.array([[2.5, 0], [7.5, 0], [10, 2.5], [10, 7.5]]))


@given(polyline=polylines, spacing=st.floats(0.1, 500), most=st.integers(1, 20))
def test_points_lie_on_the_stroke_and_are_not_too_many(
    polyline: list[tuple[float, float]], spacing: float, most: int
) -> None:
    points = scribble_to_points(polyline, spacing=spacing, max_points=most)
    assert 1 <= len(points) <= most
    starts, ends = np.array(polyline[:-1] or polyline), np.array(polyline[1:] or polyline)
    for point in points.astype(float):
        along, span = ends - starts, ((ends - starts) ** 2).sum(axis=1)
        share = np.divide(
            ((point - starts) * along).sum(axis=1), span, out=np.zeros(len(span)), where=span > 0
        )
        nearest = starts + np.clip(share, 0, 1)[:, None] * along
        assert np.hypot(*(nearest - point).T).min() < 1e-3


def test_a_dot_is_one_point() -> None:
    assert scribble_to_points([(3, 4)], spacing=1).tolist() == [[3, 4]]
    assert scribble_to_points([(3, 4), (3, 4)], spacing=1).tolist() == [[3, 4]]


def test_a_long_stroke_has_no_more_points_than_models_know() -> None:
    assert len(scribble_to_points([(0, 0), (1e4, 0)], spacing=1)) == MAX_STROKE_POINTS


def test_polygon_gives_its_inside_and_the_deepest_point() -> None:
    mask, (x, y) = polygon_to_prompt([(2, 2), (12, 2), (12, 12), (2, 12)], (20, 30))
    expected = np.zeros((20, 30), bool)
    expected[2:12, 2:12] = True
    assert np.array_equal(mask, expected)
    assert abs(x - 7) <= 1
    assert abs(y - 7) <= 1


def test_polygon_over_the_border_is_cut_off() -> None:
    mask, (x, y) = polygon_to_prompt([(-50, -50), (500, -50), (500, 10), (-50, 10)], (20, 30))
    assert mask.sum() == 10 * 30
    assert 0 <= x <= 30
    assert 0 <= y <= 10


def test_a_crescent_has_its_point_inside() -> None:
    angle = np.linspace(0, 1.5 * np.pi, 50)
    ring = np.concatenate([np.outer(r, [1, 1]) for r in (40 * np.ones(50), 30 * np.ones(50))])
    around = np.concatenate([angle, angle[::-1]])
    mask, (x, y) = polygon_to_prompt(
        50 + ring * np.column_stack([np.cos(around), np.sin(around)]), (100, 100)
    )
    assert mask[int(y), int(x)]


BAD: list[tuple[Any, str]] = [
    ([(1, 2), (3, 4)], "at least 3 vertices"),
    ([], "at least 3 vertices"),
    ([(1, 2, 3)] * 4, "vertices \\(x, y\\)"),
    ([(0, 0), (5, np.nan), (5, 5)], "vertex \\(5.0, nan\\)"),
    ([(0, 0), (5,), (5, 5)], "not a list of"),
    ("polygon", "not a list of"),
    ([(50, 50), (60, 50), (60, 60)], "encloses no pixel"),
    ([(1, 1), (5, 5), (9, 9)], "encloses no pixel"),
]


@pytest.mark.parametrize(("polygon", "message"), BAD)
def test_impossible_polygons_are_refused(polygon: Any, message: str) -> None:
    with pytest.raises(PromptError, match=message):
        polygon_to_prompt(polygon, (20, 30))


def test_impossible_scribbles_are_refused() -> None:
    with pytest.raises(PromptError, match="at least 1 vert"):
        scribble_to_points([], spacing=1)
    with pytest.raises(PromptError, match="finite"):
        scribble_to_points([(0, np.inf)], spacing=1)
    with pytest.raises(PromptError, match="must be positive"):
        scribble_to_points([(0, 0)], spacing=0)
    with pytest.raises(PromptError, match="must be positive"):
        scribble_to_points([(0, 0)], spacing=1, max_points=0)
