"""Which picture comes next: unsure ones, unlike those before."""

from __future__ import annotations

import numpy as np
import pytest

import anymask
from anymask.core.errors import InputError
from anymask.learn import Look, look_at, most_informative
from tests.train.toys import drawing


def look(uncertainty: float, *direction: float) -> Look:
    vector = np.array(direction, np.float32)
    return Look(uncertainty, vector / np.linalg.norm(vector))


def test_the_most_uncertain_comes_first() -> None:
    assert most_informative([look(0.1, 1, 0), look(0.9, 1, 0.1), look(0.5, 0.9, 0)])[0] == 1


def test_a_like_picture_comes_after_an_unlike_one() -> None:
    looks = [look(0.9, 1, 0), look(0.8, 1, 0.01), look(0.3, 0, 1)]
    assert most_informative(looks) == [0, 2, 1]


def test_what_is_labelled_already_counts_as_chosen() -> None:
    looks = [look(0.9, 1, 0), look(0.3, 0, 1)]
    assert most_informative(looks, [look(0.5, 1, 0.001)]) == [1, 0]


def test_every_picture_gets_a_place_once() -> None:
    rng = np.random.default_rng(0)
    looks = [look(float(rng.random()), *rng.normal(size=8)) for _ in range(40)]
    assert sorted(most_informative(looks)) == list(range(40))
    assert most_informative(looks, most=7) == most_informative(looks)[:7]
    assert most_informative([]) == []


def test_looks_of_different_models_do_not_mix() -> None:
    with pytest.raises(InputError, match="different models"):
        most_informative([look(0.5, 1, 0), look(0.5, 1, 0, 0)])


def test_a_look_is_the_same_from_a_picture_and_its_embedding() -> None:
    model = anymask.load("lite")
    pixels, _ = drawing(0)
    one, other = look_at(model, pixels), look_at(model, model.embed(pixels))
    assert one.uncertainty == other.uncertainty
    np.testing.assert_array_equal(one.features, other.features)
    assert 0 < one.uncertainty < 1
    assert np.linalg.norm(one.features) == pytest.approx(1, abs=1e-5)
