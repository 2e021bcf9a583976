"""EfficientNets: equal to timm's on the same weights, read from files of both layouts, and exported."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from anymask.core.errors import ModelError
from anymask.core.images import Picture
from anymask.modeling.lite import build_lite
from anymask.modeling.lite.backbones import IMAGENET_MEAN, IMAGENET_STD, build_backbone, weights_from
from anymask.modeling.lite.efficientnet import B0, VARIANTS, EfficientNet, rename_efficientnet, rounded
from anymask.modeling.lite.layers import Backbone, fold_normalisation
from anymask.predict.backends import make_runtime
from tests.model_folders import TINY_LITE, assert_near, lite_folder
from tests.modeling.twins import TOLERANCE
from tests.stubs import import_peer

SMALL = ["efficientnet_b0", "efficientnet_b1", "efficientnet_b3", "tf_efficientnet_b0", "tf_efficientnet_b2"]
BIG = [name for name, variant in VARIANTS.items() if not variant.lite]


def randomise(model: nn.Module) -> None:
    """Weights and statistics with which values neither vanish nor grow over many blocks."""
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(module.weight, 0.8, 1.2)
            nn.init.normal_(module.bias, 0, 0.1)
        elif isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0, (1.5 / module.weight[0].numel()) ** 0.5)
            if module.bias is not None:  # of squeeze and excitation
                nn.init.normal_(module.bias, 0, 0.5)


@cache
def timms(name: str) -> nn.Module:
    """timm's network with random weights, giving the maps of strides 2 to 32."""
    model: nn.Module = import_peer("timm").create_model(name, features_only=True).eval()
    randomise(model)
    return model


def published(name: str) -> dict[str, Tensor]:
    """A state dict as timm publishes them: with a head, which no feature depends on."""
    head = ("conv_head.weight", "bn2.weight", "bn2.running_var", "classifier.weight", "classifier.bias")
    return {**timms(name).state_dict(), **{key: torch.zeros(4) for key in head}}


def write(state: dict[str, Tensor], path: Path) -> Path:
    save_file({key: value.contiguous() for key, value in state.items()}, path)
    return path


def torchvision_name(key: str) -> str:
    """timm's key as torchvision's, which counts stages from 1 and layers in a block from 0."""
    if key.startswith(("conv_stem.", "bn1.")):
        return key.replace("conv_stem", "features.0.0").replace("bn1", "features.0.1")
    if key.startswith(("conv_head.", "bn2.")):
        return key.replace("conv_head", "features.8.0").replace("bn2", "features.8.1")
    if key.startswith("classifier."):
        return key.replace("classifier", "classifier.1")
    found = re.fullmatch(r"blocks\.(\d)\.(\d+)\.(.+)\.(\w+)", key)
    assert found is not None, key
    stage, block, layer, name = int(found[1]), found[2], found[3], found[4]
    first = ["conv_dw bn1", "se.conv_reduce se.conv_expand", "conv_pw bn2"]
    later = ["conv_pw bn1", "conv_dw bn2", "se.conv_reduce se.conv_expand", "conv_pwl bn3"]
    number, part = next(
        (number, names.split().index(layer))
        for number, names in enumerate(later if stage else first)
        if layer in names.split()
    )
    last = f"fc{part + 1}" if layer.startswith("se.") else part
    return f"features.{stage + 1}.{block}.block.{number}.{last}.{name}"


def ours_with(state: dict[str, Tensor], name: str) -> Backbone:
    """Our backbone with a file's weights, for pixels normalised as the file's."""
    model = build_backbone(name).eval()
    left = model.load_state_dict(rename_efficientnet(state, name), strict=False)
    assert not left.unexpected_keys
    assert all(key.endswith("num_batches_tracked") for key in left.missing_keys)
    return model


