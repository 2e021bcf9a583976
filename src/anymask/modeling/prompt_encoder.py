"""The prompt encoder: points, box corners and a mask prompt become tokens and a dense map."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from anymask.modeling.common import LayerNorm2d
from anymask.modeling.config import SamConfig


class PromptEncoder(nn.Module):
    """Prompts of one image in input-frame pixels -> sparse tokens and a dense embedding.

    Labels say what a point is: 1 include, 0 exclude, 2 and 3 the first and second corner of a box,
    -1 not a point (its coordinates do not matter). The published predictors add one point of label -1
    to prompts that have points and no box; that is the caller's task (`PromptBatch`).
    """

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        dim, channels = config.prompt_dim, config.mask_channels
        self.input_size = config.input_size
        self.embedding_hw = (config.grid, config.grid)
        self.pe_layer = FourierPositions(dim // 2)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, dim) for _ in range(4))  # by label 0, 1, 2, 3
        self.not_a_point_embed = nn.Embedding(1, dim)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, channels // 4, kernel_size=2, stride=2),
            LayerNorm2d(channels // 4),
            nn.GELU(),
            nn.Conv2d(channels // 4, channels, kernel_size=2, stride=2),
            LayerNorm2d(channels),
            nn.GELU(),
            nn.Conv2d(channels, dim, kernel_size=1),
        )
        self.no_mask_embed = nn.Embedding(1, dim)

    def forward(
        self, points_xy: Tensor, labels: Tensor, mask_logits: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Encode B prompts of N points each (N may be 0).

        points_xy: (B, N, 2) float, input-frame pixels. labels: (B, N) int in -1..3.
        mask_logits: (B, 1, 4 * grid, 4 * grid) float, low-resolution logits, or None.
        Returns sparse tokens (B, N, C) and the dense embedding (B, C, grid, grid).
        """
        if mask_logits is None:
            return self.encode_points(points_xy, labels), self.no_mask(points_xy.shape[0])
        return self.encode_points(points_xy, labels), self.mask_downscaling(mask_logits)

    def encode_points(self, points_xy: Tensor, labels: Tensor) -> Tensor:
        """Points (B, N, 2) with labels (B, N) -> tokens (B, N, C)."""
        kinds = torch.cat([e.weight for e in (self.not_a_point_embed, *self.point_embeddings)])  # (5, C)
        positions = self.pe_layer((points_xy + 0.5) / self.input_size)  # + 0.5: the centre of the pixel
        positions = torch.where((labels == -1).unsqueeze(-1), 0.0, positions)
        return positions + kinds[labels.long() + 1]

    def no_mask(self, batch: int) -> Tensor:
        """The dense embedding of `batch` prompts without a mask: (batch, C, grid, grid)."""
        return self.no_mask_embed.weight.reshape(1, -1, 1, 1).expand(batch, -1, *self.embedding_hw)

    def image_pe(self) -> Tensor:
        """The positions of the embedding's cells: (1, C, grid, grid)."""
        frequencies = self.pe_layer.positional_encoding_gaussian_matrix
        y, x = (
            (torch.arange(side, device=frequencies.device, dtype=frequencies.dtype) + 0.5) / side
            for side in self.embedding_hw
        )
        y, x = torch.meshgrid(y, x, indexing="ij")
        return self.pe_layer(torch.stack([x, y], dim=-1)).permute(2, 0, 1).unsqueeze(0)


class FourierPositions(nn.Module):
    """Positions as sines and cosines of random frequencies (Tancik et al., arXiv 2006.10739)."""

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, frequencies: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, frequencies))

    def forward(self, xy: Tensor) -> Tensor:
        """(..., 2) in 0..1 -> (..., 2 * frequencies)."""
        phase = 2 * math.pi * ((2 * xy - 1) @ self.positional_encoding_gaussian_matrix)
        return torch.cat([phase.sin(), phase.cos()], dim=-1)
