from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import InputError
from anymask.core.regions import (
    connected_regions,
    fill_holes,
    keep_largest,
    remove_islands,
    remove_small_regions,
)
from tests.core.strategies import masks

# Random masks with an empty margin of any width: what lies round the mask's own box matters for holes.
padded_masks = st.builds(
    lambda mask, pads: np.pad(mask, pads),
    masks(),
    st.tuples(*[st.tuples(st.integers(0, 6), st.integers(0, 6))] * 2),
)


@given(mask=padded_masks, area=st.integers(0, 60))
def test_islands_equal_segment_anything(segment_anything: ModuleType, mask: np.ndarray, area: int) -> None:
    theirs, _ = segment_anything.utils.amg.remove_small_regions(mask, area, "islands")
    assert np.array_equal(remove_islands(mask, area), theirs)


@given(mask=padded_masks, area=st.integers(0, 60))
def test_holes_equal_segment_anything(segment_anything: ModuleType, mask: np.ndarray, area: int) -> None:
    theirs, _ = segment_anything.utils.amg.remove_small_regions(mask, area, "holes")
    assert np.array_equal(fill_holes(mask, area), theirs)


@given(mask=padded_masks, area=st.integers(0, 60))
def test_both_equal_segment_anything(segment_anything: ModuleType, mask: np.ndarray, area: int) -> None:
    clean = segment_anything.utils.amg.remove_small_regions
    theirs, _ = clean(clean(mask, area, "holes")[0], area, "islands")
    assert np.array_equal(remove_small_regions(mask, area), theirs)


@given(mask=padded_masks)
def test_all_holes_filled_leaves_only_background_that_reaches_the_border(mask: np.ndarray) -> None:
    filled = fill_holes(mask)
    assert (filled | ~mask).all()  # nothing is taken away
    border = np.zeros_like(mask)
    border[[0, -1]], border[:, [0, -1]] = True, True
    for region in connected_regions(~filled):
        assert (region & border).any()
    for region in connected_regions(~mask):
        assert (region & border).any() or filled[region].all()


@given(mask=padded_masks)
def test_regions_are_a_partition(mask: np.ndarray) -> None:
    regions = connected_regions(mask)
    assert np.array_equal(sum((r.astype(int) for r in regions), np.zeros(mask.shape, int)), mask)
    areas = [int(region.sum()) for region in regions]
    assert areas == sorted(areas, reverse=True)
    largest = keep_largest(mask)
    assert largest.sum() == (areas[0] if areas else 0)
    if regions:
        assert np.array_equal(largest, regions[0])


def test_the_argument_stays_as_it_is() -> None:
    mask = np.eye(5, dtype=bool)
    mask[2, 2] = False
    before = mask.copy()
    for function in (keep_largest, fill_holes, lambda m: remove_small_regions(m, 9)):
        function(mask)[:] = True
    assert np.array_equal(mask, before)


@pytest.mark.parametrize("area", [-1, np.nan])
def test_impossible_areas_are_refused(area: float) -> None:
    with pytest.raises(InputError, match="not possible"):
        remove_islands(np.eye(3), area)
    with pytest.raises(InputError, match="not possible"):
        fill_holes(np.eye(3), area)
