"""TinyViT (Wu et al., arXiv 2207.10666) as MobileSAM's image encoder (Zhang et al., arXiv 2306.14289).

A convolutional stem and stage, then three stages of windowed attention with learned biases. The last stage
keeps the resolution, so that the embedding has stride 16 as the ViT's. The classifier is left out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anymask.modeling.common import join_windows, neck, split_windows
from anymask.modeling.config import TinyVitConfig

STRIDES = (2, 2, 1)  # of the three downsamplings between the stages


class TinyViT(nn.Module):
    """Normalised pixels (B, 3, S, S) float -> image embedding (B, out_channels, S / 16, S / 16)."""

    def __init__(self, config: TinyVitConfig, input_size: int, out_channels: int) -> None:
        super().__init__()
        dims = config.embed_dims
        self.patch_embed = PatchEmbed(dims[0])
        self.layers = nn.ModuleList([ConvStage(config)])
        grid = input_size // 4
        for stage in (1, 2, 3):
            grid //= STRIDES[stage - 1]
            self.layers.append(AttentionStage(config, stage, grid))
        self.neck = neck(dims[-1], out_channels)

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.patch_embed(pixels)
        for stage in self.layers:
            x = stage(x)  # (B, C, h, w)
        return self.neck(x)


class ConvBN(nn.Sequential):
    """A convolution without bias and its batch normalisation."""

    def __init__(self, dim: int, out_dim: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        conv = nn.Conv2d(dim, out_dim, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
        self.add_module("c", conv)
        self.add_module("bn", nn.BatchNorm2d(out_dim))


class PatchEmbed(nn.Module):
    """Pixels (B, 3, S, S) -> (B, C, S / 4, S / 4)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        half = dim // 2
        self.seq = nn.Sequential(ConvBN(3, half, 3, stride=2), nn.GELU(), ConvBN(half, dim, 3, stride=2))

    def forward(self, pixels: Tensor) -> Tensor:
        return self.seq(pixels)


class MBConv(nn.Module):
    """Inverted bottleneck: widen, depthwise 3x3, narrow, residual."""

    def __init__(self, dim: int, expand_ratio: float) -> None:
        super().__init__()
        hidden = int(dim * expand_ratio)
        self.conv1 = ConvBN(dim, hidden)
        self.conv2 = ConvBN(hidden, hidden, 3, groups=hidden)
        self.conv3 = ConvBN(hidden, dim)
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.act(self.conv2(self.act(self.conv1(x))))
        return self.act(x + self.conv3(hidden))


class PatchMerging(nn.Module):
    """(B, C, h, w) -> (B, C', h / stride, w / stride)."""

    def __init__(self, dim: int, out_dim: int, stride: int) -> None:
        super().__init__()
        self.conv1 = ConvBN(dim, out_dim)
        self.conv2 = ConvBN(out_dim, out_dim, 3, stride, groups=out_dim)
        self.conv3 = ConvBN(out_dim, out_dim)
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(self.act(self.conv2(self.act(self.conv1(x)))))


class ConvStage(nn.Module):
    """The first stage: bottlenecks, then downsampling. (B, C, h, w) -> (B, C', h / 2, w / 2)."""

    def __init__(self, config: TinyVitConfig) -> None:
        super().__init__()
        dim, out_dim = config.embed_dims[:2]
        self.blocks = nn.Sequential(*(MBConv(dim, config.expand_ratio) for _ in range(config.depths[0])))
        self.downsample = PatchMerging(dim, out_dim, STRIDES[0])

    def forward(self, x: Tensor) -> Tensor:
        return self.downsample(self.blocks(x))


class AttentionStage(nn.Module):
    """Windowed attention blocks, then downsampling unless it is the last stage; (B, C, h, w) in and out."""

    def __init__(self, config: TinyVitConfig, stage: int, grid: int) -> None:
        super().__init__()
        dims = config.embed_dims
        self.blocks = nn.Sequential(*(TinyViTBlock(config, stage, grid) for _ in range(config.depths[stage])))
        last = stage == len(dims) - 1
        self.downsample = (
            nn.Identity() if last else PatchMerging(dims[stage], dims[stage + 1], STRIDES[stage])
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(x.permute(0, 2, 3, 1))  # (B, h, w, C) between the blocks
        return self.downsample(x.permute(0, 3, 1, 2))


class TinyViTBlock(nn.Module):
    """Attention in windows, a depthwise convolution across them, an MLP."""

    def __init__(self, config: TinyVitConfig, stage: int, grid: int) -> None:
        super().__init__()
        dim = config.embed_dims[stage]
        self.grid = grid
        self.window = config.window_sizes[stage]
        self.attn = BiasedAttention(dim, config.num_heads[stage], self.window)
        self.local_conv = ConvBN(dim, dim, 3, groups=dim)
        self.mlp = NormMLP(dim, int(dim * config.mlp_ratio))

    def forward(self, x: Tensor) -> Tensor:  # (B, grid, grid, C)
        windows = self.attn(split_windows(x, self.grid, self.window))
        x = x + join_windows(windows, self.grid, self.window)
        x = self.local_conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x + self.mlp(x)


class BiasedAttention(nn.Module):
    """Pre-norm self-attention in a window; one bias per head and absolute offset (|dy|, |dx|)."""

    def __init__(self, dim: int, num_heads: int, window: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.window = window
        self.scale = (dim // num_heads) ** -0.5
        self.norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.attention_biases = nn.Parameter(torch.zeros(num_heads, window * window))

    def forward(self, x: Tensor) -> Tensor:  # (B, window, window, C)
        n, heads, channels = self.window * self.window, self.num_heads, x.shape[-1]
        qkv = self.qkv(self.norm(x)).reshape(-1, n, heads, 3, channels // heads)  # head before q, k, v
        q, k, v = qkv.permute(3, 0, 2, 1, 4).unbind(0)  # each (B, heads, n, d)
        attention = ((q @ k.transpose(2, 3)) * self.scale + self.biases()).softmax(dim=-1)
        out = (attention @ v).transpose(1, 2)  # (B, n, heads, d)
        return self.proj(out.reshape(-1, self.window, self.window, channels))

    def biases(self) -> Tensor:
        """(heads, n, n): offsets are stored row by row, |dy| * window + |dx|."""
        cells = torch.arange(self.window * self.window, device=self.attention_biases.device)
        y, x = cells // self.window, cells % self.window
        offset = (y[:, None] - y).abs() * self.window + (x[:, None] - x).abs()
        return self.attention_biases[:, offset]


class NormMLP(nn.Module):
    """Layer normalisation and two linear layers."""

    def __init__(self, dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, dim)
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(self.norm(x))))
