"""Cores tile the image, windows surround them, and clicks do not depend on where the tiling begins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.automatic.huge.layout import Layout, common
from anymask.core.errors import InputError

LAYOUTS = st.builds(
    Layout,
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.integers(32, 90),
    st.integers(0, 12),
    st.tuples(st.integers(0, 200), st.integers(0, 200)),
)


@given(LAYOUTS)
def test_cores_tile_and_windows_surround_them(layout: Layout) -> None:
    count = np.zeros(layout.image_hw, int)
    height, width = layout.image_hw
    for number in range(len(layout)):
        core, view = layout.core(number), layout.view(number)
        count[core.slices] += 1
        assert view.size_hw == (min(layout.window, height), min(layout.window, width))
        assert 0 <= view.y0 <= core.y0 < core.y1 <= view.y1 <= height
        assert 0 <= view.x0 <= core.x0 < core.x1 <= view.x1 <= width
        # Each side of a core has its halo, or the image ends.
        assert view.y0 <= max(core.y0 - layout.halo, 0)
        assert view.x1 >= min(core.x1 + layout.halo, width) or view.x1 - view.x0 == layout.window
    assert (count == 1).all()


@given(LAYOUTS)
def test_later_windows_that_overlap(layout: Layout) -> None:
    numbers = range(len(layout))
    for number in list(numbers)[:5]:
        expected = [n for n in numbers if n > number and common(layout.view(number), layout.view(n))]
        assert list(layout.overlapping(number)) == expected


@given(LAYOUTS, st.floats(1.5, 40))
def test_all_layouts_click_the_same_points(layout: Layout, step: float) -> None:
    found = np.concatenate([layout.clicks(number, step) for number in range(len(layout))])
    height, width = layout.image_hw
    columns, rows = np.arange(step / 2, width, step), np.arange(step / 2, height, step)
    assert len(found) == len(columns) * len(rows)
    expected = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    ordered = found[np.lexsort(found.T)]
    np.testing.assert_allclose(ordered, expected[np.lexsort(expected.T)], atol=1e-6)


@pytest.mark.parametrize(
    ("window", "halo", "hint"),
    [(8, 0, "at least 32"), (64, -1, "give 0 to 24"), (64, 32, "give 0 to 24"), (64, 25, "give 0 to 24")],
)
def test_impossible_windows(window: int, halo: int, hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        Layout((100, 100), window, halo)
