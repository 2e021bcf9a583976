from __future__ import annotations

from pathlib import Path

import pytest

from anymask.core.errors import ChecksumError, FormatError, ModelError
from anymask.models.folder import ModelFolder, file_sha256
from anymask.models.spec import ModelSpec
from tests.models.samples import CONTENT, write_model

SPEC = ModelSpec("mine", "lite", version="0.2")


@pytest.fixture
def folder(tmp_path: Path) -> ModelFolder:
    return write_model(tmp_path / "mine", SPEC)


def test_an_intact_folder_opens_and_verifies(folder: ModelFolder) -> None:
    folder.verify()
    assert folder.spec == SPEC
    assert (folder.name, folder.version) == ("mine", "0.2")
    assert folder.bytes == sum(len(data) for data in CONTENT.values())
    assert folder.sha256 == file_sha256(folder.weights)
    assert folder.file("encoder.onnx").read_bytes() == CONTENT["encoder.onnx"]
    assert folder.has("decoder.onnx")
    assert not folder.has("decoder_masked.onnx")


def test_a_file_that_is_not_listed_is_an_error(folder: ModelFolder) -> None:
    with pytest.raises(ModelError, match=r"mine@0.2 has no file 'other.onnx'; it has decoder.onnx, "):
        folder.file("other.onnx")


def test_a_missing_file_is_found_on_opening(folder: ModelFolder) -> None:
    folder.file("decoder.onnx").unlink()
    with pytest.raises(ChecksumError, match=r"decoder.onnx is missing; .*models remove mine@0.2\)"):
        ModelFolder.open(folder.path)


def test_a_file_cut_short_is_found_on_opening(folder: ModelFolder) -> None:
    folder.file("encoder.onnx").write_bytes(b"enc")
    with pytest.raises(ChecksumError, match=r"encoder.onnx has 3 bytes, expected 13; "):
        ModelFolder.open(folder.path)


def test_a_changed_byte_is_found_by_verify(folder: ModelFolder) -> None:
    folder.weights.write_bytes(b"wEights")
    again = ModelFolder.open(folder.path)
    with pytest.raises(ChecksumError, match=r"weights.safetensors has SHA-256 .*, expected .*; remove it"):
        again.verify()


def test_a_file_that_goes_away_is_found_by_verify(folder: ModelFolder) -> None:
    folder.weights.unlink()
    with pytest.raises(ChecksumError, match="is missing"):
        folder.verify()


def test_other_folders_and_files_are_no_model(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file", tmp_path / "none"):
        with pytest.raises(ModelError, match=r"is not a model folder: it has no manifest.json"):
            ModelFolder.open(path)


def test_a_wrong_manifest_is_a_format_error(folder: ModelFolder) -> None:
    (folder.path / "manifest.json").write_text("{}")
    with pytest.raises(FormatError, match=r"manifest.json: Model field 'format'"):
        ModelFolder.open(folder.path)


def test_the_package_is_mended_by_installing_it_again(
    folder: ModelFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anymask.models import folder as module

    monkeypatch.setattr(module, "__file__", str(folder.path.parent / "folder.py"))
    folder.weights.unlink()
    with pytest.raises(ChecksumError, match="pip install --force-reinstall anymask"):
        ModelFolder.open(folder.path)
