"""The decoders of the served models as onnxruntime-web takes them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from anymask.models.folder import ModelFolder
from anymask.models.manifest import WEIGHTS
from anymask.models.registry import resolve
from anymask.predict.load import load
from anymask.predict.model import Model
from anymask.studio.graph_files import self_contained

_GRAPHS = ("prompt", "prepare", "decoder", "decoder_masked", "upscale")
"""`lite` has `decoder` alone, Segment Anything's networks have all of them (docs/architecture.md)."""


class Decoders:
    """For any thread. folders: of the served models. Raises ModelError for what is no model folder."""

    def __init__(self, folders: Iterable[Path]) -> None:
        opened = [ModelFolder.open(folder) for folder in folders]
        self._folders = {folder.sha256: folder.path for folder in opened}

    def open(self, name: str) -> Model:
        """Open a model as `anymask.load` does, and know its decoder from now on. Raises what that does."""
        model = load(name)
        folder = resolve(name)
        self._folders[folder.sha256] = folder.path
        return model

    def graphs(self, sha256: str) -> list[str]:
        """Names of a model's graphs; none for a model that has no folder here."""
        folder = self._folders.get(sha256)
        return [] if folder is None else [name for name in _GRAPHS if (folder / f"{name}.onnx").is_file()]

    def graph(self, sha256: str, name: str) -> bytes:
        """One of `graphs`, with its weights inside. Raises FormatError if the folder's files do not fit."""
        folder = self._folders[sha256]
        return self_contained((folder / f"{name}.onnx").read_bytes(), (folder / WEIGHTS).read_bytes())
