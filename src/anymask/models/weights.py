"""`weights.safetensors` with a layout known beforehand, so that graphs can point into it.

A model's ONNX graphs hold no weights: every initializer names an offset and a length in the weights file.
The layout is that file's own beginning (length, JSON header, padding), stored once per architecture; the
weights file of a model is this beginning followed by the tensors in its order.
Format: https://huggingface.co/docs/safetensors (8 bytes little-endian header length, JSON, then the tensors
without gaps).
"""

from __future__ import annotations

import hashlib
import json
import math
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from anymask.core.errors import ModelError, OutputError

PAGE: Final = 4096
"""The tensors begin at a multiple of this, so that they can be mapped into memory where they lie."""

_DTYPES: Final[Mapping[str, np.dtype[Any]]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}
_NOT_A_LAYOUT: Final = "not the beginning of a weights file; expected a safetensors header of float tensors"


@dataclass(frozen=True)
class Place:
    """Where a tensor lies. dtype: "F32" or "F16"; offset, length: bytes from the beginning of the file."""

    dtype: str
    shape: tuple[int, ...]
    offset: int
    length: int

    @property
    def numpy_dtype(self) -> np.dtype[Any]:
        """The stored numbers' type, little-endian."""
        return _DTYPES[self.dtype]


@dataclass(frozen=True)
class Layout:
    """A weights file's beginning and the place of every tensor in it, in file order."""

    header: bytes
    places: Mapping[str, Place]

    @property
    def file_length(self) -> int:
        """Length of the whole file, bytes."""
        return max((p.offset + p.length for p in self.places.values()), default=len(self.header))

    @classmethod
    def of(
        cls, shapes: Mapping[str, tuple[int, ...]], half: Callable[[str], bool] = lambda _: False
    ) -> Layout:
        """Lay out tensors of these shapes; those whose name `half` accepts are stored as float16.

        Tensors whose length is a multiple of 64 bytes come first: all of those begin on a cache line.
        """
        sized = [(name, "F16" if half(name) else "F32", tuple(shape)) for name, shape in shapes.items()]
        sized.sort(key=lambda entry: _length(entry[1], entry[2]) % 64 != 0)
        described: dict[str, Any] = {}
        start = 0
        for name, dtype, shape in sized:
            stop = start + _length(dtype, shape)
            described[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}
            start = stop
        text = json.dumps(described, separators=(",", ":")).encode()
        padded = text + b" " * (-(len(text) + 8) % PAGE)
        return cls.read(len(padded).to_bytes(8, "little") + padded)

    @classmethod
    def read(cls, header: bytes) -> Layout:
        """Read a layout from the beginning of a weights file. Raises ModelError if it is not one."""
        try:
            length = int.from_bytes(header[:8], "little")
            if len(header) != 8 + length:
                raise ValueError(f"{len(header)} bytes, expected {8 + length}")
            described = json.loads(header[8:])
            described.pop("__metadata__", None)
            places = {name: _place(entry, len(header)) for name, entry in described.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{_NOT_A_LAYOUT} ({error}).") from error
        return cls(header, places)


def write_weights(path: Path, tensors: Mapping[str, np.ndarray], layout: Layout) -> str:
    """Write `weights.safetensors` in one step and return its SHA-256 (64 hexadecimal digits).

    tensors: name -> array of the layout's shape, any float type; read one at a time, so that a lazy mapping
        of a large checkpoint is never in memory twice.

    Raises ModelError if names or shapes differ from the layout, OutputError if the file cannot be written.
    """
    _check_names(tensors, layout)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            digest = hashlib.sha256()
            for block in _blocks(tensors, layout):
                digest.update(block)
                file.write(block)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest()


def read_layout(path: Path) -> Layout:
    """The layout of an existing weights file. Raises ModelError if it is missing, none, or cut short."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            length = int.from_bytes(file.read(8), "little")
            if length > size:
                raise ModelError(f"{path} is not a weights file: its header would be {length:,} bytes long.")
            file.seek(0)
            layout = Layout.read(file.read(8 + length))
    except OSError as error:
        raise ModelError(f"Cannot read {path}: {error.strerror or error}.") from error
    if size != layout.file_length:
        raise ModelError(
            f"{path} has {size:,} bytes, expected {layout.file_length:,}; import or pull the model again."
        )
    return layout


def _blocks(tensors: Mapping[str, np.ndarray], layout: Layout) -> Iterable[bytes | memoryview]:
    yield layout.header
    for name, place in layout.places.items():
        tensor = tensors[name]
        if tuple(tensor.shape) != place.shape:
            raise ModelError(f"Tensor {name!r} has shape {tuple(tensor.shape)}, expected {place.shape}.")
        stored = np.ascontiguousarray(tensor, dtype=place.numpy_dtype)
        yield stored.reshape(-1).view(np.uint8).data


def _check_names(tensors: Mapping[str, np.ndarray], layout: Layout) -> None:
    missing = sorted(layout.places.keys() - tensors.keys())
    unexpected = sorted(tensors.keys() - layout.places.keys())
    if missing or unexpected:
        raise ModelError(
            f"Weights do not fit the network: missing {_some(missing)}; unexpected {_some(unexpected)}."
        )


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3]) or "none"
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _length(dtype: str, shape: Iterable[int]) -> int:
    return math.prod(shape) * _DTYPES[dtype].itemsize


def _place(entry: Mapping[str, Any], header_length: int) -> Place:
    start, stop = entry["data_offsets"]
    place = Place(entry["dtype"], tuple(int(n) for n in entry["shape"]), header_length + start, stop - start)
    if place.dtype not in _DTYPES:
        raise ValueError(f"dtype {place.dtype}, expected one of {', '.join(_DTYPES)}")
    if place.length != _length(place.dtype, place.shape):
        raise ValueError(f"{place.length} bytes for shape {place.shape}")
    return place
