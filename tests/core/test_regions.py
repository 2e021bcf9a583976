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
    remove_specks,
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


@given(mask=masks(), share=st.floats(0, 1))
def test_specks_are_together_no_more_than_the_share(mask: np.ndarray, share: float) -> None:
    tidy = remove_specks(mask, share)
    most = share * mask.sum()
    assert (mask & ~tidy).sum() <= most
    assert (tidy & ~mask).sum() <= most
    assert tidy.any() == mask.any()
    kept = [region for region in connected_regions(mask) if (region & tidy).any()]
    gone = [region for region in connected_regions(mask) if not (region & tidy).any()]
    assert max((r.sum() for r in gone), default=0) <= min((r.sum() for r in kept), default=mask.size)
    assert max((r.sum() for r in gone), default=0) <= share * max((r.sum() for r in kept), default=0)
    assert not (tidy & ~fill_holes(mask)).any()


def test_specks_go_and_letters_stay() -> None:
    mask = np.zeros((50, 60), bool)
    mask[5:45, 5:45] = True
    mask[10:12, 10:12] = False  # a hole of 4, one of 100, and background at the border
    mask[20:30, 20:30] = False
    mask[2:4, 50:53] = True
    tidy = remove_specks(mask, 0.02)
    assert tidy[10:12, 10:12].all()
    assert not tidy[20:30, 20:30].any()
    assert not tidy[2:4, 50:53].any()
    assert tidy.sum() == 40 * 40 - 100
    letters = np.zeros((10, 400), bool)
    letters[2:8, ::4] = True
    assert np.array_equal(remove_specks(letters, 0.1), letters)
    assert np.array_equal(remove_specks(letters, 0), letters)
    for wrong in (-0.1, 1.5, float("nan")):
        with pytest.raises(InputError, match="a number from 0 to 1"):
            remove_specks(mask, wrong)
