"""Our network with TinyViT equals the published `mobile_sam` on random weights that went through files."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from anymask.modeling.config import TinyVitConfig, sam_config
from anymask.modeling.load import load_sam
from anymask.modeling.sam import build_sam
from anymask.modeling.tiny_vit import TinyViT
from anymask.models.keys import to_canonical
from tests.modeling.twins import (
    PROMPT_KINDS,
    PromptCase,
    assert_close,
    assert_varied,
    published_sam,
    randomise,
)

# The published code fixes two things: 320 channels mark the stage that keeps its resolution, and its forward
# takes the grid to be 64.
SMALL = TinyVitConfig(embed_dims=(16, 32, 48, 320), depths=(1, 2, 1, 1), num_heads=(1, 2, 3, 5))


def published_tiny_vit(package: ModuleType, config: TinyVitConfig, size: int) -> nn.Module:
    return package.modeling.TinyViT(
        img_size=size,
        embed_dims=list(config.embed_dims),
        depths=list(config.depths),
        num_heads=list(config.num_heads),
        window_sizes=list(config.window_sizes),
        drop_path_rate=0.0,
        num_classes=10,
    )


def embed(theirs: nn.Module, pixels: Tensor) -> Tensor:
    """The published forward for any size."""
    tokens = theirs.patch_embed(pixels)
    for layer in theirs.layers:
        tokens = layer(tokens)
    grid = pixels.shape[-1] // 16
    return theirs.neck(tokens.unflatten(1, (grid, grid)).permute(0, 3, 1, 2))


def refresh(theirs: nn.Module) -> nn.Module:
    """Evaluation mode; the published attention caches its biases when the mode changes."""
    return theirs.train().eval()


@pytest.mark.parametrize("size", [224, 256])
@torch.inference_mode()
def test_small_tiny_vit(size: int, mobile_sam: ModuleType) -> None:
    theirs = published_tiny_vit(mobile_sam, SMALL, size)
    randomise(theirs)
    refresh(theirs)
    ours = TinyViT(SMALL, size, out_channels=256).eval()
    left_out = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert not left_out.missing_keys
    assert all(name.startswith(("head.", "norm_head.")) for name in left_out.unexpected_keys)

    pixels = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    expected = embed(theirs, pixels)
    assert_varied(expected)
    assert_close(ours(pixels), expected)


@torch.inference_mode()
def test_small_network_from_file(mobile_sam: ModuleType, tmp_path: Path) -> None:
    """A whole checkpoint with MobileSAM's leftovers: classifier, counters."""
    config = sam_config("mobile", encoder=SMALL)
    theirs = published_sam(mobile_sam, config, published_tiny_vit(mobile_sam, SMALL, 1024))
    randomise(theirs)
    refresh(theirs)
    torch.save(theirs.state_dict(), tmp_path / "mobile.pt")
    ours = load_sam(tmp_path / "mobile.pt")
    assert ours.config.encoder.embed_dims == SMALL.embed_dims

    pixels = torch.randn(1, 3, 1024, 1024, generator=torch.Generator().manual_seed(2))
    expected = theirs.image_encoder(pixels)
    assert_varied(expected)
    assert_close(ours.encode(pixels), expected)
    for kind in PROMPT_KINDS.values():
        case = PromptCase(config, **kind)
        sparse, dense = theirs.prompt_encoder(*case.published())
        logits, scores = ours.decode(expected, *case.ours())
        expected_logits, expected_scores = theirs.mask_decoder.predict_masks(
            expected, theirs.prompt_encoder.get_dense_pe(), sparse, dense
        )
        assert_close(logits, expected_logits)
        assert_close(scores, expected_scores)


def test_names_and_shapes_are_the_published_ones(mobile_sam: ModuleType) -> None:
    theirs = to_canonical(mobile_sam.sam_model_registry["vit_t"]().state_dict())
    ours = to_canonical(build_sam("mobile").state_dict())
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}


@pytest.mark.slow
@torch.inference_mode()
def test_mobile_sam_in_full(mobile_sam: ModuleType, tmp_path: Path) -> None:
    theirs = mobile_sam.sam_model_registry["vit_t"]()
    randomise(theirs)
    refresh(theirs)
    torch.save(theirs.state_dict(), tmp_path / "mobile_sam.pt")
    ours = load_sam(tmp_path / "mobile_sam.pt")
    assert ours.config == sam_config("mobile")
    pixels = torch.randn(1, 3, 1024, 1024, generator=torch.Generator().manual_seed(3))
    expected = theirs.image_encoder(pixels)
    assert_varied(expected)
    assert_close(ours.encode(pixels), expected)
