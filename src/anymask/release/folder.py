"""A complete model folder from a network in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from anymask.models.folder import ModelFolder, file_sha256
from anymask.models.manifest import MANIFEST, WEIGHTS, FileEntry, Manifest
from anymask.models.spec import ModelSpec
from anymask.release.export import Graph
from anymask.release.templates import make_template


def write_model_folder(
    module: nn.Module,
    graphs: Sequence[Graph],
    spec: ModelSpec,
    folder: Path,
    *,
    half: Callable[[str], bool] = lambda _: False,
    source: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> ModelFolder:
    """Write graphs, weights and manifest; existing files of these names are replaced one by one.

    module: its state dict holds all weights that the graphs name. half: which of them are stored as float16.
    source, training, metrics: for the manifest. Raises OutputError, ModelError.
    """
    template = make_template(module, graphs, half)
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.cpu().numpy() for name, value in module.state_dict().items()}
    template.fill({name: state[name] for name in template.layout.places}, folder)
    names = [WEIGHTS, *template.graphs]
    files = {name: FileEntry(file_sha256(folder / name), (folder / name).stat().st_size) for name in names}
    Manifest(spec, files, source or {}, training or {}, metrics or {}).write(folder / MANIFEST)
    return ModelFolder.open(folder)
