from __future__ import annotations

from pathlib import Path

import pytest

from anymask.core.errors import ChecksumError, InputError, ModelError
from anymask.models.cache import ModelCache
from anymask.models.registry import OFFICIAL, Registry, UnknownModelError, resolve
from anymask.models.spec import Download, ModelSpec
from tests.models.samples import registry_with, write_model

DOWNLOAD = Download("https://example.invalid/models/vit_b.pth", 375_042_383, "ab" * 32)


@pytest.fixture
def registry(cache: ModelCache, tmp_path: Path) -> Registry:
    made = registry_with(cache, tmp_path / "box", vit_b=DOWNLOAD, mobile=DOWNLOAD)
    write_model(tmp_path / "box" / "lite", ModelSpec("lite", "lite", version="0.10.0"))
    return made


def add(cache: ModelCache, name: str, version: str) -> Path:
    return write_model(cache.folder(name, version), ModelSpec(name, "lite", version=version)).path


def test_the_published_models_are_the_published_ones() -> None:
    downloads = {name: spec.download for name, spec in OFFICIAL.items() if spec.download}
    assert {n: (OFFICIAL[n].architecture, d.bytes, d.sha256[:8]) for n, d in downloads.items()} == {
        "mobile": ("sam_tiny_vit", 40_728_226, "6dbb9052"),
        "vit_b": ("sam_vit_b", 375_042_383, "ec2df627"),
        "vit_l": ("sam_vit_l", 1_249_524_607, "3adcc431"),
        "vit_h": ("sam_vit_h", 2_564_550_879, "a7bf3b02"),
    }
    assert {s.licence for s in OFFICIAL.values()} == {"Apache-2.0"}
    assert all(d.url.startswith("https://") for d in downloads.values())
    assert {name: d.file_name for name, d in downloads.items()} == {
        "mobile": "mobile_sam.pt",
        "vit_b": "sam_vit_b_01ec64.pth",
        "vit_l": "sam_vit_l_0b3195.pth",
        "vit_h": "sam_vit_h_4b8939.pth",
    }


def test_the_model_in_the_box_needs_no_cache(registry: Registry, cache: ModelCache) -> None:
    assert registry.resolve("lite").path == registry.box / "lite"
    assert registry.resolve("lite@0.10.0").path == registry.box / "lite"
    assert not cache.root.exists()


def test_the_newest_version_is_taken_unless_one_is_named(registry: Registry, cache: ModelCache) -> None:
    for version in ("0.9.1", "0.2", "0.10.0rc1"):
        add(cache, "lite", version)
    assert registry.resolve("lite").version == "0.10.0"
    assert registry.resolve("lite@0.9.1").path == cache.folder("lite", "0.9.1")
    add(cache, "lite", "0.11")
    assert registry.resolve("lite").version == "0.11"


def test_a_version_that_is_not_here_lists_those_that_are(registry: Registry) -> None:
    with pytest.raises(UnknownModelError, match=r"no lite@7; here are 0.10.0"):
        registry.resolve("lite@7")
    with pytest.raises(UnknownModelError, match=r"the published version is vit_b@1.0"):
        registry.resolve("vit_b@7")


def test_a_published_model_that_is_not_here_says_how_to_get_it(registry: Registry) -> None:
    for name in ("vit_b", "vit_b@1.0"):
        with pytest.raises(ModelError, match=r"get it \(375 MB\) with: anymask models pull vit_b"):
            registry.resolve(name)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("vit-b", "vit_b"),
        ("sam_vit_b", "vit_b"),
        ("VIT_B", "vit_b"),
        ("mobil", "mobile"),
        ("Lite", "lite"),
        ("mine2", "mine"),
    ],
)
def test_an_unknown_name_gets_the_nearest_one(
    registry: Registry, cache: ModelCache, given: str, meant: str
) -> None:
    add(cache, "mine", "1.0")
    with pytest.raises(UnknownModelError, match=rf"Unknown model '{given}'. Did you mean '{meant}'\?"):
        registry.resolve(given)


def test_a_name_near_nothing_gets_the_list(registry: Registry) -> None:
    with pytest.raises(UnknownModelError, match=r"Known are lite, mobile, vit_b, or give the path") as caught:
        registry.resolve("qqqq")
    assert isinstance(caught.value, InputError)


@pytest.mark.parametrize("name", ["", "@", "@1", "\n", "a b", "x" * 5000])
def test_strange_names_are_unknown(registry: Registry, name: str) -> None:
    with pytest.raises(ModelError):
        registry.resolve(name)


def test_any_folder_resolves_by_path(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_model(tmp_path / "my models" / "fine-tuned", ModelSpec("fine", "lite")).path
    assert registry.resolve(path).name == "fine"
    assert registry.resolve(str(path)).name == "fine"
    monkeypatch.chdir(path.parent)
    assert registry.resolve("./fine-tuned").name == "fine"
    assert registry.resolve("fine-tuned").name == "fine"


def test_a_known_name_wins_over_a_folder_beside(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path / "lite", ModelSpec("other", "lite"))
    monkeypatch.chdir(tmp_path)
    assert registry.resolve("lite").name == "lite"
    assert registry.resolve("./lite").name == "other"


def test_a_file_is_told_from_a_folder(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "sam.pth").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"sam.pth is a file.*anymask models import"):
        registry.resolve(tmp_path / "sam.pth")
    with pytest.raises(ModelError, match="not a model folder"):
        registry.resolve(tmp_path / "nothing")


def test_a_damaged_model_says_what_is_wrong(registry: Registry, cache: ModelCache) -> None:
    (add(cache, "mine", "1.0") / "encoder.onnx").unlink()
    with pytest.raises(ChecksumError, match=r"encoder.onnx is missing"):
        registry.resolve("mine")


def test_a_damaged_box_hurts_nobody_else(registry: Registry, cache: ModelCache) -> None:
    (registry.box / "lite" / "manifest.json").write_text("{")
    add(cache, "mine", "1.0")
    assert registry.resolve("mine").name == "mine"
    with pytest.raises(InputError, match=r"manifest.json is not JSON"):
        registry.resolve("lite")
    assert {s.name: s.state for s in registry.list_models()}["lite"] == "damaged"


def test_the_list_tells_where_every_model_is(registry: Registry, cache: ModelCache) -> None:
    add(cache, "vit_b", "1.0")
    add(cache, "mine", "1.0")
    (add(cache, "hurt", "1.0") / "decoder.onnx").unlink()
    states = {state.name: state for state in registry.list_models()}
    assert {name: state.state for name, state in states.items()} == {
        "lite": "in the box",
        "vit_b": "pulled",
        "mine": "imported",
        "hurt": "damaged",
        "mobile": "available",
    }
    assert states["mobile"].bytes == DOWNLOAD.bytes
    assert states["mobile"].path is None
    assert states["mine"].path == cache.folder("mine", "1.0")


def test_nothing_is_fetched_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the network was used")

    # The only module that asks servers for anything.
    monkeypatch.setattr("anymask.models.download.open_url", refuse)
    for offline in (None, True):
        with pytest.raises(ModelError, match="anymask models pull mobile"):
            resolve("mobile", offline=offline)
