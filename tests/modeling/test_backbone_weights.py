"""ResNets: equal to transformers' on the same weights, and read from files with timm's and torchvision's
names.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import ConvNextConfig, ConvNextModel, ResNetConfig, ResNetModel

from anymask.core.errors import ModelError
from anymask.modeling.lite import LiteConfig, build_lite
from anymask.modeling.lite.backbones import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    build_backbone,
    rename_convnext,
    rename_resnet,
    rename_vgg,
    weights_from,
)

DEPTHS = {"resnet18": [2, 2, 2, 2], "resnet50": [3, 4, 6, 3]}


def published(name: str) -> tuple[ResNetModel, dict[str, Tensor]]:
    """A transformers ResNet with random weights and statistics, and the same under torchvision's names."""
    torch.manual_seed(0)
    kind = "basic" if name == "resnet18" else "bottleneck"
    widths = [64, 128, 256, 512] if kind == "basic" else [256, 512, 1024, 2048]
    config = ResNetConfig(
        layer_type=kind, depths=DEPTHS[name], hidden_sizes=widths, downsample_in_bottleneck=False
    )
    model = ResNetModel(config).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.0)
    return model, {torchvision_name(key): value.clone() for key, value in model.state_dict().items()}


def torchvision_name(key: str) -> str:
    names = {"convolution": "conv", "normalization": "bn"}
    if found := re.fullmatch(r"embedder\.embedder\.(\w+)\.(\w+)", key):
        return f"{names[found[1]]}1.{found[2]}"
    found = re.fullmatch(r"encoder\.stages\.(\d)\.layers\.(\d+)\.(shortcut|layer\.(\d))\.(\w+)\.(\w+)", key)
    assert found is not None, key
    place = f"layer{int(found[1]) + 1}.{found[2]}"
    if found[3] == "shortcut":
        return f"{place}.downsample.{0 if found[5] == 'convolution' else 1}.{found[6]}"
    return f"{place}.{names[found[5]]}{int(found[4]) + 1}.{found[6]}"


@pytest.mark.parametrize("name", DEPTHS)
def test_features_equal_those_of_transformers(name: str) -> None:
    theirs, state = published(name)
    ours = build_backbone(name).eval()
    ours.load_state_dict(rename_resnet({**state, "fc.weight": torch.zeros(1)}), strict=False)
    pixels = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        expected = theirs(pixels, output_hidden_states=True).hidden_states[1:]
        for mine, other in zip(ours(pixels), expected, strict=True):
            torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)


def timm_name(key: str) -> str | None:
    """A transformers ConvNeXt's key as timm's; None for its head."""
    if key.startswith("layernorm."):
        return None
    key = key.replace("embeddings.patch_embeddings.", "stem.0.").replace("embeddings.layernorm.", "stem.1.")
    key = (
        key.removeprefix("encoder.")
        .replace("downsampling_layer", "downsample")
        .replace(".layers.", ".blocks.")
    )
    for theirs, timms in (
        ("dwconv", "conv_dw"), ("layernorm", "norm"), ("pwconv1", "mlp.fc1"), ("pwconv2", "mlp.fc2"),
        ("layer_scale_parameter", "gamma"),
    ):  # fmt: skip
        key = key.replace(f".{theirs}", f".{timms}") if ".blocks." in key else key
    return key


def test_a_convnext_equals_that_of_transformers() -> None:
    torch.manual_seed(0)
    theirs = ConvNextModel(ConvNextConfig(layer_scale_init_value=0.5)).eval()
    state = {timm_name(key): value for key, value in theirs.state_dict().items()}
    state.pop(None, None)
    ours = build_backbone("convnext_tiny").eval()
    ours.load_state_dict(rename_convnext({k: v for k, v in state.items() if k is not None}))
    pixels = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        expected = theirs(pixels, output_hidden_states=True).hidden_states[1:]
        for mine, other in zip(ours(pixels), expected, strict=True):
            torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)


def test_a_vgg_equals_the_sequence_that_torchvision_writes_down() -> None:
    torch.manual_seed(0)
    layers: list[torch.nn.Module] = []
    cin = 3
    for entry in (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"):
        if isinstance(entry, str):
            layers.append(torch.nn.MaxPool2d(2))
            continue
        layers += [torch.nn.Conv2d(cin, entry, 3, padding=1), torch.nn.BatchNorm2d(entry), torch.nn.ReLU()]
        cin = entry
    theirs = torch.nn.Sequential(*layers).eval()
    for layer in theirs:
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    ours = build_backbone("vgg16").eval()
    state = {f"features.{key}": value.clone() for key, value in theirs.state_dict().items()}
    ours.load_state_dict(rename_vgg(state), strict=False)
    pixels = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        found = ours(pixels)
        torch.testing.assert_close(found[3], theirs(pixels), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(found[0], theirs[:23](pixels), atol=1e-4, rtol=1e-4)
    with pytest.raises(ModelError, match="batch normalisation"):
        rename_vgg({"features.0.weight": torch.zeros(64, 3, 3, 3), "features.0.bias": torch.zeros(64)})


def test_weights_of_a_file_see_our_pixels_as_they_saw_theirs(tmp_path: Path) -> None:
    theirs, state = published("resnet18")
    save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / "r18.safetensors")
    ours = build_backbone("resnet18").eval()
    ours.load_state_dict(weights_from(tmp_path / "r18.safetensors", "resnet18"), strict=False)
    pixels = torch.randint(0, 256, (1, 3, 128, 128)).float()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    with torch.no_grad():
        expected = theirs.embedder((pixels / 255 - mean) / std)
        mine = torch.nn.functional.max_pool2d(torch.relu(ours.stem((pixels - 127) / 128)), 3, 2, 1)
    inner = (slice(None), slice(None), slice(2, -2), slice(2, -2))
    torch.testing.assert_close(mine[inner], expected[inner], atol=1e-4, rtol=1e-4)


def test_lite_starts_from_such_a_file(tmp_path: Path) -> None:
    _, state = published("resnet18")
    save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / "r18.safetensors")
    lite = build_lite(LiteConfig(backbone="resnet18", width16=16, width8=8, width4=8, attention_width=8),
                      imagenet=tmp_path / "r18.safetensors")  # fmt: skip
    torch.testing.assert_close(
        lite.encoder.backbone.state_dict()["stages.0.0.conv1.conv.weight"].shape, torch.Size((64, 64, 3, 3))
    )
    plain = build_lite(lite.config)
    assert not torch.equal(
        lite.encoder.backbone.state_dict()["stem.conv.weight"],
        plain.encoder.backbone.state_dict()["stem.conv.weight"],
    )


@pytest.mark.parametrize(
    ("backbone", "change", "message"),
    [
        ("resnet18", {"layer9.0.conv1.weight": torch.zeros(1)}, "no weight of a ResNet"),
        ("resnet34", {}, "they are those of resnet18; set model.backbone"),
        ("plain_cnn", {}, "known are those of .*resnet18"),
    ],
)
def test_files_of_something_else_are_refused(
    tmp_path: Path, backbone: str, change: dict[str, Tensor], message: str
) -> None:
    _, state = published("resnet18")
    save_file({k: v.contiguous() for k, v in {**state, **change}.items()}, tmp_path / "w.safetensors")
    with pytest.raises(ModelError, match=message):
        weights_from(tmp_path / "w.safetensors", backbone)
