"""Small model folders and registries for tests."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from anymask.models.cache import ModelCache
from anymask.models.folder import ModelFolder
from anymask.models.manifest import MANIFEST, WEIGHTS, FileEntry, Manifest
from anymask.models.registry import Registry
from anymask.models.spec import Download, ModelSpec

CONTENT = {WEIGHTS: b"weights", "encoder.onnx": b"encoder graph", "decoder.onnx": b"decoder"}


def write_model(
    path: Path, spec: ModelSpec, content: dict[str, bytes] | None = None, **more: Any
) -> ModelFolder:
    """A complete model folder with short made-up files."""
    path.mkdir(parents=True)
    content = CONTENT if content is None else content
    for name, data in content.items():
        (path / name).write_bytes(data)
    files = {n: FileEntry(hashlib.sha256(d).hexdigest(), len(d)) for n, d in content.items()}
    Manifest(spec, files, **more).write(path / MANIFEST)
    return ModelFolder.open(path)


def registry_with(cache: ModelCache, box: Path, **downloads: Download) -> Registry:
    """A registry whose published models are these downloads; `box` is created."""
    box.mkdir(parents=True, exist_ok=True)
    plain = ModelSpec("plain", "sam_tiny_vit", licence="Apache-2.0")
    official = {name: replace(plain, name=name, download=d) for name, d in downloads.items()}
    return Registry(cache, official, box)


def save_mobile_sam(folder: Path) -> Path:
    """A checkpoint as MobileSAM's: the real network and key names, random weights, saved by torch."""
    import torch

    from anymask.modeling.sam import build_sam

    torch.manual_seed(5)
    path = folder / "mobile_sam.pt"
    torch.save(build_sam("mobile").state_dict(), path)
    return path


def save_hostile_pickle(folder: Path) -> Path:
    """A file of torch's form whose pickle would run a command that creates `owned` beside it."""
    import torch

    class Command:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, (f"touch {folder / 'owned'}",)

    path = folder / "hostile.pt"
    torch.save({"image_encoder.pos_embed": Command()}, path)
    return path
