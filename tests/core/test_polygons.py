from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import InputError
from anymask.core.masks import iou
from anymask.core.polygons import (
    Polygon,
    mask_to_polygons,
    polygons_to_mask,
    simplify,
    simplify_to_iou,
)
from tests.core.strategies import masks

RING = np.ones((9, 9), bool)
RING[3:6, 3:6] = False


def disk(size: int, radius: float) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return np.asarray(x**2 + y**2 < radius**2)


@given(mask=masks())
def test_filling_gives_the_mask_back(mask: np.ndarray) -> None:
    polygons = mask_to_polygons(mask)
    assert np.array_equal(polygons_to_mask(polygons, mask.shape), mask)  # type: ignore[arg-type]
    assert sum(polygon.area for polygon in polygons) == mask.sum()


@given(mask=masks())
def test_every_part_is_a_valid_polygon(mask: np.ndarray) -> None:
    for polygon in mask_to_polygons(mask):
        shape = shapely.Polygon(polygon.exterior, polygon.holes)
        assert shape.is_valid
        assert shape.area == polygon.area


@given(mask=masks())
def test_one_polygon_per_region_joined_by_edges(mask: np.ndarray) -> None:
    import cv2

    count, _ = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    assert len(mask_to_polygons(mask)) == count - 1


def test_hole_belongs_to_its_part() -> None:
    nested = np.zeros((15, 30), bool)
    nested[3:12, 3:12] = RING
    nested[7, 7] = True  # an island in the hole
    nested[0:15, 14:30] = np.pad(RING, ((3, 3), (3, 4)), constant_values=True)
    polygons = mask_to_polygons(nested)
    assert [len(polygon.holes) for polygon in polygons] == [1, 1, 0]
    assert sorted(polygon.area for polygon in polygons) == [1, 72, 15 * 16 - 9]


def test_vertices_are_pixel_corners() -> None:
    mask = np.zeros((6, 7), bool)
    mask[2:4, 1:6] = True
    (polygon,) = mask_to_polygons(mask)
    assert sorted(map(tuple, polygon.exterior)) == [(1, 2), (1, 4), (6, 2), (6, 4)]
    (moved,) = mask_to_polygons(mask, offset_xy=(10, 20))
    assert np.array_equal(moved.exterior, polygon.exterior + np.array([10, 20]))


def test_pixels_that_touch_by_a_corner_are_two_parts() -> None:
    assert len(mask_to_polygons(np.eye(2))) == 2
    assert len(mask_to_polygons(np.eye(2)[::-1])) == 2


@pytest.mark.parametrize("mask", [np.zeros((3, 4)), np.ones((1, 1)), np.ones((1, 50)), np.eye(4)])
def test_small_masks(mask: np.ndarray) -> None:
    assert np.array_equal(polygons_to_mask(mask_to_polygons(mask), mask.shape), mask)


@given(
    corners=st.lists(st.tuples(st.floats(-5, 25), st.floats(-5, 25)), min_size=3, max_size=8),
)
def test_fill_is_the_even_odd_rule_at_pixel_centres(corners: list[tuple[float, float]]) -> None:
    mask = polygons_to_mask([Polygon(np.array(corners))], (20, 17))
    for y, x in np.ndindex(20, 17):
        crossings = 0
        for (xa, ya), (xb, yb) in zip(corners, corners[1:] + corners[:1], strict=True):
            if (ya <= y + 0.5) != (yb <= y + 0.5):
                (xa, ya), (xb, yb) = sorted([(xa, ya), (xb, yb)], key=lambda p: p[1])
                at = xa + (xb - xa) * ((y + 0.5 - ya) / (yb - ya))
                if abs(at - x - 0.5) < 1e-9:
                    break  # on the edge: either answer is right
                crossings += at < x + 0.5
        else:
            assert mask[y, x] == bool(crossings % 2)


def test_overlapping_polygons_are_a_union() -> None:
    square = Polygon(np.array([[0, 0], [4, 0], [4, 4], [0, 4]]))
    assert polygons_to_mask([square, square], (5, 5)).sum() == 16


def test_polygons_outside_the_image_leave_nothing() -> None:
    far = Polygon(np.array([[50, 50], [60, 50], [60, 60]]))
    left = Polygon(np.array([[-50, 0], [-40, 0], [-40, 9]]))
    assert not polygons_to_mask([far, left], (10, 10)).any()


@pytest.mark.parametrize("tolerance", [0.0, 0.5, 1.0, 3.0])
def test_simplification_keeps_its_promise(tolerance: float) -> None:
    mask = disk(101, 40) & ~disk(101, 15)
    polygons = mask_to_polygons(mask)
    result = simplify(polygons, tolerance, (101, 101))
    assert result.max_deviation <= tolerance + 1e-9
    assert result.iou == iou(polygons_to_mask(result.polygons, (101, 101)), mask)
    assert result.vertices == sum(len(ring) for polygon in result.polygons for ring in polygon.rings)
    assert len(result.polygons[0].holes) == 1
    if tolerance == 0:
        assert result.iou == 1.0
    if tolerance == 1:
        assert result.vertices < sum(len(ring) for ring in polygons[0].rings) / 4
        assert result.iou > 0.97


@given(mask=masks(), tolerance=st.floats(0, 4))
def test_stated_deviation_is_within_the_tolerance(mask: np.ndarray, tolerance: float) -> None:
    result = simplify(mask_to_polygons(mask), tolerance, mask.shape)  # type: ignore[arg-type]
    assert result.max_deviation <= tolerance + 1e-9
    assert 0 <= result.iou <= 1


@pytest.mark.parametrize("min_iou", [0.0, 0.9, 0.99, 1.0])
def test_simplify_to_a_wanted_iou(min_iou: float) -> None:
    polygons = mask_to_polygons(disk(80, 30))
    result = simplify_to_iou(polygons, min_iou, (80, 80))
    assert result.iou >= min_iou
    assert result.vertices <= len(polygons[0].exterior)


def test_nothing_to_simplify() -> None:
    result = simplify([], 1.0, (5, 5))
    assert (result.iou, result.max_deviation, result.vertices, result.polygons) == (1.0, 0.0, 0, ())


@pytest.mark.parametrize("tolerance", [-1, np.nan, np.inf])
def test_impossible_tolerances_are_refused(tolerance: float) -> None:
    with pytest.raises(InputError, match="tolerance"):
        simplify([], tolerance, (5, 5))


def test_bad_values_are_refused() -> None:
    with pytest.raises(InputError, match="at least 3 finite vertices"):
        Polygon(np.array([[0, 0], [1, 1]]))
    with pytest.raises(InputError, match="at least 3 finite vertices"):
        Polygon(np.array([[0, 0], [1, np.nan], [3, 3]]))
    with pytest.raises(InputError, match="between 0 and 1"):
        simplify_to_iou([], 1.5, (5, 5))
    with pytest.raises(InputError, match="height, width"):
        polygons_to_mask([], (0, 5))
