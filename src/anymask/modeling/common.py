"""Layers that several parts of the network share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class LayerNorm2d(nn.Module):
    """Layer normalisation over the channels of (B, C, H, W)."""

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(dim=1, keepdim=True)
        deviation = torch.sqrt(centred.square().mean(dim=1, keepdim=True) + self.eps)
        return centred / deviation * self.weight[:, None, None] + self.bias[:, None, None]


class MLPBlock(nn.Module):
    """A transformer block's two linear layers."""

    def __init__(self, dim: int, hidden_dim: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.lin1 = nn.Linear(dim, hidden_dim)
        self.lin2 = nn.Linear(hidden_dim, dim)
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        return self.lin2(self.act(self.lin1(x)))


def neck(in_channels: int, out_channels: int) -> nn.Sequential:
    """The convolutions that bring an encoder's features (B, in, h, w) to the embedding (B, out, h, w)."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False),
        LayerNorm2d(out_channels),
        nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False),
        LayerNorm2d(out_channels),
    )


def split_windows(x: Tensor, grid: int, window: int) -> Tensor:
    """(B, grid, grid, C) -> (B * n * n, window, window, C), zeros added at the right and bottom.

    n = ceil(grid / window). Sizes come from the configuration: an exported graph has none to compute.
    """
    n = -(-grid // window)
    padding = n * window - grid
    x = nn.functional.pad(x, (0, 0, 0, padding, 0, padding)) if padding else x
    x = x.reshape(-1, n, window, n, window, x.shape[-1])
    return x.transpose(2, 3).reshape(-1, window, window, x.shape[-1])


def join_windows(windows: Tensor, grid: int, window: int) -> Tensor:
    """The inverse of `split_windows`: (B * n * n, window, window, C) -> (B, grid, grid, C)."""
    n = -(-grid // window)
    channels = windows.shape[-1]
    x = windows.reshape(-1, n, n, window, window, channels).transpose(2, 3)
    return x.reshape(-1, n * window, n * window, channels)[:, :grid, :grid]
