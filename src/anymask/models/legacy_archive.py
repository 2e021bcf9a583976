"""Reads what `torch.save` wrote before PyTorch 1.6: five pickles, then the storages one after another."""

from __future__ import annotations

import io
import pickletools
from itertools import pairwise
from typing import Final

from anymask.core.errors import ModelError
from anymask.models.stored_tensor import StoredTensor, item_size
from anymask.models.tensor_pickle import Storage, read_tensor_pickle
from anymask.models.torch_archive import tensors_of

MAGIC: Final = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
"""The first pickle, which holds the format's magic number."""

_MAX_PICKLE_BYTES: Final = 16 << 20
_COUNT_BYTES: Final = 8  # before each storage, how many numbers it has
_PICKLES: Final = 5  # magic number, version, machine, tensors, keys of the storages
_TENSORS, _KEYS = 3, 4


def looks_like_legacy(data: memoryview) -> bool:
    """Whether a file begins as such an archive does."""
    return bytes(data[: len(MAGIC)]) == MAGIC


def read_legacy_archive(data: memoryview) -> dict[str, StoredTensor]:
    """The tensors of a file; what is admitted is what `torch_archive` admits. Raises ModelError.

    data: the whole file's bytes, usually a memory map.
    """
    ends = [0]
    for _ in range(_PICKLES):
        ends.append(ends[-1] + _length(data[ends[-1] :]))
    pickles = [bytes(data[start:stop]) for start, stop in pairwise(ends)]
    keys = read_tensor_pickle(pickles[_KEYS], _no_storage)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ModelError("Its list of storages is damaged; get the file again.")
    described = _storages_named(pickles[_TENSORS], data)
    places = _places(data, ends[-1], keys, described)

    def storage(key: str, dtype: str, count: int) -> Storage:
        if key not in places or described[key] != (dtype, count):
            raise ModelError(f"It lacks the storage {key[:40]!r}; get the file again.")
        start = places[key]
        return Storage(data[start : start + count * item_size(dtype)], dtype)

    return tensors_of(read_tensor_pickle(pickles[_TENSORS], storage))


def _length(data: memoryview) -> int:
    """Length of the pickle at the beginning of some bytes; it is only parsed, never run."""
    head = bytes(data[:_MAX_PICKLE_BYTES])
    try:
        last = max(place for _, _, place in pickletools.genops(io.BytesIO(head)) if place is not None)
    except ValueError as error:
        raise ModelError("It is cut short or damaged; get the file again.") from error
    return last + 1


def _no_storage(key: str, dtype: str, count: int) -> Storage:
    raise ModelError("Its list of storages refers to tensors; get the file again.")


def _storages_named(pickle: bytes, data: memoryview) -> dict[str, tuple[str, int]]:
    """Key -> type and count of numbers, of every storage that the tensors lie in."""
    named: dict[str, tuple[str, int]] = {}

    def note(key: str, dtype: str, count: int) -> Storage:
        size = count * item_size(dtype)
        if not 0 <= size <= len(data):
            raise ModelError("It is cut short or damaged; get the file again.")
        if named.setdefault(key, (dtype, count)) != (dtype, count):
            raise ModelError(f"It describes the storage {key[:40]!r} in two ways; get the file again.")
        return Storage(data[:size], dtype)  # any bytes of that length: only descriptions count here

    read_tensor_pickle(pickle, note)
    return named


def _places(
    data: memoryview, start: int, keys: list[str], described: dict[str, tuple[str, int]]
) -> dict[str, int]:
    """Where each storage's numbers begin."""
    places: dict[str, int] = {}
    for key in keys:
        if key not in described:
            raise ModelError(f"Nothing refers to its storage {key[:40]!r}; get the file again.")
        dtype, count = described[key]
        if int.from_bytes(data[start : start + _COUNT_BYTES], "little") != count:
            raise ModelError("It is cut short or damaged; get the file again.")
        places[key] = start + _COUNT_BYTES
        start = places[key] + count * item_size(dtype)
    if start > len(data):
        raise ModelError("It is cut short or damaged; get the file again.")
    return places
