"""A CLIP checkpoint made into a model folder: weights, vocabulary, and the sizes in the manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from anymask.core.errors import AnymaskError, FormatError, ModelError
from anymask.core.files import write_atomically
from anymask.models.checkpoint import Checkpoint, read_checkpoint
from anymask.models.clip.config import (
    OPENAI,
    ClipConfig,
    Hints,
    clip_config,
    hints_of_hugging_face,
    hints_of_open_clip,
)
from anymask.models.clip.keys import ClipTensors, has_clip_names, is_hugging_face
from anymask.models.clip.vocabulary import Vocabulary, find_vocabulary
from anymask.models.folder import ModelFolder
from anymask.models.importer import CheckpointFile, already_there, as_name, check_may_use, describe_files
from anymask.models.manifest import MANIFEST, WEIGHTS, Manifest
from anymask.models.registry import Registry
from anymask.models.spec import ModelSpec
from anymask.models.torch_archive import is_torchscript
from anymask.models.weights import Layout, write_weights

VOCABULARY: Final = "vocabulary.json"
_SMALL_FILES: Final = 8_000_000  # more bytes than vocabulary and manifest take


def is_clip(path: Path) -> bool:
    """Whether a checkpoint, or the folder that holds one, looks like CLIP's; False where unreadable."""
    try:
        return has_clip_names(read_checkpoint(path))
    except AnymaskError:
        return False


def import_clip(path: Path, name: str | None = None, *, registry: Registry | None = None) -> ModelFolder:
    """Take a CLIP with a vision transformer into the cache.

    path: a checkpoint of OpenAI's (`.pt`), open_clip's or transformers', or a folder that holds one. Beside
        it must lie its vocabulary (see `vocabulary`), and, except for OpenAI's own files, the config that
        says which activation it was trained with.
    Raises ModelError (another network, no config, no vocabulary), FormatError, OutputError.
    """
    registry = registry or Registry()
    given = CheckpointFile.look_at(path)
    checkpoint = read_checkpoint(given.path)
    try:
        tensors = ClipTensors(checkpoint, checkpoint.shapes)
        config = clip_config(tensors.shapes, _hints(given.path, checkpoint, tensors))
        vocabulary = find_vocabulary(given.path.parent)
        if max(vocabulary.tokens.values()) >= config.vocabulary:
            raise ModelError(
                f"its vocabulary has {len(vocabulary.tokens)} tokens, the network {config.vocabulary}; "
                "put the files that belong together beside each other."
            )
    except AnymaskError as error:
        raise ModelError(f"Cannot use {path}. {error}") from error
    spec = _spec(as_name(given.title) if name is None else name, config)
    check_may_use(spec.name, registry)
    with registry.cache.lock(spec.name):
        known = already_there(spec, given.sha256, registry.cache)
        if known is not None:
            return known
        registry.cache.require_space(given.bytes * 2 + _SMALL_FILES, f"Model {spec.full_name}")
        with registry.cache.new_model(spec.name, spec.version) as folder:
            _write_weights(folder / WEIGHTS, tensors)
            _write_vocabulary(folder / VOCABULARY, vocabulary)
            Manifest(spec, describe_files(folder), given.source).write(folder / MANIFEST)
        return ModelFolder.open(registry.cache.folder(spec.name, spec.version))


def _spec(name: str, config: ClipConfig) -> ModelSpec:
    return ModelSpec(
        name,
        "clip",
        input_size=config.image_size,
        mask_size=config.grid,
        pixel_mean=config.pixel_mean,
        pixel_std=config.pixel_std,
        pad_value=config.pixel_mean,
        features=("embedding",),
        prompts=("text",),
        config={"network": config.to_json()},
    )


def _hints(file: Path, checkpoint: Checkpoint, tensors: ClipTensors) -> Hints:
    """What the files beside the weights say. Raises ModelError where nothing tells the activation."""
    folder = file.parent
    if is_hugging_face(checkpoint):
        config = _json(folder / "config.json")
        if config is not None:
            return hints_of_hugging_face(config)
        raise ModelError("there is no config.json beside it; it says which activation the network has.")
    if is_torchscript(file):
        return OPENAI
    width = tensors.shapes["visual.conv1.weight"][0]
    for beside in (folder / "open_clip_config.json", file.with_suffix(".json")):
        config = _json(beside)
        if config is not None:
            return hints_of_open_clip(config, width)
    raise ModelError(
        "nothing beside it says whether it has QuickGELU or GELU, and the wrong one gives wrong answers; put "
        f"open_clip_config.json (or open_clip's model config as {file.stem}.json) beside it."
    )


def _json(path: Path) -> Mapping[str, Any] | None:
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(f"{path} is no JSON ({error}); get the file again") from error
    if not isinstance(value, Mapping):
        raise FormatError(f"{path} holds no JSON object; get the file again")
    return value


def _write_weights(path: Path, tensors: ClipTensors) -> None:
    """Half-precision tensors stay so; everything else is stored as float32."""
    half = {name for name, array in tensors.items() if array.dtype == np.float16}
    write_weights(path, tensors, Layout.of(tensors.shapes, half.__contains__))


def _write_vocabulary(path: Path, vocabulary: Vocabulary) -> None:
    write_atomically(path, json.dumps(vocabulary.to_json(), ensure_ascii=False).encode())
