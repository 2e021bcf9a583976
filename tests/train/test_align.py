"""Fitting the head of "words" on made-up features whose answer is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anymask.core.errors import InputError
from anymask.text.encoder import Calibration, unit
from anymask.text.looks import FEATURES, Looks
from anymask.train.align import Examples, collect, fit, is_held_out, make_head, spoken
from anymask.train.shards import ShardCache

RNG = np.random.default_rng(0)
WORDS = ["cat", "dog", "car", "tree"]
TEXTS = unit(RNG.normal(size=(4, 12)).astype(np.float32))
CENTRES = RNG.normal(size=(4, FEATURES)).astype(np.float32)


def examples(count: int, seed: int) -> Examples:
    rng = np.random.default_rng(seed)
    right = rng.integers(0, 4, count)
    features = CENTRES[right] + rng.normal(size=(count, FEATURES)).astype(np.float32)
    labels = np.array([WORDS[k] for k in right])
    pictures = np.array([f"picture-{i}" for i in range(count)])
    return Examples(Looks(features, np.full((count, 1000), 0.001, np.float32)), labels, pictures, pictures)


def test_unseen_masks_come_near_their_words() -> None:
    classes = np.zeros((1000, 12), np.float32)
    head = make_head(fit(examples(120, 1), WORDS, TEXTS), classes, Calibration(20.0), {})
    new = examples(60, 2)
    nearest = (head(new.looks) @ TEXTS.T).argmax(axis=1)
    assert [WORDS[k] for k in nearest] == new.labels.tolist()
    np.testing.assert_allclose(np.linalg.norm(head(new.looks), axis=1), 1, atol=1e-5)


def test_the_same_examples_give_the_same_map() -> None:
    first, second = (fit(examples(50, 1), WORDS, TEXTS) for _ in range(2))
    np.testing.assert_array_equal(first.down @ first.up, second.down @ second.up)


def test_examples_are_saved_and_loaded(tmp_path: Path) -> None:
    given = examples(5, 1)
    given.save(tmp_path / "e.npz")
    again = Examples.load(tmp_path / "e.npz")
    np.testing.assert_allclose(again.looks.features, given.looks.features, atol=0.01)
    assert (again.labels == given.labels).all()
    assert again.of(np.array([0, 2])).pictures.tolist() == ["picture-0", "picture-2"]


def test_pictures_and_words_are_held_out_by_name_alone() -> None:
    names = [f"name-{i}" for i in range(5000)]
    held = [name for name in names if is_held_out(name, 5)]
    assert len(held) == pytest.approx(1000, abs=100)
    assert held == [name for name in names if is_held_out(name, 5)]
    assert spoken("round particle (microscope)") == "round particle"


def test_masks_are_looked_at_in_the_numbers_asked_for(cache: ShardCache) -> None:
    class Blind:
        def look(self, picture: object, records: list[object]) -> Looks:
            zeros = np.zeros((len(records), FEATURES), np.float32)
            return Looks(zeros, np.zeros((len(records), 1000), np.float32))

    lines: list[str] = []
    found = collect(cache, Blind(), per_source=2, per_picture=2, per_label=1, report=lines.append)  # type: ignore[arg-type]
    _, counts = np.unique(found.pictures, return_counts=True)
    assert counts.max() <= 2
    pairs = set(zip(found.pictures.tolist(), found.labels.tolist(), strict=True))
    assert len(pairs) == len(found.labels)
    _, per_source = np.unique(
        [s for s, _ in {*zip(found.sources, found.pictures, strict=True)}], return_counts=True
    )
    assert per_source.max() <= 2
    assert lines
    with pytest.raises(InputError, match="no labelled mask"):
        collect(cache, Blind(), per_source=0, per_picture=2, per_label=1, report=lines.append)  # type: ignore[arg-type]
