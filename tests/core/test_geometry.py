from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import InputError
from anymask.core.geometry import InputFrame

SIZES = [
    (480, 640),
    (640, 480),
    (1, 1),
    (16, 16),
    (1200, 1800),
    (683, 1024),
    (1024, 1024),
    (333, 500),
    (20000, 7),
]
sides = st.integers(1, 5000)


@pytest.mark.parametrize("size_hw", SIZES[:-1])
@pytest.mark.parametrize("input_size", [512, 1024])
def test_frame_equals_segment_anything(
    segment_anything: ModuleType, size_hw: tuple[int, int], input_size: int
) -> None:
    transforms = segment_anything.utils.transforms.ResizeLongestSide(input_size)
    frame = InputFrame(size_hw, input_size)
    points = np.array([[0, 0], [size_hw[1], size_hw[0]], [3.25, 7.5], [size_hw[1] / 3, size_hw[0] / 7]])
    assert frame.resized_hw == transforms.get_preprocess_shape(*size_hw, input_size)
    assert np.array_equal(
        frame.points_to_input(points), transforms.apply_coords(points, size_hw).astype(np.float32)
    )
    boxes = np.concatenate([points[:2], points[2:]], axis=1)
    assert np.array_equal(
        frame.boxes_to_input(boxes), transforms.apply_boxes(boxes, size_hw).reshape(-1, 4).astype(np.float32)
    )


@given(
    height=sides,
    width=sides,
    input_size=st.sampled_from([64, 512, 1024]),
    x=st.floats(0, 1),
    y=st.floats(0, 1),
)
def test_points_come_back(height: int, width: int, input_size: int, x: float, y: float) -> None:
    frame = InputFrame((height, width), input_size)
    point = np.array([x * width, y * height])
    assert frame.points_to_image(frame.points_to_input(point)) == pytest.approx(point, rel=1e-5, abs=1e-5)
    box = np.concatenate([point / 2, point])
    assert frame.boxes_to_image(frame.boxes_to_input(box)) == pytest.approx(box, rel=1e-5, abs=1e-5)


@given(height=sides, width=sides, input_size=st.sampled_from([64, 512, 1024]))
def test_resized_image_fills_the_longer_side_and_stays_inside(
    height: int, width: int, input_size: int
) -> None:
    resized = InputFrame((height, width), input_size).resized_hw
    assert max(resized) == input_size
    assert min(resized) >= 1
    corner = InputFrame((height, width), input_size).points_to_input((width, height))
    assert corner == pytest.approx(np.array(resized[::-1]), rel=1e-6)


def test_a_line_of_pixels_keeps_one_row() -> None:
    assert InputFrame((1, 5000), 1024).resized_hw == (1, 1024)


def test_frames_of_equal_sizes_are_equal() -> None:
    assert InputFrame((np.int64(3), 4), 8) == InputFrame((3, 4), 8)  # type: ignore[arg-type]
    assert hash(InputFrame((3, 4), 8)) == hash(InputFrame((3, 4), 8))


@pytest.mark.parametrize("bad", [((0, 4), 8), ((3, 4), 0), ((3.5, 4), 8), ((3, 4, 3), 8), (("3", 4), 8)])
def test_impossible_sizes_are_refused(bad: tuple[tuple[int, int], int]) -> None:
    with pytest.raises(InputError, match="not sizes"):
        InputFrame(*bad)


def test_coordinates_of_wrong_shape_are_refused() -> None:
    with pytest.raises(InputError, match="last axis must have 2"):
        InputFrame((3, 4), 8).points_to_input([1, 2, 3])
    with pytest.raises(InputError, match="last axis must have 4"):
        InputFrame((3, 4), 8).boxes_to_image([[1, 2]])
