"""Weights from files into torch modules.

Files are read by `anymask.models.checkpoint`, the reader that inference without torch uses: it admits less
than `torch.load(weights_only=True)`, and the same file gives the same error everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from anymask.core.errors import ModelError
from anymask.modeling.config import SamConfig, TinyVitConfig, infer_config
from anymask.modeling.lite.config import LiteConfig
from anymask.modeling.lite.lite import Lite
from anymask.modeling.sam import Sam
from anymask.models.checkpoint import read_checkpoint
from anymask.models.folder import ModelFolder, is_model_folder
from anymask.models.keys import canonical_names, some_names

Shapes = Mapping[str, tuple[int, ...]]


def load_sam(path: str | Path) -> Sam:
    """A Segment Anything network from a model folder, a checkpoint file or a Hugging Face folder.

    Sizes are read off the weights. Checkpoints may have Meta's, MobileSAM's or Hugging Face's key names, as
    `.pth`, `.pt` or `.safetensors`. Returns the network in evaluation mode, float32, on the CPU.
    Raises ModelError for a file that cannot be read, holds anything but tensors, or is another network.
    """
    path = Path(path)
    if is_model_folder(path):
        return _from_folder(ModelFolder.open(path))
    checkpoint = read_checkpoint(path)
    try:
        names = canonical_names(checkpoint)
        shapes = {name: checkpoint.shapes[given] for name, given in names.items()}
        config = infer_config(shapes)
        _check_fit(_shapes_of(config), shapes, "Sam")
    except ModelError as error:
        raise ModelError(f"Cannot use {path}. {error}") from error
    sam = Sam(config).eval()
    load_weights(sam, {name: checkpoint[given] for name, given in names.items()})
    return sam


def load_lite(folder: ModelFolder) -> Lite:
    """The `lite` of a model folder, in evaluation mode, float32, on the CPU. Raises ModelError."""
    if folder.spec.architecture != "lite":
        raise ModelError(f"Model {folder.spec.full_name} is {folder.spec.architecture!r}, no lite.")
    lite = Lite(LiteConfig.from_dict(folder.spec.config)).eval()
    load_weights(lite, read_checkpoint(folder.weights))
    return lite


def load_weights(module: nn.Module, weights: Mapping[str, NDArray[Any]]) -> None:
    """Copy arrays into all parameters and buffers of `module`, converting to their types.

    Counters of batch normalisation (`num_batches_tracked`) may be missing. Raises ModelError, before anything
    is changed, listing missing and unexpected names and wrong shapes.
    """
    state = module.state_dict()
    expected = {name: tuple(value.shape) for name, value in state.items()}
    _check_fit(expected, {name: array.shape for name, array in weights.items()}, type(module).__name__)
    with torch.no_grad():
        for name, array in weights.items():
            state[name].copy_(torch.from_numpy(np.array(array)))  # a copy: the arrays of files are read-only


def _shapes_of(config: SamConfig) -> Shapes:
    """The shapes of a network's state, without making it."""
    with torch.device("meta"):
        return {name: tuple(value.shape) for name, value in Sam(config).state_dict().items()}


def _check_fit(expected: Shapes, given: Shapes, network: str) -> None:
    missing = [n for n in expected if n not in given and not n.endswith(".num_batches_tracked")]
    unexpected = [name for name in given if name not in expected]
    wrong = [
        f"{name} is {shape} instead of {expected[name]}"
        for name, shape in given.items()
        if name in expected and shape != expected[name]
    ]
    problems = [
        f"{label} {len(found)} ({some_names(found)})"
        for label, found in (("missing", missing), ("unexpected", unexpected), ("wrong shape", wrong))
        if found
    ]
    if problems:
        raise ModelError(f"Weights do not fit {network}: {', '.join(problems)}.")


def _from_folder(folder: ModelFolder) -> Sam:
    spec = folder.spec
    if not spec.architecture.startswith("sam_"):
        raise ModelError(f"Model {spec.full_name} is {spec.architecture!r}, no Segment Anything network.")
    weights = read_checkpoint(folder.weights)
    inferred = infer_config(weights.shapes)
    config = replace(inferred, pixel_mean=spec.pixel_mean, pixel_std=spec.pixel_std)
    if isinstance(config.encoder, TinyVitConfig):  # its weights fit any input size
        config = replace(config, input_size=spec.input_size)
    _check_input_size(config, spec.input_size)
    _check_fit(_shapes_of(config), weights.shapes, spec.full_name)
    sam = Sam(config).eval()
    load_weights(sam, weights)
    return sam


def _check_input_size(config: SamConfig, stated: int) -> None:
    if config.input_size != stated:
        raise ModelError(
            f"Weights are for an input of {config.input_size} pixels, but the manifest says {stated}; "
            "import the checkpoint again."
        )
