"""ConvNeXt as a backbone (Liu et al., arXiv 2201.03545)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anymask.core.errors import ModelError
from anymask.modeling.lite.layers import Backbone

EPS = 1e-6


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of (B, C, H, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        y = F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, EPS)
        return y.permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    """Depth-wise 7x7, normalisation, two linear layers on (B, H, W, C), a scale per channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=EPS)
        self.expand = nn.Linear(width, 4 * width)
        self.project = nn.Linear(4 * width, width)
        self.scale = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.project(F.gelu(self.expand(y))) * self.scale
        return x + y.permute(0, 3, 1, 2)


class ConvNeXt(Backbone):
    """ConvNeXt without its head; the maps are those after each stage, not normalised."""

    def __init__(self, repeats: tuple[int, int, int, int], channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.channels = channels
        self.stem = nn.Conv2d(3, channels[0], 4, 4)
        self.norms = nn.ModuleList(ChannelNorm(width) for width in (channels[0], *channels[:-1]))
        self.down = nn.ModuleList(nn.Conv2d(before, after, 2, 2) for before, after in pairwise(channels))
        self.stages = nn.ModuleList(
            nn.Sequential(*(ConvNeXtBlock(width) for _ in range(count)))
            for count, width in zip(repeats, channels, strict=True)
        )

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = self.norms[0](self.stem(pixels))
        found = [self.stages[0](x)]
        for number in (1, 2, 3):
            x = self.down[number - 1](self.norms[number](found[-1]))
            found.append(self.stages[number](x))
        c4, c8, c16, c32 = found
        return c4, c8, c16, c32


_BLOCK = {
    "conv_dw": "depthwise", "norm": "norm", "mlp.fc1": "expand", "mlp.fc2": "project",
}  # fmt: skip


def rename_convnext(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename timm's keys of a ConvNeXt to ours; its head is dropped.

    Raises ModelError for a key that it does not have (torchvision's names are others).
    """
    return {_ours(key): value for key, value in state.items() if not key.startswith(("head.", "norm_pre."))}


def _ours(key: str) -> str:
    parts = key.split(".")
    if parts[0] == "stem":
        return f"stem.{parts[2]}" if parts[1] == "0" else f"norms.0.{parts[2]}"
    if parts[0] == "stages" and parts[2] == "downsample":
        number = int(parts[1])
        return f"norms.{number}.{parts[4]}" if parts[3] == "0" else f"down.{number - 1}.{parts[4]}"
    if parts[0] == "stages" and parts[2] == "blocks":
        place = f"stages.{parts[1]}.{parts[3]}"
        if parts[4] == "gamma":
            return f"{place}.scale"
        layer, name = ".".join(parts[4:-1]), parts[-1]
        if layer in _BLOCK:
            return f"{place}.{_BLOCK[layer]}.{name}"
    raise ModelError(f"{key!r} is no weight of a ConvNeXt as timm names them")
