"""Segment Anything, joined: image encoder, prompt encoder, mask decoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from anymask.core.errors import InputError
from anymask.modeling.config import SamConfig, VitConfig, sam_config
from anymask.modeling.image_encoder import ImageEncoderViT
from anymask.modeling.mask_decoder import MaskDecoder
from anymask.modeling.prompt_encoder import PromptEncoder
from anymask.modeling.tiny_vit import TinyViT

SINGLE_MASK = slice(0, 1)  # the token for a clear prompt
MULTIMASK = slice(1, 4)  # the tokens for the readings of an ambiguous prompt


class Sam(nn.Module):
    """The network of one image and its prompts. Parameter names are those of the published checkpoints."""

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        self.config = config
        self.image_encoder = build_image_encoder(config)
        self.prompt_encoder = PromptEncoder(config)
        self.mask_decoder = MaskDecoder(config)
        # Not part of the weights: the published checkpoints do not hold them.
        self.register_buffer("pixel_mean", torch.tensor(config.pixel_mean).view(3, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(config.pixel_std).view(3, 1, 1), persistent=False)

    def preprocess(self, pixels: Tensor) -> Tensor:
        """Normalise RGB pixels (..., 3, H, W) in 0..255, then add zeros at the right and bottom.

        Returns (..., 3, S, S) float, S = `config.input_size`. Raises InputError if H or W exceeds S.
        """
        size = self.config.input_size
        height, width = pixels.shape[-2:]
        if max(height, width) > size:
            raise InputError(f"image is {width}x{height} pixels; resize its long side to {size} first")
        normalised = (pixels - self.pixel_mean) / self.pixel_std
        return pad(normalised, (0, size - width, 0, size - height))

    def encode(self, pixels: Tensor) -> Tensor:
        """Normalised pixels (B, 3, S, S) -> image embeddings (B, C, S / 16, S / 16)."""
        return self.image_encoder(pixels)

    def decode(
        self, image_embedding: Tensor, points_xy: Tensor, labels: Tensor, mask_logits: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Decode B prompts of one image, or one prompt each of B images.

        image_embedding: (1 or B, C, h, w). points_xy (B, N, 2), labels (B, N) and mask_logits (B, 1, 4h, 4w):
        see `PromptEncoder.forward`. Returns low-resolution logits (B, 4, 4h, 4w) and predicted IoU (B, 4):
        take `SINGLE_MASK` or `MULTIMASK` of the four tokens.
        """
        sparse, dense = self.prompt_encoder(points_xy, labels, mask_logits)
        return self.mask_decoder(image_embedding, self.prompt_encoder.image_pe(), sparse, dense)

    def forward(
        self, pixels: Tensor, points_xy: Tensor, labels: Tensor, mask_logits: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """`encode`, then `decode`."""
        return self.decode(self.encode(pixels), points_xy, labels, mask_logits)


def upscale_masks(
    low_res_logits: Tensor, input_size: int, resized_hw: tuple[int, int], image_hw: tuple[int, int]
) -> Tensor:
    """Low-resolution logits (B, T, h, w) -> logits of the image (B, T, H, W), in SAM's two bilinear steps.

    First to the square input of side `input_size`; then the image's part of it, `resized_hw`, to `image_hw`.
    """
    square = interpolate(low_res_logits, (input_size, input_size), mode="bilinear", align_corners=False)
    filled = square[..., : resized_hw[0], : resized_hw[1]]
    return interpolate(filled, image_hw, mode="bilinear", align_corners=False)


def build_image_encoder(config: SamConfig) -> ImageEncoderViT | TinyViT:
    """The image encoder that `config.encoder` describes, untrained."""
    if isinstance(config.encoder, VitConfig):
        return ImageEncoderViT(config.encoder, config.input_size, config.prompt_dim)
    return TinyViT(config.encoder, config.input_size, config.prompt_dim)


def build_sam(name: str, **overrides: Any) -> Sam:
    """An untrained network by name ("vit_b", "vit_l", "vit_h", "mobile"), in evaluation mode.

    `overrides` replace single sizes (see `sam_config`): `build_sam("vit_b", input_size=256, depth=2, ...)`.
    """
    return Sam(sam_config(name, **overrides)).eval()
