"""VGG with batch normalisation as a backbone (Simonyan and Zisserman, arXiv 1409.1556)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from anymask.core.errors import ModelError
from anymask.modeling.lite.layers import Backbone, ConvNorm

WIDTHS = (64, 128, 256, 512, 512)


class Vgg(Backbone):
    """Five stages of 3x3 convolutions with a pooling after each; the last map comes after the last
    pooling.
    """

    def __init__(self, repeats: tuple[int, int, int, int, int], normalised: bool = True) -> None:
        super().__init__()
        self.channels = (256, 512, 512, 512)
        stages, cin = [], 3
        for count, width in zip(repeats, WIDTHS, strict=True):
            sizes = [cin] + [width] * (count - 1)
            stages.append(nn.ModuleList(ConvNorm(size, width, 3, normalised=normalised) for size in sizes))
            cin = width
        self.stages = nn.ModuleList(stages)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x, found = pixels, []
        for stage in self.stages:
            for conv in cast(nn.ModuleList, stage):
                x = F.relu(conv(x))
            found.append(x)
            x = F.max_pool2d(x, 2)
        return found[2], found[3], found[4], x


def rename_vgg(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename timm's and torchvision's keys of a VGG with batch normalisation; its head is dropped.

    Their layers are counted: convolution, normalisation, ReLU, with one number for each pooling.
    Raises ModelError for one without batch normalisation.
    """
    features = {k: v for k, v in state.items() if k.startswith("features.") and "num_batches" not in k}
    numbers = sorted({int(key.split(".")[1]) for key in features})
    if not any("running_mean" in key for key in features):
        raise ModelError("these are no weights of a VGG with batch normalisation (vgg16_bn, vgg19_bn)")
    renamed: dict[str, Tensor] = {}
    stage, place, before = 0, 0, -1
    for number in numbers:
        is_conv = features[f"features.{number}.weight"].ndim == 4
        if is_conv and before >= 0:
            pooled = number - before == 3  # normalisation, ReLU, pooling, convolution
            stage, place = (stage + 1, 0) if pooled else (stage, place + 1)
        for name in ("weight", "bias", "running_mean", "running_var"):
            value = features.get(f"features.{number}.{name}")
            if value is not None:
                renamed[f"stages.{stage}.{place}.{'conv' if is_conv else 'norm'}.{name}"] = value
        before = number
    return _bias_into_norm(renamed)


def _bias_into_norm(renamed: dict[str, Tensor]) -> dict[str, Tensor]:
    """A convolution's bias before a normalisation only moves the mean; ours have none there."""
    for key in [key for key in renamed if key.endswith("conv.bias")]:
        mean = key.replace("conv.bias", "norm.running_mean")
        renamed[mean] = renamed[mean] - renamed.pop(key)
    return renamed