def some_pixels() -> Tensor:
    return torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def differences(ours: Backbone, name: str) -> list[float]:
    """The largest difference to timm's map at each stride."""
    theirs = timms(name)(some_pixels())[1:]
    assert min(float(other.std()) for other in theirs) > 0.1  # maps of zeros would prove nothing
    found = ours(some_pixels())
    assert [mine.shape for mine in found] == [other.shape for other in theirs]
    return [float((mine - other).abs().max()) for mine, other in zip(found, theirs, strict=True)]


@pytest.mark.parametrize("name", SMALL)
def test_features_equal_those_of_timm(name: str, tmp_path: Path) -> None:
    ours = ours_with(load_file(write(published(name), tmp_path / "weights.safetensors")), name)
    assert max(differences(ours, name)) < TOLERANCE
    fold_normalisation(ours)
    assert max(differences(ours, name)) < TOLERANCE


def test_the_name_decides_the_padding() -> None:
    for name, other in (("efficientnet_b0", "tf_efficientnet_b0"), ("tf_efficientnet_b0", "efficientnet_b0")):
        assert min(differences(ours_with(published(name), other), name)) > 100 * TOLERANCE


@pytest.mark.parametrize("name", BIG)
def test_every_variant_has_timms_tensors(name: str) -> None:
    with torch.device("meta"):
        theirs = import_peer("timm").create_model(name, features_only=True)
        ours = build_backbone(name)
    renamed = {key: value.shape for key, value in rename_efficientnet(theirs.state_dict(), name).items()}
    assert renamed == {k: v.shape for k, v in ours.state_dict().items() if "num_batches" not in k}
    assert list(ours.channels) == theirs.feature_info.channels()[1:]
    assert isinstance(ours, EfficientNet)
    theirs_same = not any(m.padding != (0, 0) for m in theirs.modules() if _strided(m))
    assert VARIANTS[name].same == theirs_same
    eps = {m.eps for m in theirs.modules() if isinstance(m, nn.BatchNorm2d)}
    assert eps == {1e-3 if theirs_same else 1e-5}


def _strided(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d) and module.stride == (2, 2)


def test_sizes_of_the_papers_table() -> None:
    assert VARIANTS["efficientnet_b0"].stages == B0
    b7 = VARIANTS["efficientnet_b7"]
    assert b7.stem == 64
    assert [stage.repeats for stage in b7.stages] == [4, 7, 7, 10, 10, 13, 4]
    lite2 = VARIANTS["efficientnet_lite2"]
    assert lite2.stem == 32
    assert [stage.repeats for stage in lite2.stages] == [1, 3, 3, 4, 4, 5, 1]
    assert [stage.channels for stage in lite2.stages] == [16, 24, 48, 88, 120, 208, 352]
    assert [rounded(value) for value in (3, 11, 11.9, 12, 44, 83, 320)] == [8, 16, 16, 16, 48, 80, 320]


def test_torchvisions_names_are_read(tmp_path: Path) -> None:
    state = {torchvision_name(key): value for key, value in published("efficientnet_b0").items()}
    path = write(state, tmp_path / "weights.safetensors")
    ours = ours_with(load_file(path), "efficientnet_b0")
    assert max(differences(ours, "efficientnet_b0")) < TOLERANCE
    with pytest.raises(ModelError, match="padded otherwise; choose efficientnet_b0"):
        weights_from(path, "tf_efficientnet_b0")


def test_torchvisions_largest_come_from_tensorflow() -> None:
    """Their batch normalisation adds 1e-3; that of the others, and timm's of these names, 1e-5."""
    stem = {"features.0.1.running_var": torch.ones(1)}
    for name, added in (("efficientnet_b4", 0.0), ("efficientnet_b5", 1e-3), ("efficientnet_b7", 1e-3)):
        moved = rename_efficientnet(stem, name)["stem.norm.running_var"] - 1
        assert moved.item() == pytest.approx(max(0.0, added - 1e-5), abs=1e-6)
    assert rename_efficientnet({"bn1.running_var": torch.ones(1)}, "efficientnet_b7") == {
        "stem.norm.running_var": torch.ones(1)
    }


