"""Layers of crops by the image's size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.automatic import everything, generate_masks
from anymask.automatic.crop_rule import MOST_LAYERS, crop_layers, look_and_resolve, resolved
from anymask.automatic.crops import image_crops
from anymask.core.errors import InputError
from tests.fake_runtime import fake_model, scene


@pytest.mark.parametrize(
    ("long_side", "layers"),
    [(1, 0), (1024, 0), (2048, 0), (2049, 1), (4096, 1), (4097, 2), (8192, 2), (8193, 3), (60_000, 3)],
)
def test_the_stated_rule(long_side: int, layers: int) -> None:
    assert crop_layers((long_side, 10), 1024) == crop_layers((10, long_side), 1024) == layers


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.sampled_from([224, 448, 1024]))
def test_the_smallest_crops_are_seen_large_enough(height: int, width: int, input_size: int) -> None:
    layers = crop_layers((height, width), input_size)
    smallest = max(height, width) / 2**layers
    assert smallest <= 2 * input_size or layers == MOST_LAYERS
    assert layers == 0 or 2 * smallest > 2 * input_size  # one layer less would not do
    last = [crop for crop in image_crops((height, width), layers, 0.0) if crop.layer == layers]
    assert max(max(crop.window.size_hw) for crop in last) <= smallest + 1


def test_numbers_stay() -> None:
    given_settings: dict[str, Any] = {"crop_n_layers": 2, "min_area": 5}
    assert resolved(given_settings, (9000, 9000), 64) == given_settings
    assert resolved({}, (9000, 9000), 64) == {}
    pixels = np.zeros((5, 5))
    assert look_and_resolve(pixels, given_settings, 64) == (pixels, given_settings)


@pytest.mark.parametrize(("input_size", "layers"), [(80, 0), (79, 1), (40, 1), (39, 2)])
def test_auto_is_the_rules_number(input_size: int, layers: int) -> None:
    model = fake_model(input_size=input_size)  # the scene is 160 pixels wide
    common: dict[str, Any] = {"points_per_side": 4, "stability_score_thresh": 0.2}
    expected = generate_masks(model, scene(), crop_n_layers=layers, **common)
    assert expected
    assert generate_masks(model, scene(), crop_n_layers="auto", **common) == expected
    state = everything(model, scene(), crop_n_layers="auto", **common)
    assert state.settings.crop_n_layers == layers
    assert state.records() == expected


def test_an_embedding_has_no_pixels() -> None:
    model = fake_model(input_size=64)
    with pytest.raises(InputError, match="no pixels to crop"):
        generate_masks(model, model.embed(scene()), crop_n_layers="auto")
    large = fake_model(input_size=256)
    assert generate_masks(large, large.embed(scene()), crop_n_layers="auto", points_per_side=4)
