"""EfficientNet and EfficientNet-Lite as backbones (Tan and Le, arXiv 1905.11946).

Lite is the authors' variant for small machines: no squeeze-and-excitation, ReLU6 in place of SiLU; the stem
and the depth of the first and last stage are not multiplied.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F

from anymask.core.errors import ModelError
from anymask.modeling.lite.layers import Backbone, ConvNorm


@dataclass(frozen=True)
class Stage:
    """A run of blocks: how many, kernel, stride of the first, expansion, output channels."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int


B0: Final = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
"""Table 1 of the paper; the other variants are multiples of it."""


@dataclass(frozen=True)
class Variant:
    """How B0 is multiplied, and what the weights of that name were trained with.

    width, depth: multipliers of channels and repeats. lite: see the module. same: padded as TensorFlow does,
    for even input sizes; otherwise equally on all sides, as PyTorch's own recipes do.
    """

    width: float
    depth: float
    lite: bool = False
    same: bool = False

    @property
    def stem(self) -> int:
        """Channels of the first convolution."""
        return 32 if self.lite else rounded(32 * self.width)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """B0's stages, multiplied."""
        fixed = {0, len(B0) - 1} if self.lite else set()
        return tuple(
            Stage(
                stage.repeats if number in fixed else math.ceil(self.depth * stage.repeats),
                stage.kernel,
                stage.stride,
                stage.expand,
                rounded(self.width * stage.channels),
            )
            for number, stage in enumerate(B0)
        )


