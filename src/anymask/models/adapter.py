"""Adapters: what fine-tuning changed, in the file format of the peft package, and the model they make.

A folder of `adapter_config.json`, `adapter_model.safetensors` (Hu et al., LoRA, arXiv 2106.09685; the layout
of https://github.com/huggingface/peft) and `anymask_adapter.json`, which names the model that it is for.
A tensor of the base becomes `W + alpha / r * B A`, or is replaced where the adapter holds all of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from anymask.core.errors import FormatError, ModelError
from anymask.models.checkpoint import Checkpoint, read_checkpoint
from anymask.models.derive import write_derived
from anymask.models.folder import ModelFolder, file_sha256, is_file, try_open
from anymask.models.registry import Registry
from anymask.models.weights import read_layout

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"
ABOUT: Final = "anymask_adapter.json"
PREFIX: Final = "base_model.model."
FORMAT: Final = 1

_LOW_RANK = re.compile(r"(?P<layer>.+)\.lora_(?P<part>[AB])\.weight")


@dataclass(frozen=True)
class About:
    """Whose adapter it is. base, base_sha256: the model; name, version: of the model that both make."""

    base: str
    base_sha256: str
    name: str
    version: str

    def to_json(self) -> dict[str, Any]:
        return {"anymask_adapter": FORMAT, **vars(self)}

    @classmethod
    def read(cls, path: Path) -> About:
        """Raises FormatError, naming the file, if it is missing or damaged."""
        value = _read_json(path)
        if value.get("anymask_adapter") != FORMAT:
            raise FormatError(f"'{path}' is not of format {FORMAT}; a newer anymask may read it")
        try:
            return cls(*(str(value[name]) for name in ("base", "base_sha256", "name", "version")))
        except KeyError as error:
            raise FormatError(f"'{path}' lacks {error}; write the adapter again") from error


def is_adapter_folder(path: Path) -> bool:
    """Whether `path` looks like an adapter's folder, intact or not."""
    return is_file(path / CONFIG)


def open_adapted(path: Path, registry: Registry) -> ModelFolder:
    """The model that an adapter makes of its base, kept in the cache.

    Raises ModelError if the base is not on this machine or another one than the adapter was made for,
    FormatError if the adapter is damaged, OutputError if the cache cannot be written.
    """
    about = About.read(path / ABOUT)
    base = registry.resolve(about.base)
    if base.sha256 != about.base_sha256:
        raise ModelError(
            f"The adapter {path} is for {about.base} with SHA-256 {about.base_sha256[:12]}..., "
            f"but here that model has {base.sha256[:12]}...; get the same one."
        )
    # Two adapters of one name are different models.
    version = f"{about.version}+{file_sha256(path / WEIGHTS)[:12]}"[:32]
    cache = registry.cache
    with cache.lock(about.name):
        known = try_open(cache.folder(about.name, version))
        if known is not None:
            return known
        cache.require_space(base.bytes, f"Model {about.name}@{version}")
        with cache.new_model(about.name, version) as folder:
            write_derived(base, Merged(base, path), folder, name=about.name, version=version)
    return ModelFolder.open(cache.folder(about.name, version))


class Merged(Mapping[str, np.ndarray]):
    """The tensors of a base with an adapter applied, float32, made one at a time."""

    def __init__(self, base: ModelFolder, adapter: Path) -> None:
        """Raises FormatError or ModelError if the adapter is damaged or does not fit the base."""
        self._names = list(read_layout(base.weights).places)
        self._base = read_checkpoint(base.weights)
        self._given = read_checkpoint(adapter / WEIGHTS)
        self._low_rank, self._whole = _parts(self._given)
        self._scale = _scale(adapter / CONFIG)
        unknown = sorted({*self._low_rank, *self._whole} - set(self._names))
        if unknown:
            raise ModelError(f"The adapter {adapter} changes {unknown[0]}, which {base.name} does not have.")

    def __getitem__(self, name: str) -> np.ndarray:
        if name in self._whole:
            return np.asarray(self._given[self._whole[name]], np.float32)
        weight = np.asarray(self._base[name], np.float32)
        if name not in self._low_rank:
            return weight
        a, b = (np.asarray(self._given[key], np.float32) for key in self._low_rank[name])
        return weight + np.float32(self._scale) * low_rank_product(a, b).reshape(weight.shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def low_rank_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """B A, of convolutions, too: b (out, r[, 1, 1]) and a (r, in[, k, k]) -> (out, in[ * k * k])."""
    product: np.ndarray = b.reshape(b.shape[0], -1) @ a.reshape(a.shape[0], -1)
    return product


def _parts(given: Checkpoint) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """Name of a base's tensor -> keys of A and B; name -> key of what is replaced as a whole."""
    low_rank: dict[str, dict[str, str]] = {}
    whole: dict[str, str] = {}
    for key in given:
        if not key.startswith(PREFIX):
            raise FormatError(f"the adapter holds {key[:80]!r}; expected names that start with {PREFIX!r}")
        name = key.removeprefix(PREFIX)
        match = _LOW_RANK.fullmatch(name)
        if match is None:
            whole[name] = key
        else:
            low_rank.setdefault(f"{match['layer']}.weight", {})[match["part"]] = key
    broken = [name for name, parts in low_rank.items() if set(parts) != {"A", "B"}]
    if broken:
        raise FormatError(f"the adapter has only one of lora_A and lora_B of {broken[0]}; write it again")
    return {name: (parts["A"], parts["B"]) for name, parts in low_rank.items()}, whole


def _scale(path: Path) -> float:
    config = _read_json(path)
    if config.get("peft_type") != "LORA" or config.get("use_dora") or config.get("use_rslora"):
        raise FormatError(f"'{path}' is no plain LoRA adapter; expected peft_type LORA without variants")
    try:
        return float(config["lora_alpha"]) / int(config["r"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise FormatError(f"'{path}' does not say r and lora_alpha ({error!r}); write it again") from error


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise FormatError(f"cannot read '{path}': {error.strerror}; it belongs to the adapter") from error
    except ValueError as error:
        raise FormatError(f"'{path}' is damaged ({error}); write the adapter again") from error
    if not isinstance(value, Mapping):
        raise FormatError(f"'{path}' is no JSON object; write the adapter again")
    return value
