from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from anymask.core.errors import ChecksumError, FormatError, ModelError, OutputError
from anymask.models.cache import ModelCache
from anymask.models.checkpoint import read_checkpoint
from anymask.models.folder import ModelFolder
from anymask.models.importer import import_checkpoint
from anymask.models.keys import to_canonical
from anymask.models.registry import Registry
from anymask.models.spec import Download, ModelSpec
from anymask.models.templates import Template
from tests.models.samples import registry_with, write_model


@pytest.fixture
def registry(cache: ModelCache, tmp_path: Path, checkpoint: Path) -> Registry:
    body = checkpoint.read_bytes()
    published = Download("https://example.invalid/m.pt", len(body), hashlib.sha256(body).hexdigest())
    unrelated = Download("https://example.invalid/o.pt", 5, "0" * 64)
    made = registry_with(cache, tmp_path / "box", mobile=published, other=unrelated)
    write_model(made.box / "lite", ModelSpec("lite", "lite"))
    return made


@pytest.fixture
def own_checkpoint(checkpoint: Path, tmp_path: Path) -> Path:
    """Another network of the same form, as a fine-tuned one would be: safetensors, not published."""
    from safetensors.numpy import save_file

    tensors = {n: np.array(v) for n, v in to_canonical(read_checkpoint(checkpoint)).items()}
    tensors["mask_decoder.iou_token.weight"] += 1
    path = tmp_path / "my street signs.safetensors"
    save_file(tensors, path)
    return path


def weights(folder: ModelFolder) -> dict[str, np.ndarray]:
    return dict(read_checkpoint(folder.weights))


