from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anymask.core import masks as m
from anymask.core.errors import InputError
from tests.core.strategies import masks, sizes_hw

pairs = sizes_hw.flatmap(lambda size: st.tuples(arrays(bool, size), arrays(bool, size)))


@given(mask=masks())
def test_box_equals_segment_anything(segment_anything: ModuleType, mask: np.ndarray) -> None:
    box = segment_anything.utils.amg.batched_mask_to_box(torch.from_numpy(mask)[None])[0].tolist()
    x0, y0, x1, y1 = m.mask_box(mask)
    assert (
        [x0, y0, x1 - 1, y1 - 1] if mask.any() else [x0, y0, x1, y1]
    ) == box  # theirs names the last pixel


@given(values=arrays(np.float32, sizes_hw, elements=st.integers(-6, 6).map(lambda n: n / 2)))
def test_stability_equals_segment_anything(segment_anything: ModuleType, values: np.ndarray) -> None:
    theirs = float(
        segment_anything.utils.amg.calculate_stability_score(torch.from_numpy(values)[None], 0.0, 1.0)[0]
    )
    if np.isnan(theirs):  # neither mask has a pixel
        theirs = 0.0
    assert m.stability(values) == pytest.approx(theirs, abs=1e-6)


@given(pair=pairs)
def test_set_laws(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = pair
    assert m.mask_area(m.union(a, b)) + m.mask_area(m.intersect(a, b)) == m.mask_area(a) + m.mask_area(b)
    assert np.array_equal(m.union(m.subtract(a, b), m.intersect(a, b)), a)
    assert m.iou(a, b) == m.iou(b, a) == m.pairwise_iou([a], [b])[0, 0]
    assert m.iou(a, a) == 1.0
    assert np.array_equal(m.subtract(a, b, a), np.zeros_like(a))


@given(mask=masks())
def test_inside_point_is_the_deepest(mask: np.ndarray) -> None:
    if not mask.any():
        with pytest.raises(InputError, match="empty"):
            m.inside_point(mask)
        return
    x, y = m.inside_point(mask)
    assert mask[y, x]
    outside = np.argwhere(~np.pad(mask, 1)) - 1
    depth = {(r, c): ((outside - [r, c]) ** 2).sum(axis=1).min() for r, c in np.argwhere(mask)}
    assert depth[y, x] == max(depth.values())


def test_pairwise_iou_of_several() -> None:
    a = np.zeros((2, 4, 4))
    a[0, :2], a[1, :, :2] = 1, 1
    assert m.pairwise_iou(a, a) == pytest.approx(np.array([[1, 1 / 3], [1 / 3, 1]]))
    assert m.pairwise_iou(a, a[:0]).shape == (2, 0)
    assert m.pairwise_iou(a[:0], a).shape == (0, 2)


def test_numbers_count_as_set_where_not_zero() -> None:
    assert m.mask_area(np.array([[0, 255], [1, 0]])) == 2


def test_sizes_that_differ_are_refused() -> None:
    a, b = np.ones((2, 3)), np.ones((3, 2))
    for function in (m.iou, m.union, m.intersect, m.subtract):
        with pytest.raises(InputError, match=r"\(2, 3\) and \(3, 2\)"):
            function(a, b)
    with pytest.raises(InputError, match=r"expected \(N, H, W\)"):
        m.pairwise_iou(a[None], b[None])
    with pytest.raises(InputError, match=r"expected \(height, width\)"):
        m.mask_area(a[None])
