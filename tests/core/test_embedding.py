from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import AnymaskError, EmbeddingError, FormatError, InputError, OutputError
from anymask.core.geometry import InputFrame

FEATURES = {
    "s16": np.random.default_rng(0).normal(size=(1, 4, 3, 3)).astype(np.float32),
    "s4": np.ones((1, 2, 5, 5), np.float16),
}


def embedding(**changes: Any) -> ImageEmbedding:
    facts: dict[str, Any] = {
        "features": FEATURES,
        "model": "lite-ü",
        "model_sha256": "ab" * 32,
        "image_sha256": "cd" * 32,
        "image_hw": (30, 40),
        "input_size": 64,
    }
    return ImageEmbedding(**{**facts, **changes})


def same(one: ImageEmbedding, other: ImageEmbedding) -> bool:
    facts = ("model", "model_sha256", "image_sha256", "image_hw", "input_size")
    features = one.features.keys() == other.features.keys() and all(
        one.features[name].dtype == other.features[name].dtype
        and np.array_equal(one.features[name], other.features[name])
        for name in one.features
    )
    return features and all(getattr(one, fact) == getattr(other, fact) for fact in facts)


def test_save_and_load(tmp_path: Path) -> None:
    path = embedding().save(tmp_path / "a.safetensors")
    loaded = ImageEmbedding.load(path)
    assert same(loaded, embedding())
    assert loaded.frame == InputFrame((30, 40), 64)
    assert loaded.nbytes == 4 * 36 + 2 * 50
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_pickles() -> None:
    assert same(pickle.loads(pickle.dumps(embedding())), embedding())  # noqa: S301 (our own bytes)


def test_features_cannot_be_changed(tmp_path: Path) -> None:
    mine = {"f": np.zeros((2, 2), np.float32)}
    value = embedding(features=mine)
    mine["f"][:] = 7
    assert (value.features["f"] == 0).all()
    loaded = ImageEmbedding.load(value.save(tmp_path / "a"))
    for array in (value.features["f"], loaded.features["f"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({}, "no features"),
        ({"f": np.full((2, 2), np.nan, np.float32)}, "NaN"),
        ({"f": np.full((2, 2), np.inf, np.float16)}, "infinite"),
        ({"f": np.zeros((2, 2), np.int32)}, "int32"),
        ({"f": np.zeros((0, 2), np.float32)}, "not empty"),
    ],
)
def test_broken_features_are_refused(features: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(EmbeddingError, match=message):
        embedding(features=features)


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="not sizes"):
        embedding(image_hw=(0, 4))


def test_files_that_are_no_embedding_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is not a file"):
        ImageEmbedding.load(tmp_path / "no")
    with pytest.raises(FormatError, match="is not a file"):
        ImageEmbedding.load(tmp_path)
    weights = tmp_path / "w.safetensors"
    save_file({"w": np.zeros(3, np.float32)}, weights)
    with pytest.raises(FormatError, match="not an embedding"):
        ImageEmbedding.load(weights)
    save_file(
        {"w": np.zeros(3, np.float32)}, weights, metadata={"format": "anymask-embedding", "version": "9"}
    )
    with pytest.raises(FormatError, match="version 9"):
        ImageEmbedding.load(weights)
    save_file(
        {"w": np.zeros(3, np.float32)}, weights, metadata={"format": "anymask-embedding", "version": "1"}
    )
    with pytest.raises(FormatError, match="damaged"):
        ImageEmbedding.load(weights)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist; create it first"):
        embedding().save(tmp_path / "no" / "a.safetensors")


@given(cut=st.floats(0, 1), noise=st.binary(min_size=1, max_size=8))
def test_damaged_files_are_refused_or_still_whole(
    tmp_path_factory: pytest.TempPathFactory, cut: float, noise: bytes
) -> None:
    path = tmp_path_factory.mktemp("e") / "a.safetensors"
    whole = embedding().save(path).read_bytes()
    at = int(cut * len(whole))
    for damaged in (whole[:at], whole[:at] + noise + whole[at + len(noise) :]):
        path.write_bytes(damaged)
        try:
            loaded = ImageEmbedding.load(path)
        except AnymaskError as error:
            kind = type(error)
        else:
            kind = type(None)
            assert loaded.features
        assert kind in (FormatError, type(None))
