"""The graphs of `lite`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anymask.modeling.lite.lite import Lite
from anymask.release.export import Graph

FEATURES = ("s16", "s8", "s4")

_BATCH = {0: "prompts"}
_BATCH_AND_TOKENS = {0: "prompts", 1: "tokens"}


class Encoder(nn.Module):
    """The image encoder under its state-dict name."""

    def __init__(self, lite: Lite) -> None:
        super().__init__()
        self.encoder = lite.encoder

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.encoder(pixels)


class Decoder(nn.Module):
    """The mask decoder under its state-dict name."""

    def __init__(self, lite: Lite) -> None:
        super().__init__()
        self.decoder = lite.decoder

    def forward(
        self,
        s16: Tensor,
        s8: Tensor,
        s4: Tensor,
        points_xy: Tensor,
        labels: Tensor,
        mask_logits: Tensor,
        has_mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        return self.decoder(s16, s8, s4, points_xy, labels, mask_logits, has_mask)


def lite_graphs(lite: Lite, input_size: int) -> list[Graph]:
    """encoder and decoder of a `lite` on the CPU, for one input size; prompts and tokens are dynamic."""
    pixels = torch.zeros(1, 3, input_size, input_size)
    with torch.inference_mode():
        features = lite.eval().encoder(pixels)
    side = input_size // 4
    inputs = {
        **{name: feature.clone() for name, feature in zip(FEATURES, features, strict=True)},
        "points_xy": torch.zeros(3, 2, 2),
        "labels": torch.zeros(3, 2, dtype=torch.int32),
        "mask_logits": torch.zeros(3, 1, side, side),
        "has_mask": torch.zeros(3),
    }
    dynamic = {
        "points_xy": _BATCH_AND_TOKENS,
        "labels": _BATCH_AND_TOKENS,
        "mask_logits": _BATCH,
        "has_mask": _BATCH,
    }
    return [
        Graph("encoder", Encoder(lite), {"pixels": pixels}, FEATURES),
        Graph("decoder", Decoder(lite), inputs, ["logits", "scores"], dynamic),
    ]
