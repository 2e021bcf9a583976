"""Random masks, logits and frames for property tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anymask.core.geometry import InputFrame

sides = st.integers(1, 24)
sizes_hw = st.tuples(sides, sides)


def masks(size: st.SearchStrategy[tuple[int, int]] = sizes_hw) -> st.SearchStrategy[np.ndarray]:
    """(H, W) bool, from speckled to blocky: small random fields enlarged, so that regions have insides."""

    def enlarged(field: np.ndarray, factor: int) -> np.ndarray:
        return np.kron(field, np.ones((factor, factor), bool)).astype(bool)

    return st.builds(enlarged, arrays(bool, size), st.integers(1, 3))


def logits(low: st.SearchStrategy[int]) -> st.SearchStrategy[np.ndarray]:
    """Square (n, n) float32; whole and half numbers, so that exact zeros and ties come up often."""
    values = st.integers(-12, 12).map(lambda n: n / 2)
    return low.flatmap(lambda n: arrays(np.float32, (n, n), elements=values))


frames = st.builds(
    InputFrame,
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.sampled_from([16, 32, 48, 64]),
)
