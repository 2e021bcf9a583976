"""Reads checkpoints without PyTorch and without running anything that lies in them."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from anymask.core.errors import ModelError
from anymask.models.legacy_archive import looks_like_legacy, read_legacy_archive
from anymask.models.safetensors_file import looks_like_safetensors, read_safetensors
from anymask.models.stored_tensor import StoredTensor
from anymask.models.torch_archive import read_torch_archive

_OTHERS: Final = (
    (0, b"\x80", "It is a pickle, but not one that torch.save wrote."),
    (257, b"ustar", "It is a tar archive; give the .pth or .safetensors file inside it."),
    (0, b"\x1f\x8b", "It is compressed by gzip; unpack it first."),
    (0, b"version https://git-lfs", "It is a pointer of Git LFS, not the file itself; run git lfs pull."),
    (0, b"<", "It is a web page, not the file itself; get the file again."),
)
_FILES_OF_FOLDER: Final = (
    "model.safetensors",
    "weights.safetensors",
    "pytorch_model.bin",
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.bin",
)


class Checkpoint(Mapping[str, NDArray[Any]]):
    """Names to read-only arrays of a file that stays mapped while any of its arrays lives.

    Arrays are made when asked for and are views into the file (bfloat16: new float32 arrays), so that opening
    2.5 GB takes no memory. Do not change the file meanwhile.
    """

    def __init__(self, tensors: Mapping[str, StoredTensor]) -> None:
        self._tensors = tensors

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._tensors[name].to_array()

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __contains__(self, name: object) -> bool:
        return name in self._tensors

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names to shapes, without reading any tensor."""
        return {name: tensor.shape for name, tensor in self._tensors.items()}


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Open a `.pth`, `.pt` or `.safetensors` file, or a folder that holds one under its usual name.

    The content decides, not the file's name. In a pickle only tensors (float64/32/16, bfloat16,
    int64/32/16/8, uint8, bool), parameters and OrderedDict are admitted. Raises ModelError for a file that
    is missing, unreadable, cut short, damaged, of another format, or that asks for anything else.
    """
    file = find_checkpoint(Path(path))
    try:
        return Checkpoint(_read(file))
    except OSError as error:
        raise ModelError(f"Cannot read {file}: {error.strerror or error}.") from error
    except ModelError as error:
        raise ModelError(f"Cannot use {file}. {error}") from error


def find_checkpoint(path: Path) -> Path:
    """`path` itself, or the checkpoint in the folder `path`. Raises ModelError if there is none."""
    if not path.is_dir():
        return path
    for name in _FILES_OF_FOLDER:
        if (path / name).is_file():
            return path / name
    raise ModelError(f"The folder {path} holds none of {', '.join(_FILES_OF_FOLDER)}; give a checkpoint.")


def _read(path: Path) -> dict[str, StoredTensor]:
    with path.open("rb") as file:
        if not path.stat().st_size:
            raise ModelError("It is empty; get the file again.")
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if bytes(data[:4]) == b"PK\3\4":
        return read_torch_archive(path, data)
    if looks_like_legacy(data):
        return read_legacy_archive(data)
    if looks_like_safetensors(data):
        return read_safetensors(data)
    for offset, magic, advice in _OTHERS:
        if bytes(data[offset : offset + len(magic)]) == magic:
            raise ModelError(advice)
    raise ModelError("It is neither a .pth file of PyTorch nor a safetensors file.")
