"""The image side of `lite`: backbone and feature pyramid, run once per image."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from anymask.modeling.lite.backbones import build_backbone
from anymask.modeling.lite.config import LiteConfig
from anymask.modeling.lite.layers import ConvNorm, ResidualBlock


class FeaturePyramid(nn.Module):
    """Top-down pyramid (Lin et al., arXiv 1612.03144) with residual blocks at each level."""

    def __init__(self, channels: tuple[int, int, int, int], config: LiteConfig) -> None:
        super().__init__()
        c4, c8, c16, c32 = channels
        w16, w8, w4, norm = config.width16, config.width8, config.width4, config.normalised
        self.from32 = ConvNorm(c32, w16, normalised=norm)
        self.context = ResidualBlock(w16, 7, normalised=norm)
        self.from16 = ConvNorm(c16, w16, normalised=norm)
        self.from8 = ConvNorm(c8, w8, normalised=norm)
        self.from4 = ConvNorm(c4, w4, normalised=norm)
        self.down8 = ConvNorm(c8, w16, 3, stride=2, normalised=norm)
        self.up16 = ConvNorm(w16, w8, normalised=norm)
        self.up8 = ConvNorm(w8, w4, normalised=norm)
        self.blocks16 = nn.Sequential(
            *(ResidualBlock(w16, 7, normalised=norm) for _ in range(config.blocks16))
        )
        self.blocks8 = nn.Sequential(*(ResidualBlock(w8, 5, normalised=norm) for _ in range(config.blocks8)))
        self.blocks4 = nn.Sequential(*(ResidualBlock(w4, 3, normalised=norm) for _ in range(config.blocks4)))

    def forward(self, c4: Tensor, c8: Tensor, c16: Tensor, c32: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        top = F.interpolate(self.context(self.from32(c32)), scale_factor=2.0, mode="nearest")
        s16 = self.blocks16(F.relu(top + self.from16(c16) + self.down8(c8)))
        s8 = self.blocks8(
            F.relu(F.interpolate(self.up16(s16), scale_factor=2.0, mode="nearest") + self.from8(c8))
        )
        s4 = self.blocks4(
            F.relu(F.interpolate(self.up8(s8), scale_factor=2.0, mode="nearest") + self.from4(c4))
        )
        return s16, s8, s4


class LiteEncoder(nn.Module):
    """pixels (B, 3, H, W) float32, normalised, H and W multiples of 32 -> features at strides 16, 8 and 4.

    Returns s16 (B, width16, H/16, W/16), s8 (B, width8, H/8, W/8), s4 (B, width4, H/4, W/4).
    """

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        self.backbone = build_backbone(config.backbone, config.backbone_normalised)
        self.pyramid = FeaturePyramid(self.backbone.channels, config)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        s16, s8, s4 = self.pyramid(*self.backbone(pixels))
        return s16, s8, s4
