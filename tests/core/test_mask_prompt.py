from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import PromptError
from anymask.core.geometry import InputFrame
from anymask.core.mask_prompt import mask_to_logits
from anymask.core.masks import iou
from anymask.core.upscale import upscale
from tests.core.strategies import masks

SIZES = [(100, 150), (150, 100), (64, 64), (37, 200), (1, 90), (5, 5), (700, 900)]


def covered(start: float, stop: float, pixel: int) -> float:
    """Length of the part of pixel [pixel, pixel + 1) inside [start, stop)."""
    return max(0.0, min(stop, pixel + 1) - max(start, pixel))


@given(mask=masks(), input_size=st.sampled_from([16, 32, 50]), mask_size=st.sampled_from([4, 8, 16]))
def test_logits_are_shares_of_area(mask: np.ndarray, input_size: int, mask_size: int) -> None:
    frame = InputFrame(mask.shape, input_size)  # type: ignore[arg-type]
    cell = input_size / mask_size
    scale_x, scale_y = frame.scale_xy
    height, width = mask.shape
    rows, columns = (
        np.array([[covered(i * cell / s, (i + 1) * cell / s, p) for p in range(n)] for i in range(mask_size)])
        for s, n in ((scale_y, height), (scale_x, width))
    )
    inside, area = rows @ mask @ columns.T, rows @ np.ones_like(mask) @ columns.T
    share = np.divide(inside, area, out=np.zeros_like(area), where=area > 1e-6)
    assert mask_to_logits(mask, frame, mask_size) == pytest.approx(20 * (2 * share - 1), abs=1e-3)


@pytest.mark.parametrize("size_hw", SIZES)
def test_full_and_empty_masks(size_hw: tuple[int, int]) -> None:
    frame = InputFrame(size_hw, 64)
    logits = mask_to_logits(np.ones(size_hw, bool), frame, 16)
    height, width = (int(np.ceil(side / 4)) for side in frame.resized_hw)
    assert (logits[:height, :width] == 20).all()
    assert (logits[height:] == -20).all()  # the padding
    assert (logits[:, width:] == -20).all()
    assert (mask_to_logits(np.zeros(size_hw), frame, 16) == -20).all()


@pytest.mark.parametrize("size_hw", SIZES[:3])
def test_upscaling_gives_about_the_mask_again(size_hw: tuple[int, int]) -> None:
    y, x = np.mgrid[: size_hw[0], : size_hw[1]] / np.array(size_hw)[:, None, None]
    mask = (x - 0.45) ** 2 + (y - 0.55) ** 2 < 0.3**2
    frame = InputFrame(size_hw, 256)
    assert iou(upscale(mask_to_logits(mask, frame, 64), frame) > 0, mask) > 0.95


def test_numbers_are_taken_as_masks() -> None:
    frame = InputFrame((8, 8), 8)
    mask = np.eye(8)
    assert np.array_equal(mask_to_logits(mask * 255, frame, 4), mask_to_logits(mask.astype(bool), frame, 4))


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(PromptError, match="give a mask of its size"):
        mask_to_logits(np.ones((3, 4)), InputFrame((4, 3), 8), 4)
    with pytest.raises(PromptError, match="mask_size 0"):
        mask_to_logits(np.ones((4, 3)), InputFrame((4, 3), 8), 0)
