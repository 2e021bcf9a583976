"""Corrections change a mask near their click, by what the click says, and nowhere else."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anymask.core.geometry import InputFrame
from anymask.core.prediction import Candidate, Prediction
from anymask.predict.corrections import correct_locally

FRAME = InputFrame((64, 64), 64)
logits = arrays(np.float32, (16, 16), elements=st.floats(-20, 20, width=32))


def candidate(values: np.ndarray) -> Candidate:
    return Candidate(values.astype(np.float32), 0.7, FRAME)


def corrected(old: np.ndarray, new: np.ndarray, x: float, y: float, include: bool) -> np.ndarray:
    found = correct_locally(candidate(old), Prediction((candidate(new),)), (x, y), include=include)
    return np.asarray(found.best.low_res_logits)


@given(logits, logits, st.integers(0, 63), st.integers(0, 63), st.booleans())
def test_a_click_changes_only_what_it_is_about(
    old: np.ndarray, new: np.ndarray, x: int, y: int, include: bool
) -> None:
    """Include clicks never take away, exclude clicks never add; a satisfied click takes the new mask."""
    found = corrected(old, new, x, y, include)
    if bool(candidate(old).mask[y, x]) == include:
        assert np.array_equal(found, new.astype(np.float32))
        return
    was, now = old > 0, found > 0
    assert not ((was & ~now) if include else (~was & now)).any()
    assert (now[was != now] == (new > 0)[was != now]).all()


def square(x0: int, y0: int, x1: int, y1: int, strength: float = 8.0) -> np.ndarray:
    values = np.full((16, 16), -strength, np.float32)
    values[y0:y1, x0:x1] = strength
    return values


def test_what_lies_elsewhere_stays() -> None:
    """The new mask adds a part at the click and, far away, a stray piece: only the part is taken."""
    old, new = square(2, 2, 6, 6), square(2, 2, 10, 6)
    new[12:15, 12:15] = 8
    found = corrected(old, new, 32, 16, include=True) > 0
    assert found[2:6, 2:10].all()
    assert not found[12:15, 12:15].any()


def test_a_removal_does_not_bring_the_background_in() -> None:
    old, new = square(2, 2, 12, 8), square(2, 2, 8, 14)
    found = corrected(old, new, 40, 20, include=False) > 0
    assert not found[2:8, 8:12].any()
    assert found[2:8, 2:8].all()
    assert not found[8:, :].any()


def test_scores_are_the_new_ones() -> None:
    new = Candidate(square(2, 2, 10, 6), 0.31, FRAME)
    found = correct_locally(candidate(square(2, 2, 6, 6)), Prediction((new,)), (32, 16), include=True)
    assert found.best.score == 0.31


def test_an_empty_mask_takes_all_that_the_click_touches() -> None:
    old, new = square(0, 0, 0, 0), square(2, 2, 10, 6)
    assert np.array_equal(corrected(old, new, 20, 14, include=True) > 0, new > 0)
