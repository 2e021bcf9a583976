"""Boundary IoU against its definition, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from anymask.core.boundaries import boundary_iou, boundary_width, inner_boundary
from anymask.core.errors import InputError

shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)


def by_definition(mask: np.ndarray, width: int) -> np.ndarray:
    """Set pixels with an unset pixel, or the outside of the image, at most `width` rows and columns away."""
    height, length = mask.shape
    found = np.zeros_like(mask)
    for y, x in np.argwhere(mask):
        for row in range(y - width, y + width + 1):
            for column in range(x - width, x + width + 1):
                inside = 0 <= row < height and 0 <= column < length
                found[y, x] |= not (inside and mask[row, column])
    return found


@given(shapes.flatmap(lambda shape: arrays(bool, shape)), st.integers(1, 4))
def test_inner_boundary_is_its_definition(mask: np.ndarray, width: int) -> None:
    assert np.array_equal(inner_boundary(mask, width), by_definition(mask, width))


@given(shapes.flatmap(lambda s: st.tuples(arrays(bool, s), arrays(bool, s))), st.sampled_from([0.02, 0.2]))
def test_boundary_iou_is_its_definition(masks: tuple[np.ndarray, np.ndarray], dilation: float) -> None:
    width = max(1, round(dilation * float(np.hypot(*masks[0].shape))))
    one, other = (by_definition(mask, width) for mask in masks)
    joint = (one | other).sum()
    expected = (one & other).sum() / joint if joint else 1.0
    assert boundary_iou(*masks, dilation=dilation) == expected


def test_large_objects_do_not_forgive_a_rough_outline() -> None:
    one, other = np.zeros((200, 200), bool), np.zeros((200, 200), bool)
    one[20:180, 20:180] = True
    other[24:176, 24:176] = True
    assert boundary_iou(one, one) == 1.0
    assert boundary_iou(one, other) < 0.3  # 4 of the boundary's 6 pixels are missed; the masks' IoU is 0.9


def test_width_is_a_share_of_the_diagonal() -> None:
    assert [boundary_width(hw) for hw in ((3, 4), (300, 400), (480, 640))] == [1, 10, 16]


def test_wrong_width() -> None:
    with pytest.raises(InputError, match="at least 1 pixel"):
        inner_boundary(np.ones((3, 3), bool), 0)
    with pytest.raises(InputError, match="sizes"):
        boundary_iou(np.ones((3, 3), bool), np.ones((3, 4), bool))
