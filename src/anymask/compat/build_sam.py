"""`sam_model_registry`: from a checkpoint to a model, without torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from anymask.compat.modeling import Sam
from anymask.core.errors import ModelError
from anymask.models.folder import ModelFolder, file_sha256
from anymask.models.importer import import_checkpoint
from anymask.models.registry import Registry
from anymask.predict.load import Backend, Precision, load
from anymask.predict.model import Model

Checkpoint = str | os.PathLike[str] | None

_SUFFIXES: Final = (".pth", ".pt", ".safetensors")
_ARCHITECTURES: Final = {
    "vit_h": "sam_vit_h",
    "vit_l": "sam_vit_l",
    "vit_b": "sam_vit_b",
    "mobile": "sam_tiny_vit",
    "lite": "lite",
}


def _builder(name: str) -> Callable[..., Sam]:
    def build(
        checkpoint: Checkpoint = None,
        *,
        precision: Precision = "exact",
        backend: Backend = "auto",
        threads: int | None = None,
    ) -> Sam:
        """Open a Segment Anything model.

        checkpoint: a `.pth`, `.pt` or `.safetensors` file, which is converted into the model cache the first
            time and recognised by its SHA-256 from then on; a model folder; a registered model's name; None
            for the published model, if it was pulled (for "lite", the one in the package).
        precision, backend, threads: as for `anymask.load`; "exact" is what the published package computes.
        Raises ModelError if there is no such model, or it is another network.
        """
        folder = _folder(name if checkpoint is None else checkpoint)
        _check_architecture(folder, name)

        def load_on(chosen: Backend) -> Model:
            return load(folder.path, precision=precision, backend=chosen, threads=threads)

        return Sam(load_on(backend), load_on)

    return build


build_sam_vit_h = _builder("vit_h")
build_sam_vit_l = _builder("vit_l")
build_sam_vit_b = _builder("vit_b")
build_sam_vit_t = _builder("mobile")
build_sam = build_sam_vit_h

sam_model_registry: dict[str, Callable[..., Sam]] = {
    "default": build_sam_vit_h,
    "vit_h": build_sam_vit_h,
    "vit_l": build_sam_vit_l,
    "vit_b": build_sam_vit_b,
    "vit_t": build_sam_vit_t,
    "mobile": build_sam_vit_t,
    "lite": _builder("lite"),
}
"""Model type -> function that builds it. "vit_t" is MobileSAM's own name for "mobile"."""


def _check_architecture(folder: ModelFolder, name: str) -> None:
    found = folder.spec.architecture
    if found != _ARCHITECTURES[name]:
        right = next(key for key, architecture in _ARCHITECTURES.items() if architecture == found)
        raise ModelError(
            f"{folder.spec.full_name} is a {found}, no {_ARCHITECTURES[name]}; "
            f"use sam_model_registry[{right!r}]"
        )


def _folder(checkpoint: str | os.PathLike[str]) -> ModelFolder:
    path = Path(checkpoint).expanduser()
    if path.is_file() or path.suffix in _SUFFIXES:
        return _imported(path)
    return Registry().resolve(checkpoint)


def _imported(path: Path) -> ModelFolder:
    """The checkpoint's model in the cache, converted if it is not there yet."""
    try:
        sha256 = file_sha256(path)
    except OSError as error:
        raise ModelError(f"Cannot read {path}: {error.strerror}; give a checkpoint file") from error
    registry = Registry()
    for folder in registry.cache.installed():
        if folder.manifest.source.get("sha256") == sha256:
            return folder
    downloads = (spec.download for spec in registry.official.values())
    published = any(download is not None and download.sha256 == sha256 for download in downloads)
    return import_checkpoint(path, None if published else f"checkpoint-{sha256[:12]}", registry=registry)
