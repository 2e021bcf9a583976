"""The ViT image encoder (Segment Anything, appendix A; Li et al., ViTDet, arXiv 2203.16527).

Most blocks attend inside windows, a few over the whole image; both add decomposed relative positions
(Li et al., MViTv2, arXiv 2112.01526, section 4.1).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anymask.modeling.common import MLPBlock, join_windows, neck, split_windows
from anymask.modeling.config import VitConfig


class ImageEncoderViT(nn.Module):
    """Normalised pixels (B, 3, S, S) float -> image embedding (B, out_channels, S / patch, S / patch)."""

    def __init__(self, config: VitConfig, input_size: int, out_channels: int) -> None:
        super().__init__()
        grid = input_size // config.patch_size
        self.patch_embed = PatchEmbed(config.patch_size, config.embed_dim)
        self.pos_embed = nn.Parameter(torch.zeros(1, grid, grid, config.embed_dim))
        self.blocks = nn.ModuleList(
            Block(config, grid, window=0 if i in config.global_blocks else config.window_size)
            for i in range(config.depth)
        )
        self.neck = neck(config.embed_dim, out_channels)

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.patch_embed(pixels) + self.pos_embed  # (B, h, w, C)
        for block in self.blocks:
            x = block(x)
        return self.neck(x.permute(0, 3, 1, 2))


class PatchEmbed(nn.Module):
    """Pixels (B, 3, S, S) -> one token per patch (B, h, w, C)."""

    def __init__(self, patch_size: int, embed_dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, embed_dim, kernel_size=patch_size, stride=patch_size)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.proj(pixels).permute(0, 2, 3, 1)


class Block(nn.Module):
    """A pre-norm transformer block; `window` 0 attends over the whole grid."""

    def __init__(self, config: VitConfig, grid: int, window: int) -> None:
        super().__init__()
        dim = config.embed_dim
        self.grid = grid
        self.window = window
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, config.num_heads, side=window or grid, by_head=not window)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = MLPBlock(dim, int(dim * config.mlp_ratio), nn.GELU)

    def forward(self, x: Tensor) -> Tensor:  # (B, grid, grid, C)
        x = x + self.attend(self.norm1(x))
        return x + self.mlp(self.norm2(x))

    def attend(self, x: Tensor) -> Tensor:
        if not self.window:
            return self.attn(x)
        windows = split_windows(x, self.grid, self.window)
        return join_windows(self.attn(windows), self.grid, self.window)


class Attention(nn.Module):
    """Self-attention over a square of side * side tokens, with decomposed relative positions."""

    def __init__(self, dim: int, num_heads: int, side: int, *, by_head: bool = False) -> None:
        """by_head: one head after the other, which takes a share of the memory where `side` is large."""
        super().__init__()
        self.num_heads = num_heads
        self.by_head = by_head
        self.side = side
        self.scale = (dim // num_heads) ** -0.5
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * side - 1, dim // num_heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * side - 1, dim // num_heads))

    def forward(self, x: Tensor) -> Tensor:  # (B, side, side, C)
        n, heads, channels = self.side * self.side, self.num_heads, x.shape[-1]
        qkv = self.qkv(x).reshape(-1, n, 3, heads, channels // heads)
        if self.by_head:
            q, k, v = qkv.permute(2, 3, 0, 1, 4).unbind(0)  # each (heads, B, n, d)
            each = [self.attend(q[head], k[head], v[head]) for head in range(heads)]
            out = torch.stack(each, dim=2)  # (B, n, heads, d)
        else:
            q, k, v = qkv.permute(2, 0, 3, 1, 4).flatten(1, 2).unbind(0)  # each (B * heads, n, d)
            out = self.attend(q, k, v).reshape(-1, heads, n, channels // heads).transpose(1, 2)
        return self.proj(out.reshape(-1, self.side, self.side, channels))

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:  # each (b, n, d)
        return self.add_positions((q * self.scale) @ k.transpose(1, 2), q).softmax(dim=-1) @ v

    def add_positions(self, attention: Tensor, q: Tensor) -> Tensor:
        """Add q . rel_pos_h[y_q - y_k] + q . rel_pos_w[x_q - x_k] to the logits (b, n, n)."""
        s = self.side
        q = q.reshape(-1, s, s, q.shape[-1])  # (b, y, x, d)
        rows = torch.einsum("byxd,ykd->byxk", q, relative(self.rel_pos_h, s))
        columns = torch.einsum("byxd,xkd->byxk", q, relative(self.rel_pos_w, s))
        # In place: a global block's logits take 67 MB a head at 1024 pixels.
        squares = attention.view(-1, s, s, s, s).add_(rows.unsqueeze(-1)).add_(columns.unsqueeze(-2))
        return squares.view(-1, s * s, s * s)


def relative(table: Tensor, side: int) -> Tensor:
    """Rows of `table` (2 * side - 1, d) by the distance from key to query: (side, side, d)."""
    coordinates = torch.arange(side, device=table.device)
    return table[coordinates[:, None] - coordinates[None, :] + (side - 1)]
