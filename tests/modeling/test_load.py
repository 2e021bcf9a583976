"""Weights in files find their way into the modules, or a clear line says why not."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from anymask.core.errors import ModelError
from anymask.modeling.load import load_sam, load_weights
from anymask.modeling.sam import Sam
from anymask.models.manifest import MANIFEST, WEIGHTS, FileEntry, Manifest
from anymask.models.spec import ModelSpec
from tests.modeling.test_sam import noise, small_sam


def large_headed(name: str, **overrides: Any) -> Sam:
    """A small network with SAM's eight decoder heads, which the weights do not tell."""
    return small_sam(name, decoder_heads=8, **overrides)


def assert_same(ours: Sam, original: Sam) -> None:
    assert ours.config == original.config
    assert not ours.training
    for name, value in original.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(ours.state_dict()[name], value, atol=0, rtol=0)


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "sam_model.", "module.model."])
def test_checkpoint_with_prefix(prefix: str, tmp_path: Path) -> None:
    sam = large_headed("vit_b")
    torch.save({prefix + k: v for k, v in sam.state_dict().items()}, tmp_path / "a.pth")
    assert_same(load_sam(tmp_path / "a.pth"), sam)


def test_checkpoint_of_a_training_loop(tmp_path: Path) -> None:
    sam = large_headed("vit_b")
    torch.save({"model": sam.state_dict(), "epoch": 3, "lr": 1e-4, "history": [1.0]}, tmp_path / "last.pt")
    assert_same(load_sam(tmp_path / "last.pt"), sam)


def test_safetensors_file_of_mobile(tmp_path: Path) -> None:
    sam = large_headed("mobile", input_size=1024)
    save_file(sam.state_dict(), tmp_path / "mobile.safetensors")
    assert_same(load_sam(str(tmp_path / "mobile.safetensors")), sam)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(dtype: torch.dtype, tmp_path: Path) -> None:
    sam = large_headed("vit_b")
    state = {name: value.to(dtype) for name, value in sam.state_dict().items()}
    torch.save(state, tmp_path / "half.pth")
    loaded = load_sam(tmp_path / "half.pth").state_dict()
    for name, value in state.items():
        assert loaded[name].dtype == torch.float32
        torch.testing.assert_close(loaded[name], value.float(), atol=0, rtol=0)


def write_folder(folder: Path, sam: Sam, **spec: Any) -> Path:
    folder.mkdir()
    save_file(sam.state_dict(), folder / WEIGHTS)
    content = (folder / WEIGHTS).read_bytes()
    settings = {"input_size": sam.config.input_size, "mask_size": sam.config.mask_size, **spec}
    files = {WEIGHTS: FileEntry(hashlib.sha256(content).hexdigest(), len(content))}
    Manifest(ModelSpec("mine", **settings), files, {}).write(folder / MANIFEST)
    return folder


@pytest.mark.parametrize(("name", "architecture"), [("vit_b", "sam_vit_b"), ("mobile", "sam_tiny_vit")])
def test_model_folder(name: str, architecture: str, tmp_path: Path) -> None:
    sam = large_headed(name)
    folder = write_folder(tmp_path / "mine", sam, architecture=architecture, pixel_mean=(1.0, 2.0, 3.0))
    ours = load_sam(folder)
    assert ours.config.input_size == 64
    assert ours.pixel_mean.flatten().tolist() == [1.0, 2.0, 3.0]
    assert_same(ours, with_mean(sam, (1.0, 2.0, 3.0)))
    with torch.inference_mode():
        torch.testing.assert_close(ours.encode(noise(1, 3, 64, 64)), sam.encode(noise(1, 3, 64, 64)))


def with_mean(sam: Sam, mean: tuple[float, float, float]) -> Sam:
    other = Sam(replace(sam.config, pixel_mean=mean)).eval()
    other.load_state_dict(sam.state_dict())
    return other


def test_model_folder_of_another_size_or_kind_is_refused(tmp_path: Path) -> None:
    sam = large_headed("vit_b")
    folder = write_folder(tmp_path / "size", sam, architecture="sam_vit_b", input_size=128)
    with pytest.raises(ModelError, match="for an input of 64 pixels, but the manifest says 128"):
        load_sam(folder)
    folder = write_folder(tmp_path / "kind", sam, architecture="lite")
    with pytest.raises(ModelError, match="'lite', no Segment Anything network"):
        load_sam(folder)


def test_what_does_not_fit_is_listed_and_nothing_changes() -> None:
    sam = small_sam("vit_b")
    before = {name: value.clone() for name, value in sam.state_dict().items()}
    weights = {name: value.numpy() + 1 for name, value in sam.state_dict().items()}
    weights["mask_decoder.extra"] = np.zeros(3, np.float32)
    weights["image_encoder.neck.1.bias"] = np.zeros(5, np.float32)
    del weights["mask_decoder.iou_token.weight"]
    with pytest.raises(ModelError) as raised:
        load_weights(sam, weights)
    message = str(raised.value)
    assert "missing 1 (mask_decoder.iou_token.weight)" in message
    assert "unexpected 1 (mask_decoder.extra)" in message
    assert "image_encoder.neck.1.bias is (5,) instead of (32,)" in message
    for name, value in sam.state_dict().items():
        torch.testing.assert_close(value, before[name], atol=0, rtol=0)


def test_another_network_is_refused_with_its_path(tmp_path: Path) -> None:
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"other\.pth.*unexpected 1 \(layer.weight\)"):
        load_sam(tmp_path / "other.pth")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("image_encoder.patch_embed.proj.weight", (32, 3)),
        ("image_encoder.pos_embed", (1,)),
        ("image_encoder.blocks.0.attn.rel_pos_h", (0, 0)),
        ("image_encoder.pos_embed", (1, 1 << 20, 1, 1)),  # read as a grid, it would ask for terabytes
        ("mask_decoder.iou_token.weight", ()),
    ],
)
def test_tensors_of_senseless_shape_are_refused(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    state = large_headed("vit_b").state_dict() | {name: torch.zeros(shape)}
    torch.save(state, tmp_path / "odd.pth")
    with pytest.raises(ModelError, match=r"odd\.pth"):
        load_sam(tmp_path / "odd.pth")