@pytest.mark.parametrize("name", ["efficientnet_b0", "tf_efficientnet_b0"])
def test_weights_of_a_file_see_our_pixels_as_they_saw_theirs(name: str, tmp_path: Path) -> None:
    theirs = timms(name)
    ours = build_backbone(name).eval()
    path = write(published(name), tmp_path / "weights.safetensors")
    ours.load_state_dict(weights_from(path, name), strict=False)
    pixels = torch.randint(0, 256, (1, 3, 64, 64)).float()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    with torch.no_grad():
        expected = theirs.bn1(theirs.conv_stem((pixels / 255 - mean) / std))
        mine = F.silu(ours.stem((pixels - 127) / 128))
    inner = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    torch.testing.assert_close(mine[inner], expected[inner], atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_exported_graphs_equal_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "tf_efficientnet_b0"  # it has every operation of the others, and padding
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path / "home"))
    path = write(published(name), tmp_path / "weights.safetensors")
    lite = build_lite(replace(TINY_LITE, backbone=name), imagenet=path).eval()
    lite.fold()
    folder = lite_folder(lite, tmp_path / "model")
    picture = Picture(np.random.default_rng(0).integers(0, 256, (120, 128, 3), dtype=np.uint8))
    reference = make_runtime(folder, "torch", "exact", threads=1).encode(picture)
    assert {key: value.std() > 0.01 for key, value in reference.items()} == dict.fromkeys(
        ("s16", "s8", "s4"), True
    )
    for backend in ("openvino", "onnx"):
        for key, value in make_runtime(folder, backend, "exact", threads=1).encode(picture).items():
            assert_near(value, reference[key])


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ("efficientnet_b1", "they are those of efficientnet_b0 or tf_efficientnet_b0; set model.backbone"),
        ("resnet18", "weights of resnet18: 'blocks.0.0.bn1.bias' is no weight of a ResNet"),
    ],
)
def test_a_file_of_another_variant_says_which(tmp_path: Path, backbone: str, message: str) -> None:
    path = write(published("efficientnet_b0"), tmp_path / "weights.safetensors")
    with pytest.raises(ModelError, match=message):
        weights_from(path, backbone)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"blocks.1.0.se.conv_reduce.bias": None},
            r"1 of \d+ tensors are missing.* blocks.1.squeeze.reduce.bias",
        ),
        ({"blocks.1.0.conv_pw.bias": torch.zeros(96)}, "1 tensors too many.* blocks.1.expand.conv.bias"),
        ({"bn1.weight": torch.zeros(40)}, r"our stem.norm.weight is \(40,\) and should be \(32,\)"),
        (
            {"blocks.1.0.conv_exp.weight": torch.zeros(1)},
            "'blocks.1.0.conv_exp.weight' is no weight of an Eff",
        ),
        (
            {"fc.weight": torch.zeros(1)},
            "'fc.weight' is no weight of an EfficientNet as timm and torchvision",
        ),
        ({"features.0.0.weight": torch.zeros(1)}, "'blocks.0.0.bn1.bias' is no weight of an Eff"),
    ],
)
def test_a_file_that_does_not_fit_says_why(
    tmp_path: Path, change: dict[str, Tensor | None], message: str
) -> None:
    state = {**published("efficientnet_b0"), **change}
    path = write({k: v for k, v in state.items() if v is not None}, tmp_path / "weights.safetensors")
    with pytest.raises(ModelError, match=message) as caught:
        weights_from(path, "efficientnet_b0")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "key", ["features.0.0.block.0.0.weight", "features.1.0.block.3.0.weight", "features.9.0.weight"]
)
def test_torchvision_keys_that_do_not_exist_are_refused(key: str) -> None:
    with pytest.raises(ModelError, match=re.escape(f"{key!r} is no weight of an EfficientNet")):
        rename_efficientnet({key: torch.zeros(1)}, "efficientnet_b0")
