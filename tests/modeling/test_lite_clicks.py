"""The decoder rearranged for clicks is the same function as the whole decoder."""

from __future__ import annotations

import pytest
import torch

from anymask.modeling.lite.clicks import ClickDecoder, ClickImage, ClickUpscale
from anymask.modeling.lite.decoder import MASK_TOKENS
from tests.model_folders import random_lite
from tests.modeling.twins import assert_close

SIZES = {"square": (64, 64), "wide": (64, 160)}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@torch.inference_mode()
def test_equals_the_whole_decoder(size: tuple[int, int]) -> None:
    lite = random_lite()
    generator = torch.Generator().manual_seed(0)
    height, width = size
    features = lite.encoder(torch.randn(1, 3, height, width, generator=generator))
    corners = torch.tensor([[0.0, 0.0], [width - 1, height - 1], [width + 3, -4]])  # also just outside
    inside = torch.rand(6, 2, generator=generator) * torch.tensor([width, height])
    points_xy = torch.cat([corners, inside])
    count, side = len(points_xy), (height // 4, width // 4)
    logits, scores = lite.decoder(
        *features,
        torch.stack([points_xy, torch.zeros_like(points_xy)], 1),
        torch.tensor([[1, -1]] * count),
        torch.zeros(count, 1, *side),
        torch.zeros(count),
    )
    size16 = (height // 16, width // 16)
    shared = ClickImage(lite.decoder)(*features)
    decoded = ClickDecoder(lite.decoder, size16)(*shared[:6], points_xy)
    chosen = torch.tensor([4, 0, 7])
    upscale = ClickUpscale(lite.decoder, size16)
    found = upscale(
        decoded.keys[chosen],
        decoded.affinity[chosen],
        points_xy[chosen],
        decoded.mask_weights[chosen],
        shared.skip8,
        shared.skip4,
    )
    assert logits.shape == (count, MASK_TOKENS, *side)
    assert logits.std() > 0.01
    assert (logits[0] - logits[1]).abs().max() > 0.01  # clicks make a difference
    assert_close(found, logits[chosen])
    assert_close(decoded.scores, scores)
