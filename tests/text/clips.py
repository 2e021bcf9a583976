"""Small CLIPs with random weights, in the layouts in which CLIPs are published."""

from __future__ import annotations

import gzip
import json
import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from anymask.models.clip.keys import ClipTensors
from anymask.models.clip.vocabulary import BEGIN, END, WORD_END, Vocabulary, byte_letters

WORDS = (
    "a", "photo", "of", "red", "bicycle", "dog", "cat", "on", "the", "grass", "it's", "there", "they've",
    "1", "2", "3", "naïve", "façade", "größe",
)  # fmt: skip


@lru_cache
def small_vocabulary() -> Vocabulary:
    """Bytes, and the merges that spell out some words from their beginning to their end."""
    letters = byte_letters()
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        parts = [letters[byte] for byte in word.encode()]
        parts[-1] += WORD_END
        while len(parts) > 1:
            pair = (parts[0], parts[1])
            merges += [pair] if pair not in merges else []
            parts = ["".join(pair), *parts[2:]]
    return Vocabulary.of_merges(merges)


def hugging_face_clip(
    activation: str = "quick_gelu",
    *,
    text: Mapping[str, int] | None = None,
    image: Mapping[str, int] | None = None,
) -> Any:
    """A `transformers.CLIPModel` with weights large enough for every part to matter.

    text, image: sizes of the towers that are to be others."""
    from transformers import CLIPConfig, CLIPModel

    tokens = small_vocabulary().tokens
    text_tower = {
        "vocab_size": len(tokens), "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2,
        "num_attention_heads": 3, "max_position_embeddings": 16, "hidden_act": activation,
        "bos_token_id": tokens[BEGIN], "eos_token_id": tokens[END], "pad_token_id": 0,
        **(text or {}),
    }  # fmt: skip
    image_tower = {
        "hidden_size": 32, "intermediate_size": 56, "num_hidden_layers": 3, "num_attention_heads": 4,
        "image_size": 32, "patch_size": 8, "hidden_act": activation,
        **(image or {}),
    }  # fmt: skip
    torch.manual_seed(0)
    model = CLIPModel(CLIPConfig(text_config=text_tower, vision_config=image_tower, projection_dim=20)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 0:
                parameter.add_(torch.randn_like(parameter) * 0.15)
    return model


def save_vocabulary(folder: Path, kind: str = "files") -> None:
    """Beside a checkpoint: "files" (vocab.json, merges.txt), "tokenizer" (tokenizer.json) or "plain"."""
    vocabulary = small_vocabulary()
    lines = [" ".join(pair) for pair in vocabulary.merges]
    if kind == "files":
        (folder / "vocab.json").write_text(json.dumps(dict(vocabulary.tokens)), encoding="utf-8")
        (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines]) + "\n", encoding="utf-8")
    elif kind == "tokenizer":
        model = {"vocab": dict(vocabulary.tokens), "merges": [list(pair) for pair in vocabulary.merges]}
        (folder / "tokenizer.json").write_text(json.dumps({"model": model}), encoding="utf-8")
    else:
        packed = gzip.compress("\n".join(['"bpe_simple_vocab_16e6.txt#version: 0.2', *lines]).encode())
        (folder / "bpe_simple_vocab_16e6.txt.gz").write_bytes(packed)


def canonical_state(model: Any) -> dict[str, torch.Tensor]:
    """Its weights as OpenAI's and open_clip's code name and shape them."""
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    tensors = ClipTensors(state, {name: value.shape for name, value in state.items()})
    return {name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}


def save_hugging_face(model: Any, folder: Path) -> Path:
    """As `save_pretrained` writes it; returns the folder."""
    model.save_pretrained(folder)
    save_vocabulary(folder)
    return folder


def save_open_clip(model: Any, folder: Path, *, quick_gelu: bool, prefix: str = "") -> Path:
    """As open_clip publishes it; returns the folder. prefix: before the text tower's names."""
    folder.mkdir()
    text = ("token_embedding", "positional_embedding", "transformer.", "ln_final", "text_projection")
    state = {
        (prefix if name.startswith(text) else "") + name: v for name, v in canonical_state(model).items()
    }
    torch.save(state, folder / "open_clip_pytorch_model.bin")
    config = {
        "model_cfg": {
            "quick_gelu": quick_gelu,
            "vision_cfg": {"layers": 3, "head_width": 8},
            "text_cfg": {"heads": 3},
        },
        "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_vocabulary(folder, "tokenizer")
    return folder


def save_openai(model: Any, folder: Path) -> Path:
    """As OpenAI publishes it: a TorchScript archive of half-precision weights; returns the file."""
    folder.mkdir()
    root = _Part()
    for name, value in canonical_state(model).items():
        _put(root, name.split("."), value.half())
    root.register_buffer("context_length", torch.tensor(16))
    save_vocabulary(folder, "plain")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is on its way out; OpenAI's files stay
        torch.jit.save(torch.jit.script(root), folder / "ViT-tiny.pt")
    return folder / "ViT-tiny.pt"


class _Part(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def _put(module: torch.nn.Module, path: list[str], value: torch.Tensor) -> None:
    for name in path[:-1]:
        if name not in dict(module.named_children()):
            module.add_module(name, _Part())
        module = dict(module.named_children())[name]
    module.register_parameter(path[-1], torch.nn.Parameter(value))


def as_arrays(state: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Tensors as arrays."""
    return {name: value.numpy() for name, value in state.items()}
