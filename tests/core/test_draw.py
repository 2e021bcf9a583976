from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core import draw
from anymask.core.errors import InputError
from anymask.core.prompt import Prompt

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
MASK = np.zeros((60, 80), bool)
MASK[20:40, 30:60] = True


def far_from(mask: np.ndarray, distance: int) -> np.ndarray:
    """Pixels more than `distance` rows and columns away from any edge of the mask."""
    import cv2

    kernel = np.ones((2 * distance + 1,) * 2, np.uint8)
    grown, shrunk = cv2.dilate(mask.view(np.uint8), kernel), cv2.erode(mask.view(np.uint8), kernel)
    return np.asarray(grown == shrunk)


def test_overlay_tints_the_mask_and_leaves_the_rest() -> None:
    result = draw.overlay(PIXELS, [MASK], colours=[(255, 0, 0)], opacity=0.4)
    calm = far_from(MASK, 4)
    assert np.array_equal(result[calm & ~MASK], PIXELS[calm & ~MASK])
    expected = PIXELS[calm & MASK] * 0.6 + np.array([255, 0, 0]) * 0.4
    assert result[calm & MASK] == pytest.approx(expected, abs=0.51)
    assert not np.array_equal(result[~calm], PIXELS[~calm])  # the outline
    plain = draw.overlay(PIXELS, [MASK], opacity=0.4, outline=False)
    assert np.array_equal(plain[~MASK], PIXELS[~MASK])


def test_small_masks_are_drawn_over_large_ones() -> None:
    small = np.zeros_like(MASK)
    small[25:30, 40:45] = True
    for order in ([MASK, small], [small, MASK]):
        colours = [(255, 0, 0) if mask is MASK else (0, 0, 255) for mask in order]
        result = draw.overlay(PIXELS, order, colours=colours, opacity=1, outline=False)
        assert result[27, 42].tolist() == [0, 0, 255]


def test_the_tint_of_a_small_mask_is_not_mixed_with_that_below() -> None:
    small = np.zeros_like(MASK)
    small[25:35, 40:50] = True
    colours = [(255, 0, 0), (0, 0, 255)]
    both = draw.overlay(PIXELS, [MASK, small], colours=colours, outline=False)
    alone = draw.overlay(PIXELS, [small], colours=colours[1:], outline=False)
    assert np.array_equal(both[small], alone[small])


def test_contour_touches_the_edge_only() -> None:
    result = draw.contour(PIXELS, MASK, colour=(1, 2, 3))
    changed = (result != PIXELS).any(axis=2)
    assert not changed[far_from(MASK, 4)].any()
    assert result[20, 45].astype(int) == pytest.approx([1, 2, 3], abs=60)  # smoothed, so not the very colour


def test_the_arguments_stay_as_they_are() -> None:
    before = PIXELS.copy()
    draw.overlay(PIXELS, [MASK])
    draw.contour(PIXELS, MASK)
    draw.draw_prompt(PIXELS, Prompt.of((60, 80), points=[(5, 5), (9, 9, 0)], box=(1, 1, 50, 50)))
    draw.cutout(PIXELS, MASK)
    assert np.array_equal(PIXELS, before)


def test_empty_masks_change_nothing() -> None:
    nothing = np.zeros_like(MASK)
    assert np.array_equal(draw.overlay(PIXELS, [nothing]), PIXELS)
    assert np.array_equal(draw.overlay(PIXELS, []), PIXELS)
    assert np.array_equal(draw.contour(PIXELS, nothing), PIXELS)
    assert not draw.cutout(PIXELS, nothing, crop=True).any()
    assert draw.cutout(PIXELS, nothing, crop=True).shape == (60, 80, 4)


def test_prompts_are_drawn_where_they_are() -> None:
    blank = np.zeros((200, 300, 3), np.uint8)
    prompt = Prompt.of((200, 300), points=[(50, 60), (150, 160, 0)], box=(200, 20, 280, 100))
    result = draw.draw_prompt(blank, prompt)
    assert result[56, 46].tolist() == list(draw.INCLUDE)
    assert result[156, 146].tolist() == list(draw.EXCLUDE)
    assert result[60, 50].tolist() == [255, 255, 255]
    assert result[50, 240].tolist() == [0, 0, 0]
    assert result[20, 240].any()
    assert result[100, 240].any()


@given(feather=st.floats(0, 5))
def test_alpha_is_soft_at_the_edge_only(feather: float) -> None:
    alpha = draw.soft_alpha(MASK, feather)
    calm = far_from(MASK, int(np.ceil(3 * feather)) + 1)
    assert alpha[calm] == pytest.approx(MASK[calm].astype(float), abs=1e-5)
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    wide = np.zeros((80, 80), bool)
    wide[:, :40] = True
    middle = draw.soft_alpha(wide, feather)[40]
    assert (np.diff(middle) <= 1e-6).all()
    assert middle[39] + middle[40] == pytest.approx(1, abs=1e-5)


def test_alpha_stays_full_at_the_border_of_the_image() -> None:
    assert draw.soft_alpha(np.ones((9, 9)), 2.0) == pytest.approx(1, abs=1e-6)


def test_cutout_keeps_the_object_and_hides_the_rest() -> None:
    cut = draw.cutout(PIXELS, MASK, feather=1.0)
    calm = far_from(MASK, 4)
    assert cut.shape == (60, 80, 4)
    assert np.array_equal(cut[MASK][:, :3], PIXELS[MASK])
    assert (cut[calm & MASK][:, 3] == 255).all()
    assert not cut[calm & ~MASK].any()


def test_the_soft_edge_has_colours_of_the_object() -> None:
    pixels = np.where(MASK[..., None], np.uint8(200), np.uint8(10)).astype(np.uint8).repeat(3, axis=2)
    cut = draw.cutout(pixels, MASK, feather=2.0)
    edge = (cut[..., 3] > 0) & ~MASK
    assert edge.any()
    assert (cut[edge][:, :3] == 200).all()


def test_cropped_cutout() -> None:
    assert draw.cutout(PIXELS, MASK, feather=0, crop=True).shape == (20, 30, 4)
    assert draw.cutout(PIXELS, np.ones_like(MASK), crop=True).shape == (60, 80, 4)


def test_palette() -> None:
    colours = draw.palette(60)
    assert len(set(colours)) == 60
    assert draw.palette(3) == colours[:3]
    for first, second in pairwise(colours):
        assert max(abs(a - b) for a, b in zip(first, second, strict=True)) > 60


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="the mask has size"):
        draw.overlay(PIXELS, [MASK.T])
    with pytest.raises(InputError, match="1 colours for 2 masks"):
        draw.overlay(PIXELS, [MASK, MASK], colours=[(1, 2, 3)])
    with pytest.raises(InputError, match="opacity 2"):
        draw.overlay(PIXELS, [MASK], opacity=2)
    with pytest.raises(InputError, match="expected uint8"):
        draw.contour(PIXELS[..., 0], MASK)
    with pytest.raises(InputError, match="feather -1"):
        draw.cutout(PIXELS, MASK, feather=-1)
