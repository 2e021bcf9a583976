"""Small model folders with random weights, made once per test run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from anymask.modeling.config import SamConfig, sam_config
from anymask.modeling.lite.config import LiteConfig
from anymask.modeling.lite.lite import Lite
from anymask.modeling.sam import Sam
from anymask.models.folder import ModelFolder
from anymask.models.spec import ModelSpec
from anymask.release.folder import write_model_folder
from anymask.release.lite import FEATURES, lite_graphs
from anymask.release.sam import sam_graphs
from tests.modeling.twins import TINY, TOLERANCE, randomise

TINY_SAM = sam_config("vit_b", **TINY, input_size=256, window_size=7, global_blocks=(1,))
TINY_LITE = LiteConfig(
    "efficientnet_lite0", 32, 16, 8, blocks16=1, blocks8=1, blocks4=1, heads=2, attention_width=16,
    mlp_width=32, layers=1, affinity_width=8,
)  # fmt: skip


def random_sam(config: SamConfig = TINY_SAM) -> Sam:
    """A network whose logits spread over several units, as a trained one's do."""
    sam = Sam(config).eval()
    randomise(sam)
    return sam


def random_lite() -> Lite:
    """A `lite` ready for inference, its normalisation folded."""
    torch.manual_seed(0)
    lite = Lite(TINY_LITE).eval()
    lite.fold()
    return lite


def sam_folder(sam: Sam, folder: Path) -> ModelFolder:
    """The complete folder of a small network."""
    spec = ModelSpec(
        "tiny", "sam_vit_b", input_size=sam.config.input_size, mask_size=sam.config.mask_size, version="1"
    )
    return write_model_folder(sam, sam_graphs(sam), spec, folder)


def lite_folder(lite: Lite, folder: Path) -> ModelFolder:
    """The complete folder of a small `lite`, its larger weights as float16, for pictures of 128 pixels."""
    spec = ModelSpec(
        "tiny-lite",
        "lite",
        input_size=128,
        mask_size=32,
        features=FEATURES,
        config=lite.config.to_dict(),
    )
    return write_model_folder(
        lite, lite_graphs(lite, 128), spec, folder, half=lambda name: name.endswith("weight")
    )


def assert_near(ours: np.ndarray, theirs: np.ndarray, tolerance: float = TOLERANCE) -> None:
    """Same shape, and no value differs by as much as `tolerance`."""
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max(initial=0) < tolerance
