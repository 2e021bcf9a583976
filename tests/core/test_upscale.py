from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import interpolate

from anymask.core.errors import InputError
from anymask.core.geometry import InputFrame
from anymask.core.upscale import Window, mask_window, tight, upscale, upscale_mask, upscale_window
from tests.core.strategies import frames, logits

low_sides = st.sampled_from([1, 4, 8, 16])


def by_torch(low: np.ndarray, frame: InputFrame) -> np.ndarray:
    """Segment Anything's two steps, in its own words: to the input, without padding, to the image."""
    height, width = frame.resized_hw
    square = (frame.input_size, frame.input_size)
    values = torch.from_numpy(low)[None, None]
    values = interpolate(values, square, mode="bilinear", align_corners=False)[..., :height, :width]
    return interpolate(values, frame.image_hw, mode="bilinear", align_corners=False)[0, 0].numpy()


@pytest.mark.parametrize("size_hw", [(300, 451), (451, 300), (16, 16), (64, 64), (1, 1), (1, 500), (700, 3)])
@pytest.mark.parametrize(("low", "input_size"), [(16, 64), (32, 128), (64, 256), (64, 64), (7, 50)])
def test_equals_torch(size_hw: tuple[int, int], low: int, input_size: int) -> None:
    frame = InputFrame(size_hw, input_size)
    values = np.random.default_rng(0).normal(0, 5, (low, low)).astype(np.float32)
    assert upscale(values, frame) == pytest.approx(by_torch(values, frame), abs=2e-5)


def test_equals_torch_at_full_scale() -> None:
    frame = InputFrame((683, 1000), 1024)
    values = np.random.default_rng(1).normal(0, 5, (256, 256)).astype(np.float32)
    assert upscale(values, frame) == pytest.approx(by_torch(values, frame), abs=2e-5)


@given(data=st.data(), frame=frames, low=logits(low_sides))
def test_a_window_equals_the_slice_of_the_whole_bit_for_bit(
    data: st.DataObject, frame: InputFrame, low: np.ndarray
) -> None:
    height, width = frame.image_hw
    y0, x0 = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    window = Window(y0, data.draw(st.integers(y0, height)), x0, data.draw(st.integers(x0, width)))
    assert np.array_equal(upscale_window(low, frame, window), upscale(low, frame)[window.slices])


@given(frame=frames, low=logits(low_sides), threshold=st.sampled_from([-1.0, 0.0, 0.5, 1.0]))
def test_nothing_is_above_the_threshold_outside_the_window(
    frame: InputFrame, low: np.ndarray, threshold: float
) -> None:
    above = upscale(low, frame) > threshold
    window = mask_window(low, frame, threshold)
    if window is not None:
        above[window.slices] = False
    assert not above.any()


@given(frame=frames, low=logits(low_sides), threshold=st.sampled_from([-1.0, 0.0, 1.0]))
def test_mask_in_its_window_equals_the_whole(frame: InputFrame, low: np.ndarray, threshold: float) -> None:
    found = upscale_mask(low, frame, threshold)
    mask = np.zeros(frame.image_hw, bool)
    if found is not None:
        window, inside = found
        mask[window.slices] = inside
        assert inside.any(axis=0)[[0, -1]].all()
        assert inside.any(axis=1)[[0, -1]].all()
    assert np.array_equal(mask, upscale(low, frame) > threshold)


def test_constant_logits_stay_constant_up_to_rounding() -> None:
    frame = InputFrame((123, 457), 64)
    assert upscale(np.full((16, 16), 3.0), frame) == pytest.approx(3.0, abs=1e-6)


def test_a_hot_cell_in_the_padding_is_never_seen() -> None:
    frame = InputFrame((10, 100), 64)  # resized to 6 x 64: the lower nine tenths are padding
    low = np.full((16, 16), -5, np.float32)
    low[8:, :] = 9
    assert mask_window(low, frame) is None
    assert upscale_mask(low, frame) is None


def test_the_window_of_a_small_mask_is_small() -> None:
    low = np.full((64, 64), -5, np.float32)
    low[10:12, 20:23] = 5
    window = mask_window(low, InputFrame((640, 640), 256))
    assert window is not None
    assert window.size_hw[0] <= 40
    assert window.size_hw[1] <= 50


def test_tight_of_nothing() -> None:
    assert tight(Window(2, 4, 3, 6), np.zeros((2, 3), bool)) is None


def test_bad_arguments_are_refused() -> None:
    frame = InputFrame((10, 20), 16)
    with pytest.raises(InputError, match=r"one mask \(h, w\)"):
        upscale(np.zeros((1, 4, 4)), frame)
    with pytest.raises(InputError, match="not inside the image"):
        upscale_window(np.zeros((4, 4)), frame, Window(0, 11, 0, 5))
    with pytest.raises(InputError, match="not inside the image"):
        upscale_window(np.zeros((4, 4)), frame, Window(5, 4, 0, 5))
