"""Tensors that lie in a file, looked at through a memory map and turned into NumPy arrays when asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anymask.core.errors import ModelError

_MAX_AXES: Final = 16
_MAX_SIZE: Final = (1 << 48) - 1  # NumPy can still count the bytes

# On disk everything is little-endian. NumPy has no bfloat16: its bits become the upper half of a float32.
_DTYPES: Final = {
    "float64": "<f8",
    "float32": "<f4",
    "float16": "<f2",
    "bfloat16": "<u2",
    "int64": "<i8",
    "int32": "<i4",
    "int16": "<i2",
    "int8": "<i1",
    "uint8": "<u1",
    "bool": "?",
}


def item_size(dtype: str) -> int:
    """Bytes of one number of `dtype`, a name of PyTorch's such as "bfloat16"."""
    return np.dtype(_DTYPES[dtype]).itemsize


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """A view into the bytes of a storage.

    dtype: "float32", "bfloat16", ...; shape, strides: numbers, not bytes; offset: of the first number.
    Raises ModelError if the view reaches outside its storage or shows more numbers than the storage has.
    """

    storage: memoryview
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0

    def __post_init__(self) -> None:
        sizes = (*self.shape, *self.strides, self.offset)
        if len(self.shape) != len(self.strides) or len(self.shape) > _MAX_AXES:
            raise ModelError(f"Tensor has {len(self.shape)} sizes and {len(self.strides)} strides.")
        if not all(type(size) is int and 0 <= size <= _MAX_SIZE for size in sizes):
            raise ModelError("Tensor has a size, stride or offset that is no whole number from 0 up.")
        if math.prod(max(size, 1) for size in self.shape) > _MAX_SIZE:
            raise ModelError("Tensor has more numbers than any file holds.")
        held = len(self.storage) // item_size(self.dtype)
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        if self.count and (last >= held or self.count > held):
            raise ModelError(f"Tensor of shape {self.shape} is larger than its storage of {held:,} numbers.")

    @property
    def count(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)

    def to_array(self) -> NDArray[Any]:
        """The tensor, read-only and without a copy; a bfloat16 tensor as a new float32 array."""
        dtype = np.dtype(_DTYPES[self.dtype])
        if not self.count:
            array = np.zeros(self.shape, dtype)
        else:
            flat = np.frombuffer(self.storage, dtype, offset=self.offset * dtype.itemsize)
            strides = [step * dtype.itemsize for step in self.strides]
            array = np.lib.stride_tricks.as_strided(flat, self.shape, strides, writeable=False)
        if self.dtype == "bfloat16":
            array = (array.astype("<u4") << np.uint32(16)).view("<f4")
        array.flags.writeable = False
        return array


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides, in numbers, of a tensor stored row by row."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
