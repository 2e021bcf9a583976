"""The sizes of Segment Anything's published networks, as data.

Sources: Kirillov et al., "Segment Anything" (arXiv 2304.02643), appendix A; Zhang et al., "Faster Segment
Anything" (MobileSAM, arXiv 2306.14289); Wu et al., "TinyViT" (arXiv 2207.10666).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from anymask.core.errors import ModelError


def _need(condition: bool, field: str, value: object, expected: str) -> None:
    if not condition:
        raise ModelError(f"{field} is {value}; expected {expected}")


@dataclass(frozen=True)
class VitConfig:
    """A plain vision transformer with windowed blocks and a few global ones."""

    embed_dim: int = 768
    depth: int = 12
    num_heads: int = 12
    global_blocks: tuple[int, ...] = (2, 5, 8, 11)  # these attend over the whole image
    window_size: int = 14  # tokens; the other blocks attend inside windows of this side
    patch_size: int = 16  # pixels
    mlp_ratio: float = 4.0

    def __post_init__(self) -> None:
        _need(self.embed_dim % self.num_heads == 0, "embed_dim", self.embed_dim, "a multiple of num_heads")
        _need(self.depth >= 1, "depth", self.depth, "at least 1")
        outside = [block for block in self.global_blocks if not 0 <= block < self.depth]
        _need(not outside, "global_blocks", self.global_blocks, f"indices below depth {self.depth}")

    @property
    def stride(self) -> int:
        """Input pixels per token of the embedding."""
        return self.patch_size


@dataclass(frozen=True)
class TinyVitConfig:
    """TinyViT as in MobileSAM: one convolutional stage, three stages of windowed attention."""

    embed_dims: tuple[int, ...] = (64, 128, 160, 320)
    depths: tuple[int, ...] = (2, 2, 6, 2)
    num_heads: tuple[int, ...] = (2, 4, 5, 10)
    window_sizes: tuple[int, ...] = (7, 7, 14, 7)  # tokens; the first stage has no windows
    mlp_ratio: float = 4.0
    expand_ratio: float = 4.0  # of the first stage's inverted bottlenecks

    def __post_init__(self) -> None:
        for name in ("embed_dims", "depths", "num_heads", "window_sizes"):
            _need(len(getattr(self, name)) == 4, name, getattr(self, name), "four values, one per stage")
        for dim, heads in zip(self.embed_dims[1:], self.num_heads[1:], strict=True):
            _need(dim % heads == 0, "embed_dims", self.embed_dims, f"multiples of num_heads {self.num_heads}")

    @property
    def stride(self) -> int:
        """Input pixels per token of the embedding (the last stage does not shrink further)."""
        return 16


@dataclass(frozen=True)
class SamConfig:
    """One Segment Anything network: image encoder, prompt encoder, mask decoder and the input it expects."""

    encoder: VitConfig | TinyVitConfig = VitConfig()
    input_size: int = 1024  # side of the square input, pixels
    prompt_dim: int = 256  # channels of embedding and tokens
    mask_channels: int = 16  # hidden channels of the mask prompt's convolutions
    decoder_depth: int = 2
    decoder_heads: int = 8
    decoder_mlp_dim: int = 2048
    iou_hidden_dim: int = 256
    pixel_mean: tuple[float, float, float] = (123.675, 116.28, 103.53)  # RGB, of values 0..255
    pixel_std: tuple[float, float, float] = (58.395, 57.12, 57.375)

    def __post_init__(self) -> None:
        stride = self.encoder.stride
        _need(self.input_size > 0, "input_size", self.input_size, "a positive number of pixels")
        _need(self.input_size % stride == 0, "input_size", self.input_size, f"a multiple of {stride}")
        # The cross attentions work in half the channels; ConvTranspose and mask product in an eighth.
        parts = math.lcm(8, 2 * self.decoder_heads)
        _need(self.prompt_dim % parts == 0, "prompt_dim", self.prompt_dim, f"a multiple of {parts}")

    @property
    def grid(self) -> int:
        """Side of the image embedding, tokens."""
        return self.input_size // self.encoder.stride

    @property
    def mask_size(self) -> int:
        """Side of the low-resolution masks, cells."""
        return 4 * self.grid


SAM_CONFIGS: dict[str, SamConfig] = {
    "vit_b": SamConfig(VitConfig(768, 12, 12, (2, 5, 8, 11))),
    "vit_l": SamConfig(VitConfig(1024, 24, 16, (5, 11, 17, 23))),
    "vit_h": SamConfig(VitConfig(1280, 32, 16, (7, 15, 23, 31))),
    "mobile": SamConfig(TinyVitConfig()),
}
_ARCHITECTURES = {"sam_vit_b": "vit_b", "sam_vit_l": "vit_l", "sam_vit_h": "vit_h", "sam_tiny_vit": "mobile"}


def sam_config(name: str, **overrides: Any) -> SamConfig:
    """The configuration of a published network, with single fields replaced.

    `name`: "vit_b", "vit_l", "vit_h", "mobile", or the architecture of a manifest ("sam_vit_b", ...).
    `overrides`: fields of `SamConfig` or of its encoder's config. Raises ModelError for an unknown name,
    an unknown field or sizes that do not fit together.
    """
    config = SAM_CONFIGS.get(_ARCHITECTURES.get(name, name))
    if config is None:
        raise ModelError(f"unknown network {name!r}; known: {', '.join(SAM_CONFIGS)}")
    whole = _field_names(config)
    of_encoder = _field_names(config.encoder)
    unknown = sorted(set(overrides) - whole - of_encoder)
    if unknown:
        known = ", ".join(sorted((whole | of_encoder) - {"encoder"}))
        raise ModelError(f"network {name!r} has no setting {', '.join(unknown)}; it has: {known}")
    encoder = replace(
        overrides.get("encoder", config.encoder), **{k: v for k, v in overrides.items() if k in of_encoder}
    )
    rest = {k: v for k, v in overrides.items() if k in whole and k != "encoder"}
    return replace(config, encoder=encoder, **rest)


def infer_config(shapes: Mapping[str, Sequence[int]]) -> SamConfig:
    """Read a network's sizes off its weights.

    `shapes`: canonical key names (see `anymask.models.keys`) to shapes. The number of decoder heads leaves no
    trace in the weights and is taken to be 8, TinyViT's input size 1024. Raises ModelError when a tensor
    needed for this is missing or has too few axes; that all others fit is for the caller to check.
    """
    try:
        is_vit = "image_encoder.pos_embed" in shapes
        encoder = _infer_vit(shapes) if is_vit else _infer_tiny_vit(shapes)
        grid = int(shapes["image_encoder.pos_embed"][1]) if is_vit else 1024 // encoder.stride
        return SamConfig(
            encoder,
            input_size=grid * encoder.stride,
            prompt_dim=shapes["mask_decoder.iou_token.weight"][1],
            mask_channels=shapes["prompt_encoder.mask_downscaling.3.weight"][0],
            decoder_depth=_count(shapes, r"mask_decoder\.transformer\.layers\.(\d+)\."),
            decoder_mlp_dim=shapes["mask_decoder.transformer.layers.0.mlp.lin1.weight"][0],
            iou_hidden_dim=shapes["mask_decoder.iou_prediction_head.layers.0.weight"][0],
        )
    except (KeyError, IndexError, ZeroDivisionError) as error:
        raise ModelError(f"not the weights of a Segment Anything network: cannot read {error}") from error


def _infer_vit(shapes: Mapping[str, Sequence[int]]) -> VitConfig:
    patches = shapes["image_encoder.patch_embed.proj.weight"]
    embed_dim, patch_size = patches[0], patches[3]
    depth = _count(shapes, r"image_encoder\.blocks\.(\d+)\.")
    grid = shapes["image_encoder.pos_embed"][1]
    tables = [shapes[f"image_encoder.blocks.{i}.attn.rel_pos_h"] for i in range(depth)]
    sides = [(table[0] + 1) // 2 for table in tables]  # a table of relative positions has 2 * side - 1 rows
    windows = [side for side in sides if side != grid]
    return VitConfig(
        embed_dim=embed_dim,
        depth=depth,
        num_heads=embed_dim // tables[0][1],
        global_blocks=tuple(i for i, side in enumerate(sides) if side == grid),
        window_size=windows[0] if windows else VitConfig.window_size,
        patch_size=patch_size,
        mlp_ratio=shapes["image_encoder.blocks.0.mlp.lin1.weight"][0] / embed_dim,
    )


def _infer_tiny_vit(shapes: Mapping[str, Sequence[int]]) -> TinyVitConfig:
    prefix = "image_encoder.layers"
    stem = shapes["image_encoder.patch_embed.seq.2.c.weight"][0]
    biases = [shapes[f"{prefix}.{stage}.blocks.0.attn.attention_biases"] for stage in (1, 2, 3)]
    dims = [shapes[f"{prefix}.{stage}.blocks.0.attn.proj.weight"][0] for stage in (1, 2, 3)]
    return TinyVitConfig(
        embed_dims=(stem, *dims),
        depths=tuple(_count(shapes, rf"image_encoder\.layers\.{i}\.blocks\.(\d+)\.") for i in range(4)),
        num_heads=(TinyVitConfig.num_heads[0], *(bias[0] for bias in biases)),
        window_sizes=(TinyVitConfig.window_sizes[0], *(math.isqrt(bias[1]) for bias in biases)),
        mlp_ratio=shapes[f"{prefix}.1.blocks.0.mlp.fc1.weight"][0] / dims[0],
        expand_ratio=shapes[f"{prefix}.0.blocks.0.conv1.c.weight"][0] / stem,
    )


def _count(names: Collection[str], pattern: str) -> int:
    found = {int(match[1]) for name in names if (match := re.match(pattern, name))}
    return max(found, default=-1) + 1


def _field_names(config: Any) -> set[str]:
    return {field.name for field in fields(config)}
