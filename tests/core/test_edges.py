"""Bounds from low-resolution logits hold for the upscaled ones, and are close."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.edges import LogitTiles, windows_above
from anymask.core.errors import InputError
from anymask.core.geometry import InputFrame
from anymask.core.upscale import Window, tight, upscale

SIDES = st.integers(1, 200)


@given(st.integers(0, 2**32 - 1), st.tuples(SIDES, SIDES), st.sampled_from([-1.0, 0.0, 0.7]))
def test_bounds_hold(seed: int, image_hw: tuple[int, int], threshold: float) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1, (16, 16)).astype(np.float32)
    logits[random.integers(0, 16) :, random.integers(0, 16) :] += random.choice([-6, 0, 6])
    frame = InputFrame(image_hw, 64)
    above = upscale(logits, frame) > threshold
    tiles = LogitTiles(logits, frame)
    least, most = tiles.bounds_above(threshold)
    assert least <= np.count_nonzero(above) <= most
    inner, outer = windows_above(logits[None], frame, threshold)[0]
    closer = list(tiles.narrowed(threshold))
    found = tight(Window(0, image_hw[0], 0, image_hw[1]), above)
    if found is None:
        assert inner is None
        assert closer == []
        return
    assert outer is not None
    assert contains(outer, found[0])
    assert inner is None or contains(found[0], inner)
    assert all(contains(large, found[0]) and contains(found[0], small) for small, large in closer)
    assert closer[-1] == (found[0], found[0])


def contains(outer: Window, inner: Window) -> bool:
    rows = outer.y0 <= inner.y0 and inner.y1 <= outer.y1
    return rows and outer.x0 <= inner.x0 and inner.x1 <= outer.x1


def test_a_clear_square_is_bounded_to_a_few_cells() -> None:
    logits = np.full((32, 32), -8, np.float32)
    logits[8:24, 4:28] = 8
    tiles = LogitTiles(logits, InputFrame((640, 640), 128))
    _, (inner, outer) = windows_above([np.full((32, 32), -1), logits], InputFrame((640, 640), 128), 0.0)
    assert inner is not None
    assert outer is not None
    assert np.abs(np.subtract(inner, (160, 480, 80, 560))).max() <= 40
    assert np.abs(np.subtract(outer, (160, 480, 80, 560))).max() <= 40
    least, most = tiles.bounds_above(0.0)
    assert 0.8 * 320 * 480 < least < 320 * 480 < most < 1.3 * 320 * 480


def test_equal_logits_are_decided_unless_at_the_threshold() -> None:
    frame = InputFrame((30, 50), 64)
    for value, bounds in ((1.0, (1500, 1500)), (-1.0, (0, 0)), (0.0, (0, 1500))):
        assert LogitTiles(np.full((16, 16), value), frame).bounds_above(0.0) == bounds


def test_one_mask_at_a_time() -> None:
    with pytest.raises(InputError, match="one mask"):
        LogitTiles(np.zeros((2, 16, 16)), InputFrame((30, 50), 64))
