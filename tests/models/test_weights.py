"""The weights file: readable by others, where the layout says, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from anymask.core.errors import ModelError, OutputError
from anymask.models.folder import file_sha256
from anymask.models.weights import PAGE, Layout, read_layout, write_weights

SHAPES = {"a.weight": (4, 16), "odd": (3,), "b.weight": (2, 3, 5), "c.bias": (16,), "scalar": ()}


def tensors(shapes: dict[str, tuple[int, ...]] = SHAPES) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def test_others_read_what_we_write(tmp_path: Path) -> None:
    given_tensors = tensors()
    sha256 = write_weights(tmp_path / "w", given_tensors, Layout.of(SHAPES))
    read = load_file(tmp_path / "w")
    assert read.keys() == given_tensors.keys()
    for name, value in given_tensors.items():
        np.testing.assert_array_equal(read[name], value)
    assert sha256 == file_sha256(tmp_path / "w")


def test_float16_only_where_asked(tmp_path: Path) -> None:
    layout = Layout.of(SHAPES, half=lambda name: name.endswith("weight"))
    given_tensors = tensors()
    write_weights(tmp_path / "w", given_tensors, layout)
    read = load_file(tmp_path / "w")
    for name, value in given_tensors.items():
        assert read[name].dtype == (np.float16 if name.endswith("weight") else np.float32)
        np.testing.assert_allclose(read[name], value, rtol=1e-3)


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.lists(st.integers(0, 9), max_size=4).map(tuple)))
def test_tensors_follow_each_other_from_a_page_on(shapes: dict[str, tuple[int, ...]]) -> None:
    layout = Layout.of(shapes)
    position = len(layout.header)
    assert position % PAGE == 0
    aligned = True
    for place in layout.places.values():
        assert place.offset == position
        position += place.length
        aligned &= place.length % 64 == 0
        assert aligned or place.length % 64  # those that keep the next one on a cache line come first
    assert layout.file_length == position
    assert Layout.read(layout.header) == layout


def test_tensors_are_taken_one_at_a_time(tmp_path: Path) -> None:
    class Lazy(dict[str, np.ndarray]):
        taken: list[str] = []  # noqa: RUF012

        def __getitem__(self, name: str) -> np.ndarray:
            self.taken.append(name)
            return super().__getitem__(name)

    layout = Layout.of(SHAPES)
    write_weights(tmp_path / "w", Lazy(tensors()), layout)
    assert Lazy.taken == list(layout.places)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("odd"), "missing odd; unexpected none"),
        (lambda t: t.update(more=t["odd"]), "missing none; unexpected more"),
        (lambda t: t.update(odd=np.zeros(4)), r"'odd' has shape \(4,\), expected \(3,\)"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_old_file_stays(change, message: str, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"old")
    changed = tensors()
    change(changed)
    with pytest.raises(ModelError, match=message):
        write_weights(tmp_path / "w", changed, Layout.of(SHAPES))
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("w", b"old")]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Cannot write"):
        write_weights(tmp_path / "none" / "w", tensors(), Layout.of(SHAPES))


def test_read_layout_is_the_written_one(tmp_path: Path) -> None:
    write_weights(tmp_path / "w", tensors(), Layout.of(SHAPES))
    assert read_layout(tmp_path / "w") == Layout.of(SHAPES)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda b: b[:-1], "bytes, expected"),
        (lambda b: b[:100], "header would be"),
        (lambda b: b"", "not the beginning of a weights file"),
        (lambda b: b"not a weights file, but text long enough", "header would be"),
        (lambda b: b[:8] + b"{" * (len(b) - 8), "not the beginning of a weights file"),
        (lambda b: b.replace(b"F32", b"I32"), "dtype I32"),
        (lambda b: b.replace(b"[4,16]", b"[4,17]"), "bytes for shape"),
    ],
)
def test_damaged_files_are_refused_in_one_line(damage, message: str, tmp_path: Path) -> None:
    write_weights(tmp_path / "w", tensors(), Layout.of(SHAPES))
    (tmp_path / "w").write_bytes(damage((tmp_path / "w").read_bytes()))
    with pytest.raises(ModelError, match=message) as caught:
        read_layout(tmp_path / "w")
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="Cannot read"):
        read_layout(tmp_path / "w")
