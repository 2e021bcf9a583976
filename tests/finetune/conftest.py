"""Small untrained models, and drawn pictures to tune them on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from anymask.finetune.settings import Settings
from anymask.modeling.config import sam_config
from anymask.modeling.lite import Lite, build_lite
from anymask.models.folder import ModelFolder, file_sha256
from anymask.models.manifest import MANIFEST, WEIGHTS, FileEntry, Manifest
from anymask.models.spec import ModelSpec
from anymask.models.weights import write_weights
from anymask.release.export import state_layout
from anymask.release.trained import lite_spec
from tests.model_folders import random_sam
from tests.train.toys import TINY, toy_shard

QUICK = {
    "steps": 4, "images": 2, "masks": 2, "rounds": 2, "views": 2, "measure_every": 2, "warmup": 1, "lr": 3e-3,
    "ema": 0.5,
}  # fmt: skip
"""Settings with which a step takes a few milliseconds."""


def quick(**changes: object) -> Settings:
    return Settings(**{**QUICK, **changes})  # type: ignore[arg-type]


def bare_folder(module: nn.Module, spec: ModelSpec, folder: Path) -> ModelFolder:
    """A model folder without graphs, for the torch backend: exporting them takes half a minute."""
    folder.mkdir()
    layout = state_layout(module)
    state = {name: value.numpy() for name, value in module.state_dict().items() if name in layout.places}
    write_weights(folder / WEIGHTS, state, layout)
    entry = FileEntry(file_sha256(folder / WEIGHTS), layout.file_length)
    Manifest(spec, {WEIGHTS: entry}).write(folder / MANIFEST)
    return ModelFolder.open(folder)


def tiny_lite() -> Lite:
    torch.manual_seed(0)
    lite = build_lite(TINY).eval()
    lite.fold()
    return lite


@pytest.fixture(scope="session")
def lite_model(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """A `lite` of a few thousand weights for pictures of 64 pixels, untrained."""
    lite = tiny_lite()
    spec = lite_spec(lite, "tiny-lite", "1.0", 64)
    return bare_folder(lite, spec, tmp_path_factory.mktemp("models") / "tiny-lite")


@pytest.fixture(scope="session")
def sam_model(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """A Segment Anything with a ViT of two small blocks for pictures of 128 pixels, untrained."""
    config = sam_config(
        "vit_b", embed_dim=48, depth=2, num_heads=4, input_size=128, window_size=5, global_blocks=(1,),
        prompt_dim=32, decoder_mlp_dim=64,
    )  # fmt: skip
    spec = ModelSpec("tiny-sam", "sam_vit_b", input_size=128, mask_size=32, version="1")
    return bare_folder(random_sam(config), spec, tmp_path_factory.mktemp("models") / "tiny-sam")


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    """A shard of 24 drawn pictures with two masks each."""
    return toy_shard(tmp_path / "toys.tar", 24)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of these tests lands in the user's cache."""
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path / "home"))
