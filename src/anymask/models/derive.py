"""A model folder with the graphs of another one and weights of its own."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from anymask.core.errors import ModelError, OutputError
from anymask.models.folder import ModelFolder, file_sha256
from anymask.models.manifest import MANIFEST, WEIGHTS, FileEntry, Manifest
from anymask.models.spec import check_name
from anymask.models.weights import read_layout, write_weights


def write_derived(
    base: ModelFolder,
    tensors: Mapping[str, np.ndarray],
    folder: Path,
    *,
    name: str,
    version: str,
    training: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> ModelFolder:
    """Write the folder of a model that differs from `base` in its weights alone.

    tensors: all of the base's tensors by name, of its shapes; stored in the types that the base stores them
        in. training, metrics: for the manifest; its source names the base and the base's own source.
    The manifest comes last: a folder without it is no model. Raises FormatError for a name that cannot be
    one, ModelError if the tensors do not fit, OutputError if writing fails.
    """
    check_name("name", name)
    layout = read_layout(base.weights)
    wrong = [n for n, value in tensors.items() if not np.isfinite(value).all()]
    if wrong:
        raise ModelError(f"The weights hold NaN or infinity ({wrong[0]} and {len(wrong) - 1} more).")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)
        for file in base.manifest.files:
            if file != WEIGHTS:
                shutil.copyfile(base.path / file, folder / file)
    except OSError as error:
        raise OutputError(
            f"cannot write '{folder}': {error.strerror or error}; choose another place or free some space"
        ) from error
    write_weights(folder / WEIGHTS, tensors, layout)
    files = {file: _entry(folder / file) for file in base.manifest.files}
    source = {
        "base": base.spec.full_name,
        "base_sha256": base.sha256,
        "base_source": dict(base.manifest.source),
    }
    spec = replace(base.spec, name=name, version=version, download=None)
    Manifest(spec, files, source, training or {}, metrics or {}).write(folder / MANIFEST)
    return ModelFolder.open(folder)


def _entry(path: Path) -> FileEntry:
    return FileEntry(file_sha256(path), path.stat().st_size)
