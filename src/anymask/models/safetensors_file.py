"""Reads safetensors files through a memory map (the format: https://github.com/huggingface/safetensors)."""

from __future__ import annotations

import json
from typing import Any, Final

from anymask.core.errors import ModelError
from anymask.models.stored_tensor import StoredTensor, contiguous_strides, item_size

_MAX_HEADER_BYTES: Final = 100_000_000  # the format's own limit
_DTYPES: Final = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


def looks_like_safetensors(data: memoryview) -> bool:
    """Whether a JSON object begins where the format has its header."""
    return len(data) > 8 and data[8] == ord("{")


def read_safetensors(data: memoryview) -> dict[str, StoredTensor]:
    """The tensors of a safetensors file. `data`: the whole file's bytes. Raises ModelError."""
    length = int.from_bytes(data[:8], "little")
    if length > _MAX_HEADER_BYTES or 8 + length > len(data):
        raise ModelError(f"It is cut short or damaged (a header of {length:,} bytes); get it again.")
    try:
        header = json.loads(bytes(data[8 : 8 + length]))
    except (ValueError, RecursionError) as error:
        raise ModelError("Its header is damaged; get the file again.") from error
    header.pop("__metadata__", None)
    body = data[8 + length :]
    tensors = {name: _tensor(name, entry, body) for name, entry in header.items()}
    used = sum(len(tensor.storage) for tensor in tensors.values())
    if used != len(body):
        raise ModelError(f"Its tensors take {used:,} bytes, but {len(body):,} are there; get the file again.")
    return tensors


def _tensor(name: str, entry: Any, body: memoryview) -> StoredTensor:
    match entry:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [int(begin), int(end)]}:
            pass
        case _:
            raise ModelError(f"Its header does not say what {name[:80]!r} is; get the file again.")
    if dtype not in _DTYPES:
        raise ModelError(f"Its tensor {name[:80]!r} is of type {dtype[:20]!r}; known: {', '.join(_DTYPES)}.")
    if not 0 <= begin <= end <= len(body):
        raise ModelError(f"Its tensor {name[:80]!r} lies outside the file, which is cut short; get it again.")
    if not all(type(size) is int and size >= 0 for size in shape):
        raise ModelError(f"Its tensor {name[:80]!r} has a size that is no whole number from 0 up.")
    tensor = StoredTensor(body[begin:end], _DTYPES[dtype], tuple(shape), contiguous_strides(tuple(shape)))
    if tensor.count * item_size(tensor.dtype) != end - begin:
        raise ModelError(f"Its tensor {name[:80]!r} of shape {tensor.shape} has {end - begin:,} bytes.")
    return tensor
