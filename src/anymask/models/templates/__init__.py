"""Weightless graphs of the published architectures, made by `python -m anymask.release.templates`.

One folder per architecture: `weights.header.gz`, the beginning of its weights file (see `models/weights.py`),
and `NAME.onnx.gz` for every graph of its model folder.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from anymask.core.errors import ModelError
from anymask.core.files import write_atomically
from anymask.models.manifest import WEIGHTS
from anymask.models.weights import Layout, write_weights

ROOT: Final = Path(__file__).resolve().parent
HEADER: Final = "weights.header"
_PACKED: Final = ".gz"


@dataclass(frozen=True)
class Template:
    """An architecture without weights. layout: of its weights file. graphs: file name -> ONNX file."""

    layout: Layout
    graphs: Mapping[str, bytes]

    @classmethod
    def load(cls, architecture: str, root: Path = ROOT) -> Template:
        """Read a template.

        Raises ModelError if there is none for this architecture or one of its files is broken.
        """
        folder = root / architecture
        files = {path.name.removesuffix(_PACKED): path for path in sorted(folder.glob(f"*{_PACKED}"))}
        if HEADER not in files:
            known = ", ".join(sorted(path.parent.name for path in root.glob(f"*/{HEADER}{_PACKED}")))
            raise ModelError(f"No graphs for architecture {architecture!r}; there are some for: {known}.")
        content = {name: _unpack(path) for name, path in files.items()}
        return cls(Layout.read(content.pop(HEADER)), content)

    def save(self, folder: Path) -> None:
        """Write the template's files into a folder, the same bytes for the same graphs."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in ((HEADER, self.layout.header), *self.graphs.items()):
            # No time in the file, so that making a template again changes nothing.
            write_atomically(folder / f"{name}{_PACKED}", gzip.compress(content, 9, mtime=0))

    def fill(self, tensors: Mapping[str, np.ndarray], folder: Path) -> None:
        """Write graphs and weights into a model folder; `tensors` as for `write_weights`, which see."""
        for name, content in self.graphs.items():
            write_atomically(folder / name, content)
        write_weights(folder / WEIGHTS, tensors, self.layout)


def fill_model_folder(
    architecture: str, tensors: Mapping[str, np.ndarray], folder: Path, root: Path = ROOT
) -> None:
    """Complete a model folder, but for its manifest, from an architecture's template and its weights.

    tensors: canonical name -> array, as `models.keys.to_canonical` gives them.
    Raises ModelError if there is no template or the tensors do not fit it, OutputError if writing fails.
    """
    Template.load(architecture, root).fill(tensors, folder)


def _unpack(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ModelError(f"{path} is broken ({error}); reinstall anymask.") from error
