"""Torch tensors at the edge: taken where the caller has them, given where the published package gives them.

anymask computes with NumPy. Where torch is not installed, arrays stand in for tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from anymask.core.arrays import AnyArray

Tensor = Any
"""A torch tensor, or an array where torch is not installed."""


def is_tensor(value: object) -> bool:
    """Whether a value is a torch tensor; does not import torch."""
    return type(value).__module__.split(".")[0] == "torch" and hasattr(value, "detach")


def to_array(value: Any) -> AnyArray:
    """A tensor on any device, or anything array-like -> an array."""
    return np.asarray(value.detach().cpu() if is_tensor(value) else value)


def to_tensor(array: AnyArray) -> Tensor:
    """An array -> a tensor of its own on the CPU, or a writeable array if torch is not installed."""
    own = np.array(array)
    try:
        import torch
    except ImportError:
        return own
    return torch.from_numpy(own)


def as_given(array: AnyArray, given: Any) -> Any:
    """An array, as a tensor if `given` is one (and on its device)."""
    return to_tensor(array).to(given.device) if is_tensor(given) else array