def test_a_published_file_gets_its_published_name(
    registry: Registry, checkpoint: Path, tmp_path: Path
) -> None:
    renamed = tmp_path / "download(3).bin"
    shutil.copyfile(checkpoint, renamed)
    folder = import_checkpoint(renamed, registry=registry)
    folder.verify()
    assert folder.spec.full_name == "mobile@1.0"
    assert folder.spec.licence == "Apache-2.0"
    assert registry.resolve("mobile") == folder
    assert folder.manifest.source["sha256"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert {s.name: s.state for s in registry.list_models()}["mobile"] == "pulled"


def test_the_folder_holds_the_templates_graphs_and_the_files_weights(
    registry: Registry, own_checkpoint: Path
) -> None:
    folder = import_checkpoint(own_checkpoint, registry=registry)
    template = Template.load("sam_tiny_vit")
    assert set(folder.manifest.files) == {"weights.safetensors", *template.graphs}
    assert all(folder.file(name).read_bytes() == graph for name, graph in template.graphs.items())
    expected = read_checkpoint(own_checkpoint)
    stored = weights(folder)
    assert stored.keys() == set(expected)
    assert all(np.array_equal(stored[name], expected[name]) for name in expected)


def test_another_file_is_named_after_itself_or_as_wished(registry: Registry, own_checkpoint: Path) -> None:
    folder = import_checkpoint(own_checkpoint, registry=registry)
    assert folder.spec.full_name == "my-street-signs@1.0"
    assert folder.spec.licence == "unknown"
    assert folder.manifest.source["file"] == "my street signs.safetensors"
    named = import_checkpoint(own_checkpoint, "signs", registry=registry)
    assert (named.name, named.sha256) == ("signs", folder.sha256)


def test_a_published_file_may_have_a_name_of_its_own(registry: Registry, checkpoint: Path) -> None:
    folder = import_checkpoint(checkpoint, "fast", registry=registry)
    assert (folder.name, folder.spec.licence) == ("fast", "Apache-2.0")


def test_a_folder_that_holds_a_checkpoint_is_taken(
    registry: Registry, own_checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "signs v2").mkdir()
    shutil.copyfile(own_checkpoint, tmp_path / "signs v2" / "model.safetensors")
    assert import_checkpoint(tmp_path / "signs v2", registry=registry).name == "signs-v2"


def test_the_same_file_again_gives_the_model_that_is_there(registry: Registry, own_checkpoint: Path) -> None:
    first = import_checkpoint(own_checkpoint, "signs", registry=registry)
    before = first.weights.stat().st_mtime_ns
    assert import_checkpoint(own_checkpoint, "signs", registry=registry) == first
    assert first.weights.stat().st_mtime_ns == before


def test_another_file_under_a_taken_name_is_refused(
    registry: Registry, own_checkpoint: Path, checkpoint: Path
) -> None:
    first = import_checkpoint(own_checkpoint, "signs", registry=registry)
    with pytest.raises(ModelError, match=r"another model signs@1.0 already; .*--name.*models remove signs@"):
        import_checkpoint(checkpoint, "signs", registry=registry)
    first.verify()


def test_a_damaged_model_is_mended_by_importing_it_again(registry: Registry, own_checkpoint: Path) -> None:
    folder = import_checkpoint(own_checkpoint, "signs", registry=registry)
    folder.weights.write_bytes(b"")
    import_checkpoint(own_checkpoint, "signs", registry=registry).verify()


@pytest.mark.parametrize("name", ["mobile", "other", "lite"])
def test_published_names_are_not_for_others(registry: Registry, own_checkpoint: Path, name: str) -> None:
    with pytest.raises(ModelError, match=rf"'{name}' belongs to the published model; .*--name"):
        import_checkpoint(own_checkpoint, name, registry=registry)


@pytest.mark.parametrize("name", ["", "a b", "../up", "a@2", ".x", "x" * 65, "é"])
def test_names_must_fit_everywhere(registry: Registry, own_checkpoint: Path, name: str) -> None:
    with pytest.raises(FormatError, match="'name' is "):
        import_checkpoint(own_checkpoint, name, registry=registry)
    assert registry.cache.names() == []


def test_a_file_whose_name_gives_none_asks_for_one(registry: Registry, own_checkpoint: Path) -> None:
    nameless = own_checkpoint.rename(own_checkpoint.with_name("\u6f22.pth"))
    with pytest.raises(FormatError, match=r"choose one with --name"):
        import_checkpoint(nameless, registry=registry)


def test_a_hostile_pickle_is_refused_and_nothing_runs(registry: Registry, hostile: Path) -> None:
    with pytest.raises(ModelError, match=r"(posix|os)\.system") as caught:
        import_checkpoint(hostile, registry=registry)
    assert "\n" not in str(caught.value)
    assert not (hostile.parent / "owned").exists()
    assert registry.cache.names() == []


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"PK\x03\x04" + b"\0" * 100, b"<html>log in</html>", b"\x80\x02}q\x00."]
)
def test_what_is_no_checkpoint_is_one_clear_line(registry: Registry, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sam.pth"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"sam.pth") as caught:
        import_checkpoint(path, registry=registry)
    assert "\n" not in str(caught.value)
    assert registry.cache.names() == []


def test_a_file_cut_short_is_refused(registry: Registry, checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "sam.pth"
    path.write_bytes(checkpoint.read_bytes()[:1_000_000])
    with pytest.raises(ModelError, match=r"sam.pth"):
        import_checkpoint(path, registry=registry)


def test_another_network_is_refused(registry: Registry, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"conv1.weight": np.zeros((3, 3), np.float32)}, tmp_path / "resnet.safetensors")
    with pytest.raises(ModelError, match=r"resnet.safetensors.*conv1.weight"):
        import_checkpoint(tmp_path / "resnet.safetensors", registry=registry)


def test_a_missing_file_and_an_empty_folder_are_told(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none.pth: No such file"):
        import_checkpoint(tmp_path / "none.pth", registry=registry)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"The folder .*empty"):
        import_checkpoint(tmp_path / "empty", registry=registry)


def test_a_cache_without_write_permission_is_told(read_only_folder: Path) -> None:
    beside = read_only_folder.with_name(read_only_folder.name + "-model")
    tuned = write_model(beside, ModelSpec("tuned", "lite"))
    try:
        registry = Registry(ModelCache(read_only_folder / "home"), {}, read_only_folder)
        with pytest.raises(OutputError, match="ANYMASK_HOME"):
            import_checkpoint(tuned.path, registry=registry)
    finally:
        shutil.rmtree(tuned.path)


def test_a_model_folder_is_copied_under_its_own_name_or_another(registry: Registry, tmp_path: Path) -> None:
    tuned = write_model(tmp_path / "run 7", ModelSpec("tuned", "lite", version="0.3"), metrics={"iou": 0.7})
    (tuned.path / "notes.txt").write_text("not part of the model")
    folder = import_checkpoint(tuned.path, registry=registry)
    folder.verify()
    assert folder.path == registry.cache.folder("tuned", "0.3")
    assert folder.manifest == tuned.manifest
    assert not (folder.path / "notes.txt").exists()
    assert import_checkpoint(tuned.path, registry=registry) == folder
    other = import_checkpoint(tuned.path, "mine", registry=registry)
    assert (other.spec.full_name, other.sha256) == ("mine@0.3", tuned.sha256)


def test_a_damaged_model_folder_is_not_taken(registry: Registry, tmp_path: Path) -> None:
    tuned = write_model(tmp_path / "run", ModelSpec("tuned", "lite"))
    tuned.weights.write_bytes(b"wEights")
    with pytest.raises(ChecksumError, match=r"weights.safetensors has SHA-256"):
        import_checkpoint(tuned.path, registry=registry)
    assert registry.cache.names() == []


def test_another_model_folder_under_a_taken_name_is_refused(registry: Registry, tmp_path: Path) -> None:
    first = write_model(tmp_path / "a", ModelSpec("tuned", "lite"))
    second = write_model(tmp_path / "b", ModelSpec("tuned", "lite"), {"weights.safetensors": b"other"})
    import_checkpoint(first.path, registry=registry)
    with pytest.raises(ModelError, match=r"another model tuned@1.0 already"):
        import_checkpoint(second.path, registry=registry)


def test_another_version_of_the_model_in_the_box_may_stand_beside_it(
    registry: Registry, tmp_path: Path
) -> None:
    older = write_model(tmp_path / "older", ModelSpec("lite", "lite", version="0.9"))
    same = write_model(tmp_path / "same", ModelSpec("lite", "lite", version="1.0"))
    assert import_checkpoint(older.path, registry=registry).path == registry.cache.folder("lite", "0.9")
    assert registry.resolve("lite").path == registry.box / "lite"
    assert registry.resolve("lite@0.9").path == registry.cache.folder("lite", "0.9")
    with pytest.raises(ModelError, match="'lite' belongs to the published model"):
        import_checkpoint(same.path, registry=registry)
