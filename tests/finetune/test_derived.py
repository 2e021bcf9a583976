"""A model of new weights in another model's graphs runs wherever that one runs; an adapter alone makes it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import anymask
from anymask.core.errors import FormatError, ModelError
from anymask.finetune.networks import open_network
from anymask.models.adapter import About, Merged
from anymask.models.checkpoint import read_checkpoint
from anymask.models.derive import write_derived
from anymask.models.folder import ModelFolder
from anymask.models.registry import resolve
from tests.finetune.conftest import tiny_lite
from tests.finetune.test_networks import trained_adapter, write
from tests.model_folders import lite_folder
from tests.train.toys import drawing


def test_graphs_go_along(tmp_path: Path) -> None:
    """OpenVINO, by the copied graphs, answers as torch does with the new weights, unlike the base."""
    base = lite_folder(tiny_lite(), tmp_path / "base")
    given = read_checkpoint(base.weights)
    rng = np.random.default_rng(0)
    tensors = {n: np.asarray(v, np.float32) + 0.05 * rng.normal(size=v.shape) for n, v in given.items()}
    made = write_derived(base, tensors, tmp_path / "mine", name="mine", version="2", training={"steps": 1})
    assert made.spec.full_name == "mine@2"
    assert set(made.manifest.files) == set(base.manifest.files)
    assert made.manifest.source["base_sha256"] == base.sha256
    made.verify()
    pixels = drawing(0)[0]
    scores = []
    for folder, backend in ((made, "auto"), (made, "torch"), (base, "torch")):
        model = anymask.load(folder.path, backend=backend, precision="exact")  # type: ignore[arg-type]
        scores.append(model.predict(model.embed(pixels), points=[(30, 30)]).scores)
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-4)
    assert np.abs(np.array(scores[1]) - scores[2]).max() > 1e-3


def test_weights_that_are_no_numbers_are_refused(lite_model: ModelFolder, tmp_path: Path) -> None:
    tensors = {name: np.array(value) for name, value in read_checkpoint(lite_model.weights).items()}
    next(iter(tensors.values())).flat[0] = np.nan
    with pytest.raises(ModelError, match="NaN or infinity"):
        write_derived(lite_model, tensors, tmp_path / "mine", name="mine", version="1")
    assert not (tmp_path / "mine" / "manifest.json").exists()


def adapter_of(folder: ModelFolder, place: Path) -> Path:
    path = write(trained_adapter(open_network(folder)), folder, place)
    about = About(str(folder.path), folder.sha256, "mine", "1")
    (path / "anymask_adapter.json").write_text(json.dumps(about.to_json()))
    return path


def test_an_adapter_alone_opens_and_is_kept(lite_model: ModelFolder, tmp_path: Path) -> None:
    path = adapter_of(lite_model, tmp_path / "adapter")
    first = resolve(path)
    assert first.spec.name == "mine"
    merged, stored = Merged(lite_model, path), read_checkpoint(first.weights)
    for name, value in merged.items():
        np.testing.assert_allclose(stored[name], value, rtol=1e-3, atol=1e-6, err_msg=name)
    times = first.weights.stat().st_mtime_ns
    assert resolve(path).weights.stat().st_mtime_ns == times


@pytest.mark.parametrize(
    ("file", "change", "kind", "said"),
    [
        ("anymask_adapter.json", {"base_sha256": "0" * 64}, ModelError, "get the same one"),
        ("anymask_adapter.json", {"anymask_adapter": 9}, FormatError, "a newer anymask may read it"),
        ("adapter_config.json", {"use_dora": True}, FormatError, "no plain LoRA adapter"),
        ("adapter_config.json", {"r": 0}, FormatError, "does not say r and lora_alpha"),
    ],
)
def test_adapters_that_cannot_be_used(
    file: str,
    change: dict[str, object],
    kind: type[Exception],
    said: str,
    lite_model: ModelFolder,
    tmp_path: Path,
) -> None:
    path = adapter_of(lite_model, tmp_path / "adapter")
    value = json.loads((path / file).read_text())
    (path / file).write_text(json.dumps({**value, **change}))
    with pytest.raises(kind, match=said):
        resolve(path)


def test_an_adapter_of_another_network_is_refused(
    lite_model: ModelFolder, sam_model: ModelFolder, tmp_path: Path
) -> None:
    path = adapter_of(lite_model, tmp_path / "adapter")
    with pytest.raises(ModelError, match="which tiny-sam does not have"):
        Merged(sam_model, path)
