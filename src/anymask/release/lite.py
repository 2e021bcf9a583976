"""The graphs of `lite`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anymask.modeling.lite.clicks import ClickDecoder, ClickImage, ClickUpscale, Size
from anymask.modeling.lite.lite import Lite
from anymask.release.export import Graph

FEATURES = ("s16", "s8", "s4")
CLICKS_DECODED = 16
"""Clicks that the graph for many clicks decodes at once: 8 to 16 took the least time per click."""
CLICKS_UPSCALED = 4
"""Clicks that are upscaled at once, with all four masks: 4 took the least time per click, 16 a tenth more."""

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
    """The graphs of a `lite` on the CPU for one input size; numbers of prompts and tokens are dynamic.

    encoder, decoder (any prompt), and for many clicks click_image, click_decoder, click_upscale.
    """
    pixels = torch.zeros(1, 3, input_size, input_size)
    with torch.inference_mode():
        features = lite.eval().encoder(pixels)
    named = {name: feature.clone() for name, feature in zip(FEATURES, features, strict=True)}
    side = input_size // 4
    inputs = {
        **named,
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
        *_click_graphs(lite, named),
    ]


def _click_graphs(lite: Lite, features: dict[str, Tensor]) -> list[Graph]:
    """The stages of `modeling.lite.clicks`, for fixed numbers of clicks.

    With numbers left open OpenVINO takes 1.3 times as long to decode and 2.1 times as long to upscale.
    """
    height, width = features["s16"].shape[2:]
    size_hw: Size = (height, width)
    points_xy = torch.zeros(CLICKS_DECODED, 2)
    with torch.inference_mode():
        side = ClickImage(lite.decoder)(**features)
        own = {name: value.clone() for name, value in side._asdict().items()}
        skips = {name: own.pop(name) for name in ("skip8", "skip4")}
        decoded = ClickDecoder(lite.decoder, size_hw)(**own, points_xy=points_xy)
    some = {name: getattr(decoded, name)[:CLICKS_UPSCALED] for name in ("keys", "affinity", "mask_weights")}
    upscaling = {name: value.clone() for name, value in some.items()}
    upscaling |= {"points_xy": points_xy[:CLICKS_UPSCALED], **skips}
    order = ("keys", "affinity", "points_xy", "mask_weights", "skip8", "skip4")
    return [
        Graph("click_image", ClickImage(lite.decoder), features, side._fields),
        Graph(
            "click_decoder",
            ClickDecoder(lite.decoder, size_hw),
            {**own, "points_xy": points_xy},
            decoded._fields,
        ),
        Graph(
            "click_upscale",
            ClickUpscale(lite.decoder, size_hw),
            {name: upscaling[name] for name in order},
            ["logits"],
        ),
    ]