def rounded(channels: float) -> int:
    """The nearest multiple of 8, or the next one where that took away more than a tenth: at least 8.

    The paper leaves it open; this is the rule of its code, from MobileNetV2's (arXiv 1801.04381).
    """
    whole = max(8, int(channels + 4) // 8 * 8)
    return whole + 8 if whole < 0.9 * channels else whole


_SCALES: Final = (
    (1.0, 1.0), (1.0, 1.1), (1.1, 1.2), (1.2, 1.4), (1.4, 1.8), (1.6, 2.2), (1.8, 2.6), (2.0, 3.1),
)  # fmt: skip

VARIANTS: Final = {
    "efficientnet_lite0": Variant(1.0, 1.0, lite=True, same=True),
    "efficientnet_lite2": Variant(1.1, 1.2, lite=True, same=True),
    **{f"efficientnet_b{n}": Variant(*scale) for n, scale in enumerate(_SCALES)},
    **{f"tf_efficientnet_b{n}": Variant(*scale, same=True) for n, scale in enumerate(_SCALES)},
}
"""By timm's names: `tf_` for those whose weights were trained with TensorFlow's padding."""


class SqueezeExcite(nn.Module):
    """A factor in 0..1 per channel from the means of all (Hu et al., arXiv 1709.01507): (B, C, H, W)."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(width, inner, 1)
        self.expand = nn.Conv2d(inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        means = x.mean((2, 3), keepdim=True)
        return x * self.expand(F.silu(self.reduce(means))).sigmoid()


class InvertedResidual(nn.Module):
    """Expand, depth-wise, squeeze and excite, project; a skip where shapes allow."""

    def __init__(self, cin: int, stage: Stage, stride: int, variant: Variant, normalised: bool) -> None:
        super().__init__()
        mid = cin * stage.expand
        self.activate = F.relu6 if variant.lite else F.silu
        self.expand = ConvNorm(cin, mid, normalised=normalised) if stage.expand != 1 else None
        self.depthwise = ConvNorm(
            mid, mid, stage.kernel, stride=stride, groups=mid, normalised=normalised, same=variant.same
        )
        self.squeeze = None if variant.lite else SqueezeExcite(mid, cin // 4)
        self.project = ConvNorm(mid, stage.channels, normalised=normalised)
        self.skip = stride == 1 and cin == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.activate(self.expand(x))
        y = self.activate(self.depthwise(y))
        y = self.project(y if self.squeeze is None else self.squeeze(y))
        return x + y if self.skip else y


class EfficientNet(Backbone):
    """EfficientNet without its classification head."""

    def __init__(self, variant: Variant, normalised: bool = True) -> None:
        super().__init__()
        self.activate = F.relu6 if variant.lite else F.silu
        self.stem = ConvNorm(3, variant.stem, 3, stride=2, normalised=normalised, same=variant.same)
        blocks: list[InvertedResidual] = []
        taps: list[int] = []  # index of the last block before the resolution drops again
        cin, stride = variant.stem, 2
        for stage in variant.stages:
            for i in range(stage.repeats):
                step = stage.stride if i == 0 else 1
                if step == 2:
                    if stride >= 4:
                        taps.append(len(blocks) - 1)
                    stride *= 2
                blocks.append(InvertedResidual(cin, stage, step, variant, normalised))
                cin = stage.channels
        taps.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)
        self.taps = tuple(taps)
        c4, c8, c16, c32 = (blocks[i].project.conv.out_channels for i in taps)
        self.channels = (c4, c8, c16, c32)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = self.activate(self.stem(pixels))
        found = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.taps:
                found.append(x)
        c4, c8, c16, c32 = found
        return c4, c8, c16, c32


OUR_EPS: Final = 1e-5
TENSORFLOW_EPS: Final = 1e-3
"""What TensorFlow's networks add to the variance before the root, and some of those that came from it."""


def rename_efficientnet(state: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Rename timm's or torchvision's keys of the EfficientNet `name` to ours; its head is dropped.

    Where its batch normalisation adds another eps than ours, the difference goes into running_var. Raises
    ModelError for a key that no EfficientNet has, and for torchvision's keys if `name` starts with `tf_`.
    """
    torchvisions = any(key.startswith("features.") for key in state)
    if torchvisions and VARIANTS[name].same:
        raise ModelError(f"torchvision's networks are padded otherwise; choose {name.removeprefix('tf_')}")
    find = _torchvision_place if torchvisions else _timm_place
    places = {key: place for key in state if (place := find(key)) is not None}
    blocks = {b: i for i, b in enumerate(sorted({b for b, _ in places.values() if b is not None}))}
    eps = _eps(name, torchvisions)
    renamed: dict[str, Tensor] = {}
    for key, (block, layer) in places.items():
        target = f"stem.{layer}" if block is None else f"blocks.{blocks[block]}.{layer}"
        renamed[target] = state[key] + (eps - OUR_EPS) if target.endswith("running_var") else state[key]
    return renamed


def _eps(name: str, torchvisions: bool) -> float:
    """torchvision's largest three came from TensorFlow, although they are padded equally."""
    from_tensorflow = name.endswith(("b5", "b6", "b7")) if torchvisions else VARIANTS[name].same
    return TENSORFLOW_EPS if from_tensorflow else OUR_EPS


_Block = tuple[int, int]
"""Stage and place in it."""

_TIMM_KEY = re.compile(
    r"(?:blocks\.(?P<stage>\d+)\.(?P<block>\d+)\.)?(?P<layer>[\w.]+)\."
    r"(?P<name>weight|bias|running_mean|running_var)"
)
_TIMM_STEM = {"conv_stem": "conv", "bn1": "norm"}
_TIMM_SQUEEZE = {"se.conv_reduce": "squeeze.reduce", "se.conv_expand": "squeeze.expand"}
_TIMM_FIRST = {  # the first stage does not expand, and its layers are counted from the depth-wise one
    "conv_dw": "depthwise.conv", "bn1": "depthwise.norm", "conv_pw": "project.conv", "bn2": "project.norm",
    **_TIMM_SQUEEZE,
}  # fmt: skip
_TIMM_LATER = {
    "conv_pw": "expand.conv", "bn1": "expand.norm", "conv_dw": "depthwise.conv", "bn2": "depthwise.norm",
    "conv_pwl": "project.conv", "bn3": "project.norm", **_TIMM_SQUEEZE,
}  # fmt: skip


def _timm_place(key: str) -> tuple[_Block | None, str] | None:
    """(block or None for the stem, our name in it); None for the head and counters."""
    if key.startswith(("conv_head.", "bn2.", "classifier.")) or key.endswith("num_batches_tracked"):
        return None
    found = _TIMM_KEY.fullmatch(key)
    if found is None:
        raise _no_weight(key)
    block = None if found["stage"] is None else (int(found["stage"]), int(found["block"]))
    names = _TIMM_STEM if block is None else _TIMM_LATER if block[0] else _TIMM_FIRST
    if found["layer"] not in names:
        raise _no_weight(key)
    return block, f"{names[found['layer']]}.{found['name']}"


_TORCHVISION_KEY = re.compile(
    r"features\.(?P<stage>[0-7])\.(?:(?P<block>\d+)\.block\.(?P<layer>[0-3])\.)?(?P<part>[01]|fc[12])\."
    r"(?P<name>weight|bias|running_mean|running_var)"
)
_TORCHVISION_LAYERS = ("expand", "depthwise", "squeeze", "project")
_TORCHVISION_PARTS = {"0": "conv", "1": "norm", "fc1": "reduce", "fc2": "expand"}


def _torchvision_place(key: str) -> tuple[_Block | None, str] | None:
    """As `_timm_place`; stage 0 is the stem, and the first stage of blocks does not expand."""
    if key.startswith(("features.8.", "classifier.")) or key.endswith("num_batches_tracked"):
        return None
    found = _TORCHVISION_KEY.fullmatch(key)
    if found is None or (found["stage"] == "0") != (found["block"] is None):
        raise _no_weight(key)
    part = f"{_TORCHVISION_PARTS[found['part']]}.{found['name']}"
    if found["block"] is None:
        return None, part
    layers = _TORCHVISION_LAYERS[1:] if found["stage"] == "1" else _TORCHVISION_LAYERS
    if int(found["layer"]) >= len(layers):
        raise _no_weight(key)
    return (int(found["stage"]), int(found["block"])), f"{layers[int(found['layer'])]}.{part}"


def _no_weight(key: str) -> ModelError:
    return ModelError(f"{key!r} is no weight of an EfficientNet as timm and torchvision name them")


def rename_efficientnet_lite(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the EfficientNet-Lite PyTorch port's keys to ours; its head is dropped.

    The port's batch normalisation uses TensorFlow's eps: the difference goes into running_var.
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
        renamed[target] = value + (TENSORFLOW_EPS - OUR_EPS) if target.endswith("running_var") else value
    return renamed
