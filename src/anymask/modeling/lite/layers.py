"""Building blocks of `lite`: convolutions whose batch normalisation folds away, and residual blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Backbone(nn.Module):
    """What the feature pyramid needs: `channels` at strides 4, 8, 16, 32 and a forward with those maps."""

    channels: tuple[int, int, int, int]

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        raise NotImplementedError


class ConvNorm(nn.Module):
    """Convolution with batch normalisation while training, with a bias instead once folded.

    `same=True` pads as TensorFlow's SAME does for even input sizes (less on the left and top), which is
    what the published EfficientNet-Lite weights were trained with.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        groups: int = 1,
        normalised: bool = True,
        same: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel, stride, groups=groups, bias=not normalised,
            padding=0 if same and stride > 1 else kernel // 2,
        )  # fmt: skip
        self.norm = nn.BatchNorm2d(out_channels) if normalised else None
        total = max(kernel - stride, 0)
        self.extra = (total // 2, total - total // 2) * 2 if same and stride > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        if self.extra is not None:
            x = F.pad(x, self.extra)
        x = self.conv(x)
        return x if self.norm is None else self.norm(x)

    def fold(self) -> None:
        """Move the batch normalisation's scale and shift into the convolution (exact in eval mode)."""
        if self.norm is None:
            return
        norm = self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        shift = norm.bias - norm.running_mean * scale
        bias = self.conv.bias if self.conv.bias is not None else torch.zeros_like(shift)
        self.conv.weight = nn.Parameter((self.conv.weight * scale[:, None, None, None]).detach())
        self.conv.bias = nn.Parameter((bias * scale + shift).detach())
        self.norm = None


class ResidualBlock(nn.Module):
    """Depth-wise convolution, then two point-wise ones: (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, width: int, kernel: int = 5, *, expand: int = 2, normalised: bool = True) -> None:
        super().__init__()
        self.spatial = ConvNorm(width, width, kernel, groups=width, normalised=normalised)
        self.expand = nn.Conv2d(width, expand * width, 1)
        self.project = ConvNorm(expand * width, width, normalised=normalised)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.project(F.relu(self.expand(self.spatial(x))))
        return x + out


def fold_normalisation(module: nn.Module) -> None:
    """Fold every ConvNorm below `module`; its names are then those of a model with normalised=False."""
    for child in module.modules():
        if isinstance(child, ConvNorm):
            child.fold()
