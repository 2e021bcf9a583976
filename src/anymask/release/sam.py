"""The graphs of a Segment Anything network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anymask.modeling.config import SamConfig
from anymask.modeling.fast_decoder import (
    MaskedTokenDecoder,
    PrepareImage,
    PromptTokens,
    TokenDecoder,
    Upscale,
)
from anymask.modeling.sam import Sam
from anymask.release.export import Graph

_BATCH = {0: "prompts"}
_BATCH_AND_TOKENS = {0: "prompts", 1: "tokens"}


class Encoder(nn.Module):
    """The image encoder under its state-dict name."""

    def __init__(self, sam: Sam) -> None:
        super().__init__()
        self.image_encoder = sam.image_encoder

    def forward(self, pixels: Tensor) -> Tensor:
        return self.image_encoder(pixels)


def sam_graphs(sam: Sam) -> list[Graph]:
    """encoder, prompt, prepare, decoder, decoder_masked and upscale of a network, on any device."""
    return [encoder_graph(sam), *decoder_graphs(sam)]


def encoder_graph(sam: Sam) -> Graph:
    """pixels (1, 3, S, S) normalised -> image_embedding (1, C, h, w)."""
    size = sam.config.input_size
    pixels = _example(sam, 1, 3, size, size)
    return Graph("encoder", Encoder(sam), {"pixels": pixels}, ["image_embedding"])


def decoder_graphs(sam: Sam) -> list[Graph]:
    """The stages of `modeling.fast_decoder`, number of prompts and tokens dynamic."""
    config, prompt_encoder, mask_decoder = sam.config, sam.prompt_encoder, sam.mask_decoder
    positions, dim = config.grid**2, config.prompt_dim
    embedding = _example(sam, 1, dim, config.grid, config.grid)
    tokens, keys = _example(sam, 3, 7, dim), _example(sam, 3, positions, dim)
    image_side = _image_side(sam, config)
    points, labels = _example(sam, 3, 2, 2), _example(sam, 3, 2).to(torch.int32)
    mask_logits = _example(sam, 3, 1, config.mask_size, config.mask_size)
    weights = _example(sam, 3, 4, dim // 8)
    decoded = ["keys", "mask_weights", "scores"]
    return [
        Graph(
            "prompt",
            PromptTokens(prompt_encoder, mask_decoder),
            {"points_xy": points, "labels": labels},
            ["tokens"],
            {"points_xy": _BATCH_AND_TOKENS, "labels": _BATCH_AND_TOKENS},
        ),
        Graph(
            "prepare",
            PrepareImage(prompt_encoder, mask_decoder),
            {"image_embedding": embedding},
            list(image_side),
        ),
        Graph(
            "decoder",
            TokenDecoder(mask_decoder),
            {**image_side, "tokens": tokens},
            decoded,
            {"tokens": _BATCH_AND_TOKENS},
        ),
        Graph(
            "decoder_masked",
            MaskedTokenDecoder(prompt_encoder, mask_decoder),
            {"image_embedding": embedding, "tokens": tokens, "mask_logits": mask_logits},
            decoded,
            {"tokens": _BATCH_AND_TOKENS, "mask_logits": _BATCH},
        ),
        Graph(
            "upscale",
            Upscale(mask_decoder, prompt_encoder.embedding_hw),
            {"keys": keys, "mask_weights": weights},
            ["logits"],
            {"keys": _BATCH, "mask_weights": {0: "prompts", 1: "masks"}},
        ),
    ]


def _image_side(sam: Sam, config: SamConfig) -> dict[str, Tensor]:
    """Examples of the fields of `ImageSide`."""
    positions, dim, heads = config.grid**2, config.prompt_dim, config.decoder_heads
    per_head = dim // 2 // heads  # the cross attentions work in half the channels
    return {
        "image": _example(sam, positions, dim),
        "position": _example(sam, positions, dim),
        "image_key": _example(sam, heads, per_head, positions),
        "image_value": _example(sam, heads, positions, per_head),
        "image_query": _example(sam, heads, per_head, positions),
    }


def _example(sam: Sam, *shape: int) -> Tensor:
    return torch.zeros(shape, device=next(sam.parameters()).device)
