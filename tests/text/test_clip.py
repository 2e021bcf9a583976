"""CLIP: the same answers as transformers', from every layout of the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from anymask.core.errors import ModelError
from anymask.models.cache import ModelCache
from anymask.models.clip import import_clip
from anymask.models.importer import import_checkpoint
from anymask.models.registry import Registry
from anymask.text.clip import ClipEncoder
from tests.text.clips import (
    hugging_face_clip,
    save_hugging_face,
    save_open_clip,
    save_openai,
    save_vocabulary,
    small_vocabulary,
)

CAPTIONS = ["a photo of a red bicycle", "dog", "it's the cat on grass 12", "größe façade"]
TOLERANCE = 1e-4


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    box = tmp_path / "box"
    box.mkdir()
    return Registry(ModelCache(tmp_path / "home"), {}, box)


def their_texts(model: Any) -> np.ndarray:
    from transformers import CLIPTokenizer

    vocabulary = small_vocabulary()
    tokenizer = CLIPTokenizer(vocab=dict(vocabulary.tokens), merges=list(vocabulary.merges))
    tokens = tokenizer(CAPTIONS, padding="max_length", max_length=16, return_tensors="pt")
    with torch.no_grad():
        out = model.get_text_features(input_ids=tokens["input_ids"])
    return embedding_of(out)


def embedding_of(out: Any) -> np.ndarray:
    rows = getattr(out, "pooler_output", out).numpy()
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def their_images(model: Any, pixels: np.ndarray, encoder: ClipEncoder) -> np.ndarray:
    mean, std = (np.float32(value) for value in (encoder.config.pixel_mean, encoder.config.pixel_std))
    normal = torch.from_numpy(((pixels - mean) / std).transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        return embedding_of(model.get_image_features(pixel_values=normal))


def check_parity(model: Any, encoder: ClipEncoder, tolerance: float = TOLERANCE) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), np.uint8)
    ours = encoder.embed_pixels(pixels)
    ours = ours / np.linalg.norm(ours, axis=1, keepdims=True)
    np.testing.assert_allclose(ours, their_images(model, pixels, encoder), atol=tolerance)
    texts = encoder.embed_captions(CAPTIONS)
    np.testing.assert_allclose(texts, their_texts(model), atol=tolerance)
    assert np.abs(texts @ ours.T).max() < 0.99  # the embeddings differ, so that the comparison says something


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
def test_transformers_layout(activation: str, tmp_path: Path, registry: Registry) -> None:
    model = hugging_face_clip(activation)
    folder = import_checkpoint(save_hugging_face(model, tmp_path / "hf"), "clip", registry=registry)
    encoder = ClipEncoder(folder, precision="exact", threads=1)
    assert encoder.config.activation == activation
    check_parity(model, encoder)


def test_the_other_activation_would_not_pass(tmp_path: Path, registry: Registry) -> None:
    model = hugging_face_clip("gelu")
    folder = save_hugging_face(hugging_face_clip("quick_gelu"), tmp_path / "hf")
    encoder = ClipEncoder(import_clip(folder, "clip", registry=registry), precision="exact", threads=1)
    with pytest.raises(AssertionError):
        check_parity(model, encoder)


@pytest.mark.parametrize(("quick_gelu", "prefix"), [(True, ""), (False, "text.")])
def test_open_clip_layout(quick_gelu: bool, prefix: str, tmp_path: Path, registry: Registry) -> None:
    model = hugging_face_clip("quick_gelu" if quick_gelu else "gelu")
    folder = save_open_clip(model, tmp_path / "oc", quick_gelu=quick_gelu, prefix=prefix)
    encoder = ClipEncoder(import_checkpoint(folder, registry=registry), precision="exact", threads=1)
    # head_width 8 of width 32: four heads, as in the twin
    assert encoder.config.image.heads == 4
    assert encoder.config.pixel_mean == pytest.approx((127.5, 102.0, 76.5))
    check_parity(model, encoder)


def test_openai_layout(tmp_path: Path, registry: Registry) -> None:
    two, one = {"hidden_size": 128, "num_attention_heads": 2}, {"hidden_size": 64, "num_attention_heads": 1}
    model = hugging_face_clip(image=two, text=one)  # heads of 64 numbers, as in all of OpenAI's
    file = save_openai(model, tmp_path / "oa")
    folder = import_checkpoint(file, registry=registry)
    assert folder.name == "ViT-tiny"
    encoder = ClipEncoder(folder, precision="exact", threads=1)
    assert encoder.config.activation == "quick_gelu"
    pixels = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), np.uint8)
    ours = encoder.embed_pixels(pixels)
    theirs = their_images(model.half().float(), pixels, encoder)
    np.testing.assert_allclose(ours / np.linalg.norm(ours, axis=1, keepdims=True), theirs, atol=TOLERANCE)


def test_importing_again_gives_the_same_model(tmp_path: Path, registry: Registry) -> None:
    source = save_hugging_face(hugging_face_clip(), tmp_path / "hf")
    first = import_checkpoint(source, "clip", registry=registry)
    first.verify()
    assert import_checkpoint(source, "clip", registry=registry).sha256 == first.sha256
    again = import_checkpoint(first.path, "clip-copy", registry=registry)
    assert ClipEncoder(again, threads=1).config == ClipEncoder(first, threads=1).config


def test_what_cannot_be_imported_is_said(tmp_path: Path, registry: Registry) -> None:
    model = hugging_face_clip()
    bare = tmp_path / "bare"
    model.save_pretrained(bare)
    with pytest.raises(ModelError, match=r"has no vocabulary; put vocab\.json"):
        import_checkpoint(bare, registry=registry)
    save_vocabulary(bare)
    (bare / "config.json").unlink()
    with pytest.raises(ModelError, match=r"there is no config\.json beside it"):
        import_checkpoint(bare, registry=registry)
    plain = save_open_clip(model, tmp_path / "oc", quick_gelu=True)
    (plain / "open_clip_config.json").unlink()
    with pytest.raises(ModelError, match="QuickGELU or GELU"):
        import_checkpoint(plain, registry=registry)
    assert registry.cache.names() == []
