"""Where the simulated person points."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from anymask.core.prompt import Prompt
from anymask.evaluate.clicks import central_click, mask_rng, next_click, random_click, stroke

regions = arrays(bool, (12, 17)).filter(np.any)


def exact_depth(region: np.ndarray) -> np.ndarray:
    """Squared distance of every pixel from the nearest one outside."""
    return np.rint(ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1] ** 2).astype(int)


@given(regions)
def test_the_first_click_is_the_first_of_the_deepest_pixels(region: np.ndarray) -> None:
    x, y, label = central_click(region)
    assert label == 1
    assert (y, x) == np.unravel_index(exact_depth(region).argmax(), region.shape)


@given(regions, arrays(bool, (12, 17)), st.none() | arrays(bool, (12, 17)))
def test_the_next_click_is_the_deepest_error(
    mask: np.ndarray, guess: np.ndarray, scored: np.ndarray | None
) -> None:
    counted = np.ones_like(mask) if scored is None else scored
    missing, surplus = mask & ~guess & counted, guess & ~mask & counted
    click = next_click(mask, guess, scored)
    assert (click is None) == (not (missing | surplus).any())
    if click is not None:
        x, y, label = click
        assert (missing if label else surplus)[y, x]
        deepest = max(exact_depth(side).max() for side in (missing, surplus))
        assert exact_depth(missing if label else surplus)[y, x] == deepest


@given(regions, st.integers(0, 2**32))
def test_a_random_click_lies_on_the_object(region: np.ndarray, seed: int) -> None:
    x, y, _ = random_click(region, np.random.default_rng(seed))
    assert region[y, x]


def test_random_clicks_reach_every_pixel() -> None:
    region = np.zeros((4, 5), bool)
    region[1, 1:4] = region[2, 2] = True
    rng = np.random.default_rng(0)
    clicks = [random_click(region, rng)[:2] for _ in range(400)]
    counts = [clicks.count((x, y)) for y, x in np.argwhere(region)]
    assert sum(counts) == 400
    assert min(counts) > 60


@given(regions, st.integers(0, 2**32))
def test_a_stroke_stays_inside_the_object(region: np.ndarray, seed: int) -> None:
    drawn = stroke(region, np.random.default_rng(seed))
    x, y = np.floor(drawn).astype(int).T
    assert region[y, x].all()
    assert (np.abs(np.diff(drawn, axis=0)) <= 1).all()
    assert np.array_equal(drawn, stroke(region, np.random.default_rng(seed)))
    Prompt.of(region.shape, scribble=drawn)


def test_a_stroke_follows_the_middle() -> None:
    band = np.zeros((60, 100), bool)
    band[20:41, 5:95] = True  # the middle line is row 30
    for seed in range(8):
        drawn = stroke(band, np.random.default_rng(seed))
        inner = drawn[(drawn[:, 0] > 20) & (drawn[:, 0] < 80)]
        assert len(inner) > 15
        assert np.abs(inner[:, 1] - 30.5).max() <= 2


def test_a_stroke_round_a_bend() -> None:
    """The straight way between the ends of an L leads outside; the stroke must not take it."""
    bent = np.zeros((80, 80), bool)
    bent[10:20, 10:70] = bent[10:70, 10:20] = True
    for seed in range(8):
        drawn = stroke(bent, np.random.default_rng(seed))
        x, y = np.floor(drawn).astype(int).T
        assert bent[y, x].all()
        assert len(drawn) > 45


def test_chance_of_a_mask() -> None:
    draws = {
        (seed, key, number): mask_rng(seed, key, number).integers(2**62)
        for seed in (0, 1)
        for key in ("a", "b", "a 1")
        for number in (0, 1)
    }
    assert len(set(draws.values())) == len(draws)
    assert mask_rng(0, "a", 0).integers(2**62) == draws[0, "a", 0]
