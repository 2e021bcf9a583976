"""Names for array types, and the one way to make an array read-only."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
UInt8Array = npt.NDArray[np.uint8]
Int8Array = npt.NDArray[np.int8]
Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
AnyArray = npt.NDArray[Any]

Scalar = TypeVar("Scalar", bound=np.generic)


def read_only(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """`array` itself if it is contiguous and nobody can write to it, else a read-only copy.

    The copy keeps a value from changing when the caller goes on writing to the array it was made of.
    """
    owner = array if array.base is None else array.base
    if isinstance(owner, np.ndarray) and not owner.flags.writeable and array.flags.c_contiguous:
        return array
    frozen = np.array(array, order="C", copy=True)
    frozen.flags.writeable = False
    return frozen


def sealed(array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
    """`array`, which the caller has just made and gives away, as a contiguous read-only array not copied."""
    contiguous = np.ascontiguousarray(array)
    if isinstance(contiguous.base, np.ndarray):
        contiguous.base.flags.writeable = False
    contiguous.flags.writeable = False
    return contiguous
