"""Reads `.pth` and `.pt` files, zip archives of raw storages and one pickle, with NumPy alone."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from anymask.core.errors import ModelError
from anymask.models.stored_tensor import StoredTensor, item_size
from anymask.models.tensor_pickle import ScriptModule, Storage, read_tensor_pickle

_MAX_PICKLE_BYTES: Final = 16 << 20  # ViT-H's takes 0.1 MB
_MAX_MODULES: Final = 10_000  # CLIP's ViT-L/14 has some 400
_LOCAL_HEADER_BYTES: Final = 30
_WRAPPERS: Final = ("model", "state_dict", "model_state_dict")  # where training loops put the weights


def read_torch_archive(path: Path, data: memoryview) -> dict[str, StoredTensor]:
    """The tensors of a file that `torch.save` (PyTorch 1.6 or later) or `torch.jit.save` wrote.

    Of a TorchScript archive only the tensors are read; its code is not.
    `data`: the whole file's bytes, usually a memory map. A dictionary under "model", "state_dict" or
    "model_state_dict" is opened if the outer one holds no tensor. Raises ModelError.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            saved = _Archive(archive, data)
            return tensors_of(read_tensor_pickle(saved.pickle(), saved.storage))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, struct.error) as error:
        raise ModelError("It is cut short or damaged; get the file again.") from error


def is_torchscript(path: Path) -> bool:
    """Whether the file is an archive of `torch.jit.save`. False for what cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(
                name.count("/") == 1 and name.endswith("/constants.pkl") for name in archive.namelist()
            )
    except (OSError, zipfile.BadZipFile):
        return False


class _Archive:
    def __init__(self, archive: zipfile.ZipFile, data: memoryview) -> None:
        self.archive = archive
        self.data = data
        self.entries = {info.filename: info for info in archive.infolist()}
        pickles = [name for name in self.entries if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise ModelError("It is a zip archive, but not one that torch.save wrote (no data.pkl).")
        self.root = pickles[0].removesuffix("data.pkl")
        if f"{self.root}byteorder" in self.entries and bytes(self.content("byteorder", 16)) != b"little":
            raise ModelError("Its numbers are big-endian; save it again on a little-endian machine.")

    def pickle(self) -> bytes:
        return bytes(self.content("data.pkl", _MAX_PICKLE_BYTES))

    def storage(self, key: str, dtype: str, count: int) -> Storage:
        name = f"data/{key}"
        if self.root + name not in self.entries:
            raise ModelError(f"It lacks the storage {key[:40]!r}; get the file again.")
        data = self.content(name)
        if len(data) != count * item_size(dtype):
            raise ModelError(f"Its storage {key!r} has {len(data):,} bytes, not those of {count:,} {dtype}.")
        return Storage(data, dtype)

    def content(self, name: str, limit: int | None = None) -> memoryview:
        """The bytes of an entry, without a copy. Raises ModelError unless it is stored plainly and whole."""
        entry = self.entries[self.root + name]
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise ModelError(f"Its {name} is compressed or encrypted; save it again with torch.save.")
        header = self.data[entry.header_offset : entry.header_offset + _LOCAL_HEADER_BYTES]
        if len(header) < _LOCAL_HEADER_BYTES or bytes(header[:4]) != b"PK\3\4":
            raise zipfile.BadZipFile(name)
        lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        start = entry.header_offset + _LOCAL_HEADER_BYTES + lengths
        content = self.data[start : start + entry.file_size]
        if len(content) != entry.file_size:
            raise zipfile.BadZipFile(name)
        if limit is not None and entry.file_size > limit:
            raise ModelError(f"Its {name} has {entry.file_size:,} bytes; expected at most {limit:,}.")
        return content


def tensors_of(saved: Any) -> dict[str, StoredTensor]:
    """The tensors of what a file's pickle describes. Raises ModelError if there are none."""
    if isinstance(saved, ScriptModule):
        saved = _flat(saved)
    if isinstance(saved, Mapping):
        for state in (saved, *(saved.get(wrapper) for wrapper in _WRAPPERS)):
            entries = state.items() if isinstance(state, Mapping) else ()
            tensors = {k: v for k, v in entries if isinstance(k, str) and isinstance(v, StoredTensor)}
            if tensors:
                return tensors
    raise ModelError("It holds no dictionary of tensors.")


def _flat(module: ScriptModule) -> dict[str, StoredTensor]:
    """The tensors of a module and of all modules below it, under the names that its state dict would have."""
    tensors: dict[str, StoredTensor] = {}
    waiting = [("", module)]
    for _ in range(_MAX_MODULES):
        if not waiting:
            return tensors
        prefix, at = waiting.pop()
        waiting += [(f"{prefix}{name}.", part) for name, part in at.items() if isinstance(part, ScriptModule)]
        tensors |= {prefix + name: value for name, value in at.items() if isinstance(value, StoredTensor)}
    raise ModelError(f"It has more than {_MAX_MODULES:,} modules, or they lie inside each other in a circle.")
