"""The mask decoder: a mask token for clear prompts, three for ambiguous ones, and their predicted IoU."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from anymask.modeling.common import LayerNorm2d
from anymask.modeling.config import SamConfig
from anymask.modeling.transformer import TwoWayTransformer

NUM_MASK_TOKENS = 4  # token 0 for a clear prompt, tokens 1..3 for the readings of an ambiguous one


class MaskDecoder(nn.Module):
    """Image embedding and prompt embeddings -> low-resolution mask logits and predicted IoU of all tokens."""

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        dim = config.prompt_dim
        self.transformer = TwoWayTransformer(
            config.decoder_depth, dim, config.decoder_heads, config.decoder_mlp_dim
        )
        self.iou_token = nn.Embedding(1, dim)
        self.mask_tokens = nn.Embedding(NUM_MASK_TOKENS, dim)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(dim, dim // 4, kernel_size=2, stride=2),
            LayerNorm2d(dim // 4),
            nn.GELU(),
            nn.ConvTranspose2d(dim // 4, dim // 8, kernel_size=2, stride=2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(
            MLP([dim, dim, dim, dim // 8]) for _ in range(NUM_MASK_TOKENS)
        )
        hidden = config.iou_hidden_dim
        self.iou_prediction_head = MLP([dim, hidden, hidden, NUM_MASK_TOKENS])

    def forward(
        self, image_embedding: Tensor, image_pe: Tensor, sparse: Tensor, dense: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Decode B prompts.

        image_embedding: (1 or B, C, h, w); image_pe: (1, C, h, w); sparse: (B, N, C); dense: (B, C, h, w).
        Returns low-resolution logits (B, 4, 4h, 4w) and predicted IoU (B, 4), unclipped.
        """
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight]).expand(sparse.shape[0], -1, -1)
        tokens = torch.cat([own, sparse], dim=1)  # (B, 5 + N, C)
        tokens, cells = self.transformer(image_embedding + dense, image_pe, tokens)
        cells = cells.transpose(1, 2).unflatten(2, dense.shape[-2:])  # (B, C, h, w)
        upscaled = self.output_upscaling(cells)  # (B, C/8, 4h, 4w)
        filters = torch.stack(
            [mlp(tokens[:, 1 + i]) for i, mlp in enumerate(self.output_hypernetworks_mlps)], dim=1
        )  # (B, 4, C/8)
        logits = (filters @ upscaled.flatten(2)).unflatten(2, upscaled.shape[-2:])
        return logits, self.iou_prediction_head(tokens[:, 0])


class MLP(nn.Module):
    """Linear layers of the given widths with ReLU between them."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)
