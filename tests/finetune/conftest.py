"""Small untrained models, and drawn pictures to tune them on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from anymask.finetune.settings import Settings
from anymask.modeling.lite import build_lite
from anymask.models.folder import ModelFolder
from tests.model_folders import lite_folder, random_sam, sam_folder
from tests.train.toys import TINY, toy_shard

QUICK = {
    "steps": 4, "images": 2, "masks": 2, "rounds": 2, "views": 2, "measure_every": 2, "warmup": 1, "lr": 3e-3,
    "ema": 0.5,
}  # fmt: skip
"""Settings with which a step takes a few milliseconds."""


def quick(**changes: object) -> Settings:
    return Settings(**{**QUICK, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def lite_model(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """A `lite` of a few thousand weights for pictures of 128 pixels, untrained."""
    torch.manual_seed(0)
    lite = build_lite(TINY).eval()
    lite.fold()
    return lite_folder(lite, tmp_path_factory.mktemp("models") / "tiny-lite")


@pytest.fixture(scope="session")
def sam_model(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """A Segment Anything with a ViT of two small blocks for pictures of 256 pixels, untrained."""
    return sam_folder(random_sam(), tmp_path_factory.mktemp("models") / "tiny-sam")


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    """A shard of 24 drawn pictures with two masks each."""
    return toy_shard(tmp_path / "toys.tar", 24)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of these tests lands in the user's cache."""
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path / "home"))
