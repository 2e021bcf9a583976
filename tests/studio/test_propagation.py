"""Objects are found again in a picture that moved, and not where they are gone."""

from __future__ import annotations

import numpy as np
import pytest

from anymask.core.masks import iou
from anymask.studio.prompting.propagation import propagate
from tests.fake_runtime import fake_model, scene

SQUARE, BAR = np.s_[20:70, 30:80], np.s_[40:110, 100:150]


def mask_of(place: tuple[slice, slice]) -> np.ndarray:
    mask = np.zeros((120, 160), bool)
    mask[place] = True
    return mask


@pytest.mark.parametrize(("down", "right"), [(0, 0), (9, 0), (-12, 7), (8, -20)])
def test_objects_are_found_where_they_went(down: int, right: int) -> None:
    model, old = fake_model(), scene()
    new = np.full_like(old, 20)
    new[max(down, 0) : 120 + min(down, 0), max(right, 0) : 160 + min(right, 0)] = old[
        max(-down, 0) : 120 - max(down, 0), max(-right, 0) : 160 - max(right, 0)
    ]
    new = np.clip(new.astype(int) + 6, 0, 255).astype(np.uint8)  # a little more light
    found = propagate(model, model.embed(new), new, old, [mask_of(SQUARE), mask_of(BAR)])
    for one, place in zip(found, (SQUARE, BAR), strict=True):
        assert one is not None
        truth = np.zeros((120, 160), bool)
        rows, columns = place
        truth[
            max(rows.start + down, 0) : max(rows.stop + down, 0),
            max(columns.start + right, 0) : max(columns.stop + right, 0),
        ] = True
        assert iou(one.candidate.mask, truth) > 0.8
        assert one.is_kept


def test_what_is_gone_is_not_kept() -> None:
    model, old = fake_model(), scene()
    new = old.copy()
    new[SQUARE] = 20
    gone, there = propagate(model, model.embed(new), new, old, [mask_of(SQUARE), mask_of(BAR)])
    assert gone is None or not gone.is_kept
    assert there is not None
    assert there.is_kept


def test_an_empty_mask_finds_nothing() -> None:
    model, old = fake_model(), scene()
    assert propagate(model, model.embed(old), old, old, [np.zeros((120, 160), bool)]) == [None]


def test_a_picture_of_another_size() -> None:
    model, old = fake_model(), scene()
    new = np.repeat(np.repeat(old, 2, axis=0), 2, axis=1)
    (found,) = propagate(model, model.embed(new), new, old, [mask_of(SQUARE)])
    assert found is not None
    assert found.is_kept
    assert iou(found.candidate.mask, np.repeat(np.repeat(mask_of(SQUARE), 2, 0), 2, 1)) > 0.8
