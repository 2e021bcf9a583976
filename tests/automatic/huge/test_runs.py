"""Masks by their runs equal masks by their pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.automatic.huge.layout import around, common
from anymask.automatic.huge.runs import PlacedMask, iou_inside, union
from anymask.core.rle import encode
from anymask.core.upscale import Window

SIDE = 40


@st.composite
def masks(draw: st.DrawFn) -> PlacedMask:
    """A mask somewhere in SIDE x SIDE pixels; its box may be larger than its pixels."""
    y0, x0 = draw(st.integers(0, SIDE - 2)), draw(st.integers(0, SIDE - 2))
    window = Window(y0, draw(st.integers(y0 + 1, SIDE)), x0, draw(st.integers(x0 + 1, SIDE)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    inside = random.random(window.size_hw) < draw(st.sampled_from([0.1, 0.5, 0.9, 1.0]))
    inside[0, 0] = True
    return PlacedMask(window, encode(inside))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    y0, x0 = draw(st.integers(0, SIDE - 2)), draw(st.integers(0, SIDE - 2))
    return Window(y0, draw(st.integers(y0 + 1, SIDE)), x0, draw(st.integers(x0 + 1, SIDE)))


def whole(mask: PlacedMask) -> np.ndarray:
    pixels = np.zeros((SIDE, SIDE), bool)
    from anymask.core.rle import decode

    pixels[mask.window.slices] = decode(mask.rle)
    return pixels


@given(masks(), windows())
def test_a_part_is_cut_out_of_the_runs(mask: PlacedMask, part: Window) -> None:
    np.testing.assert_array_equal(mask.pixels(part), whole(mask)[part.slices])
    assert mask.area == np.count_nonzero(whole(mask))


@given(st.lists(masks(), min_size=1, max_size=5))
def test_a_union_has_all_pixels(given_masks: list[PlacedMask]) -> None:
    joint = union(given_masks)
    np.testing.assert_array_equal(whole(joint), np.any([whole(mask) for mask in given_masks], axis=0))
    assert joint.window == around([mask.window for mask in given_masks])


@given(masks(), masks(), st.none() | windows())
def test_iou_in_a_region(one: PlacedMask, other: PlacedMask, region: Window | None) -> None:
    part = (slice(None), slice(None)) if region is None else region.slices
    first, second = whole(one)[part], whole(other)[part]
    joint = np.count_nonzero(first | second)
    expected = np.count_nonzero(first & second) / joint if joint else 0
    assert iou_inside(one, other, region) == pytest.approx(expected)


@given(windows(), windows())
def test_common_pixels(one: Window, other: Window) -> None:
    both = np.zeros((2, SIDE, SIDE), bool)
    both[0][one.slices] = both[1][other.slices] = True
    shared = common(one, other)
    assert (shared is None) == (not both.all(axis=0).any())
    if shared is not None:
        assert both.all(axis=0)[shared.slices].all()
        assert both.all(axis=0).sum() == np.prod(shared.size_hw)


def test_a_place_beyond_32_bits() -> None:
    """In an image of 80,000 x 80,000 pixels."""
    far = PlacedMask(Window(79_000, 79_003, 78_000, 78_002), encode(np.ones((3, 2))))
    near = PlacedMask(Window(78_990, 79_001, 78_001, 78_009), encode(np.ones((11, 8))))
    joint = union([far, near])
    assert joint.area == 6 + 88 - 1
    assert joint.pixels(Window(79_002, 79_003, 77_999, 78_003)).tolist() == [[False, True, True, False]]
    assert iou_inside(far, near) == 1 / 93
