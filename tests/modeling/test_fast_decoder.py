"""The rearranged decoder is the same function as the reference and as the published package."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from anymask.modeling.config import sam_config
from anymask.modeling.fast_decoder import FastDecoder
from anymask.modeling.sam import Sam
from tests.modeling.twins import (
    PROMPT_KINDS,
    TINY,
    PromptCase,
    assert_close,
    assert_varied,
    published_sam,
    randomise,
)

CONFIG = sam_config("vit_b", **TINY, input_size=224, window_size=7, global_blocks=(1,))


@pytest.fixture(scope="module")
def published(segment_anything: ModuleType) -> nn.Module:
    theirs = published_sam(segment_anything, CONFIG)
    randomise(theirs)
    return theirs


@pytest.fixture(scope="module")
def sam(published: nn.Module) -> Sam:
    ours = Sam(CONFIG).eval()
    ours.load_state_dict(published.state_dict())
    return ours


@pytest.fixture(scope="module")
def embedding() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(1, CONFIG.prompt_dim, CONFIG.grid, CONFIG.grid, generator=generator)


@pytest.mark.parametrize("kind", PROMPT_KINDS.values(), ids=PROMPT_KINDS)
@torch.inference_mode()
def test_equals_reference_and_published(
    kind: dict[str, Any], sam: Sam, published: Any, embedding: torch.Tensor
) -> None:
    case = PromptCase(CONFIG, **kind)
    fast = FastDecoder(sam.prompt_encoder, sam.mask_decoder).eval()
    logits, scores = fast(embedding, *case.ours())
    assert_varied(logits)
    for ours, reference in zip((logits, scores), sam.decode(embedding, *case.ours()), strict=True):
        assert_close(ours, reference)
    sparse, dense = published.prompt_encoder(*case.published())
    position = published.prompt_encoder.get_dense_pe()
    theirs = published.mask_decoder.predict_masks(embedding, position, sparse, dense)
    for ours, reference in zip((logits, scores), theirs, strict=True):
        assert_close(ours, reference)


@torch.inference_mode()
def test_a_batch_equals_its_prompts_one_by_one(sam: Sam, embedding: torch.Tensor) -> None:
    points, labels, _ = PromptCase(CONFIG, points=2, box=True, mask=False).ours()
    fast = FastDecoder(sam.prompt_encoder, sam.mask_decoder).eval()
    logits, scores = fast(embedding, points, labels)
    for i in range(len(points)):
        alone = fast(embedding, points[i : i + 1], labels[i : i + 1])
        assert_close(logits[i : i + 1], alone[0])
        assert_close(scores[i : i + 1], alone[1])


def test_shares_the_parameters_of_the_reference(sam: Sam) -> None:
    fast = FastDecoder(sam.prompt_encoder, sam.mask_decoder)
    own = {id(p) for p in (*sam.prompt_encoder.parameters(), *sam.mask_decoder.parameters())}
    assert {id(p) for p in fast.parameters()} == own
