"""Masks cut to their window come back whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from anymask.core.errors import FormatError, PromptError
from anymask.core.geometry import InputFrame
from anymask.core.masks import mask_area, mask_box
from anymask.core.prediction import Candidate
from anymask.core.upscale import Window, tight
from anymask.studio.prompting.schemas import WindowMask
from anymask.studio.prompting.windows import candidate_json, pixels_of, window_json

masks = arrays.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@given(mask=masks)
def test_a_window_comes_back_as_the_whole_mask(mask: np.ndarray) -> None:
    height, width = mask.shape
    sent = window_json(tight(Window(0, height, 0, width), mask))
    got = WindowMask(size=sent["size"], counts=sent["counts"], offset=sent["offset"])
    assert (pixels_of(got, mask.shape) == mask).all()
    x0, y0, x1, y1 = mask_box(mask)
    assert sent["area"] == mask_area(mask)
    assert sent["bbox"] == [x0, y0, x1 - x0, y1 - y0]


@pytest.mark.parametrize("offset", [[3, 0], [0, 2], [100, 100]])
def test_a_window_that_leaves_the_image_is_refused(offset: list[int]) -> None:
    with pytest.raises(PromptError, match="leaves the image"):
        pixels_of(WindowMask(size=[3, 3], counts="09", offset=offset), (4, 5))


def test_a_damaged_window_is_refused() -> None:
    with pytest.raises(FormatError):
        pixels_of(WindowMask(size=[3, 3], counts="08", offset=[0, 0]), (4, 5))


@given(
    logits=arrays.arrays(np.float32, (8, 8), elements=st.floats(-4, 4, width=32)),
    image_hw=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_a_candidate_is_sent_as_it_is(logits: np.ndarray, image_hw: tuple[int, int]) -> None:
    candidate = Candidate(logits, 0.5, InputFrame(image_hw, 32))
    for with_stability in (False, True):
        sent = candidate_json(candidate, with_stability=with_stability)
        got = WindowMask(size=sent["size"], counts=sent["counts"], offset=sent["offset"])
        assert (pixels_of(got, image_hw) == candidate.mask).all()
        assert sent["area"] == candidate.area
    assert sent["stability_score"] == pytest.approx(candidate.stability, abs=1e-4)
