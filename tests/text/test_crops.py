"""Crops: the right part of the picture, at the right place, to a fraction of a pixel."""

from __future__ import annotations

import numpy as np
import pytest

from anymask.core.images import load_image
from anymask.core.record import MaskRecord
from anymask.text.crops import Crop, crops_of

FILL = (127.0, 127.0, 127.0)


def crop(pixels: np.ndarray, mask: np.ndarray, size: int, margin: float = 0.0) -> Crop:
    (found,) = crops_of(load_image(pixels), [MaskRecord.of_mask(mask)], size, margin, FILL)
    return found


def test_at_the_same_size_nothing_changes() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    mask = np.ones((40, 40), bool)
    found = crop(pixels, mask, 40)
    np.testing.assert_array_equal(found.pixels, pixels)
    np.testing.assert_array_equal(found.share, mask)


@pytest.mark.parametrize("size", [16, 64, 200])
def test_the_box_lies_in_the_middle_at_every_scale(size: int) -> None:
    mask = np.zeros((120, 160), bool)
    mask[30:70, 50:90] = True
    pixels = np.where(mask[:, :, None], np.uint8(200), np.uint8(20)).repeat(3, axis=2)
    found = crop(pixels, mask, size, margin=0.5)
    rows, columns = np.indices((size, size)) + 0.5
    for axis in (rows, columns):
        assert np.average(axis, weights=found.share) == pytest.approx(size / 2, abs=0.02 * size)
    assert found.share.mean() == pytest.approx(0.25, abs=0.02)  # half of each side
    inside, outside = found.share > 0.99, found.share < 0.01
    assert (np.abs(found.pixels[inside].astype(int) - 200) <= 1).all()
    assert (np.abs(found.pixels[outside].astype(int) - 20) <= 1).all()


def test_outside_the_picture_and_off_the_mask_is_fill() -> None:
    mask = np.zeros((40, 60), bool)
    mask[0:30, 0:30] = True
    found = crop(np.full((40, 60, 3), 200, np.uint8), mask, 60, margin=0.5)
    assert (found.pixels[:10, :10] == 127).all()
    assert (found.painted(FILL)[found.share == 0] == 127).all()
    assert (found.painted(FILL)[found.share == 1] == 200).all()


def test_a_speck_is_shown_with_what_is_round_it() -> None:
    mask = np.zeros((100, 100), bool)
    mask[50, 50] = True
    found = crop(np.zeros((100, 100, 3), np.uint8), mask, 32)
    assert 0 < found.share.mean() < 0.02
