from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import FormatError, OutputError
from anymask.models.manifest import FileEntry, Manifest
from anymask.models.spec import ARCHITECTURES, PROMPTS, Download, ModelSpec

SHA = "0123456789abcdef" * 4
SPEC = ModelSpec("lite", "lite", version="0.1.0", input_size=512, mask_size=128, features=("s16", "s8", "s4"))
FILES = {"weights.safetensors": FileEntry(SHA, 12), "encoder.onnx": FileEntry(SHA, 7)}
MANIFEST = Manifest(SPEC, FILES, source={"shards": 3}, training={"steps": 10}, metrics={"click_iou": 0.5})

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
pixel = st.floats(0.5, 255)
json_values = st.integers() | st.text(max_size=5) | st.booleans() | st.none()
json_objects = st.dictionaries(st.text(max_size=5), json_values, max_size=3)
entries = st.builds(FileEntry, st.from_regex(r"[0-9a-f]{64}", fullmatch=True), st.integers(1, 10**12))


@given(
    name=names,
    architecture=st.sampled_from(ARCHITECTURES),
    size=st.integers(1, 4096),
    triple=st.tuples(pixel, pixel, pixel),
    features=st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4, unique=True),
    prompts=st.lists(st.sampled_from(PROMPTS), min_size=1, unique=True),
    config=json_objects,
    automatic=st.dictionaries(st.text(max_size=5), st.dictionaries(st.text(max_size=5), st.floats(0, 1))),
    files=st.dictionaries(names.filter(lambda n: n != "manifest.json"), entries, max_size=3),
    weights=entries,
)
def test_a_manifest_survives_json(
    name: str,
    architecture: str,
    size: int,
    triple: Any,
    features: list[str],
    prompts: list[str],
    config: Any,
    automatic: Any,
    files: Any,
    weights: FileEntry,
) -> None:
    words = {"features": tuple(features), "prompts": tuple(prompts), "automatic": automatic}
    spec = ModelSpec(name, architecture, size, size, triple, triple, triple, config=config, **words)
    manifest = Manifest(spec, files | {"weights.safetensors": weights}, source=config, metrics=config)
    assert Manifest.from_json(json.loads(json.dumps(manifest.to_json()))) == manifest


def test_a_manifest_survives_a_file(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path / "manifest.json")
    assert Manifest.read(tmp_path / "manifest.json") == MANIFEST
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]


def test_the_form_on_disk_is_the_documented_one() -> None:
    assert MANIFEST.to_json() == {
        "format": 1,
        "name": "lite",
        "version": "0.1.0",
        "architecture": "lite",
        "config": {},
        "input_size": 512,
        "mask_size": 128,
        "pixel_mean": [123.675, 116.28, 103.53],
        "pixel_std": [58.395, 57.12, 57.375],
        "pad_value": [123.675, 116.28, 103.53],
        "features": ["s16", "s8", "s4"],
        "prompts": ["point", "box", "mask"],
        "files": {
            "encoder.onnx": {"sha256": SHA, "bytes": 7},
            "weights.safetensors": {"sha256": SHA, "bytes": 12},
        },
        "licence": "unknown",
        "source": {"shards": 3},
        "training": {"steps": 10},
        "metrics": {"click_iou": 0.5},
    }


def test_fields_of_later_versions_are_ignored() -> None:
    assert Manifest.from_json(MANIFEST.to_json() | {"colour": "blue"}) == MANIFEST


REQUIRED = sorted(set(MANIFEST.to_json()) - {"prompts", "source", "training", "metrics"})


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_field_is_named(name: str) -> None:
    data = MANIFEST.to_json()
    del data[name]
    with pytest.raises(FormatError, match=rf"'{name}'"):
        Manifest.from_json(data)


WRONG = [
    ("format", 2),
    ("format", None),
    ("name", ""),
    ("name", "../up"),
    ("name", "a@b"),
    ("name", ".hidden"),
    ("name", 5),
    ("version", "1 0"),
    ("version", 1.0),
    ("architecture", "sam_vit_x"),
    ("architecture", ["lite"]),
    ("input_size", 0),
    ("input_size", 1.5),
    ("input_size", True),
    ("mask_size", "256"),
    ("pixel_mean", [1, 2]),
    ("pixel_mean", [1, 2, math.nan]),
    ("pixel_mean", 3),
    ("pixel_std", [1, 0, 1]),
    ("pad_value", [1, 2, "3"]),
    ("features", []),
    ("features", ["a", "a"]),
    ("features", "s16"),
    ("prompts", ["words"]),
    ("prompts", []),
    ("licence", ""),
    ("config", []),
    ("automatic", []),
    ("automatic", {"demo": 0.5}),
    ("automatic", {"demo": {"pred_iou_thresh": "high"}}),
    ("source", "the web"),
    ("training", None),
    ("metrics", [1]),
    ("files", []),
    ("files", {}),
    ("files", {"encoder.onnx": {"sha256": SHA, "bytes": 7}}),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_field_is_named(name: str, value: Any) -> None:
    with pytest.raises(FormatError, match=rf"'{name}' is .*; expected ") as caught:
        Manifest.from_json(MANIFEST.to_json() | {name: value})
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "entry",
    [None, {}, {"sha256": SHA}, {"bytes": 1}, {"sha256": "X" * 64, "bytes": 1}, {"sha256": SHA, "bytes": 0}],
)
def test_a_wrong_file_entry_is_named(entry: Any) -> None:
    with pytest.raises(FormatError, match="'files"):
        Manifest.from_json(MANIFEST.to_json() | {"files": {"weights.safetensors": entry}})


@pytest.mark.parametrize(
    "name", ["../weights", "a/b", "a\\b", "/etc/passwd", "C:x", "", ".", "..", "manifest.json", "a\0"]
)
def test_files_cannot_leave_their_folder(name: str) -> None:
    data = MANIFEST.to_json()
    data["files"] = data["files"] | {name: {"sha256": SHA, "bytes": 1}}
    with pytest.raises(FormatError, match="plain file names"):
        Manifest.from_json(data)


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_file_that_is_no_manifest_is_one_line_with_its_path(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(text)
    with pytest.raises(FormatError, match=r"manifest.json") as caught:
        Manifest.read(path)
    assert "\n" not in str(caught.value)


def test_a_missing_manifest_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"Cannot read .*manifest.json: No such file"):
        Manifest.read(tmp_path / "manifest.json")


def test_a_manifest_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        MANIFEST.write(tmp_path / "missing" / "manifest.json")


def test_a_spec_names_itself_with_its_version() -> None:
    assert SPEC.full_name == "lite@0.1.0"
    assert replace(SPEC, name="mine").full_name == "mine@0.1.0"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://host/a/b/sam.pth", "sam.pth"),
        ("https://host/sam.pth?download=1#top", "sam.pth"),
        ("http://host/a/sam.pth/", "sam.pth"),
    ],
)
def test_a_download_knows_its_file_name(url: str, expected: str) -> None:
    assert Download(url, 1, SHA).file_name == expected


@pytest.mark.parametrize(
    ("url", "size", "sha", "field"),
    [
        ("ftp://host/a", 1, SHA, "url"),
        ("https://host/a", 0, SHA, "bytes"),
        ("https://host/a", -1, SHA, "bytes"),
        ("https://host/a", 1, SHA.upper(), "sha256"),
        ("https://host/a", 1, SHA[:-1], "sha256"),
    ],
)
def test_a_download_checks_itself(url: str, size: int, sha: str, field: str) -> None:
    with pytest.raises(FormatError, match=f"'{field}'"):
        Download(url, size, sha)
