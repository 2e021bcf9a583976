"""Networks as OpenVINO graphs, put together from arrays of weights: what CLIP, BERT and lite's words need.

A graph is built in memory for the sizes that a model has, so that any checkpoint works without a file of
graphs for its architecture, and without torch.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anymask.core.errors import InputError, MissingExtraError

Array = NDArray[Any]
Weights = Mapping[str, Array]
Node = Any
"""OpenVINO's own kind of node."""

PRECISIONS: Final = ("fast", "exact")


def operations() -> Any:
    """OpenVINO's operations. Raises MissingExtraError if it cannot be imported."""
    try:
        import openvino.opset13 as ops
    except ImportError as error:
        raise MissingExtraError(f"text prompts need OpenVINO ({error}); pip install openvino") from error
    return ops


def constant(array: Array) -> Node:
    """Weights, stored as they are (float16 or float32) and computed with as float32."""
    ops = operations()
    node = ops.constant(np.ascontiguousarray(array))
    return ops.convert(node, "f32") if array.dtype == np.float16 else node


def integers(*values: int) -> Node:
    """Shapes, axes, positions."""
    return operations().constant(np.array(values, np.int64))


def position(value: int) -> Node:
    """A single position or axis."""
    return operations().constant(np.int64(value))


def linear(x: Node, weight: Array, bias: Array | None = None) -> Node:
    """x @ weight.T + bias; weight (out, in)."""
    ops = operations()
    product = ops.matmul(x, constant(weight), transpose_a=False, transpose_b=True)
    return product if bias is None else ops.add(product, constant(bias))


def layer_norm(x: Node, weights: Weights, name: str, eps: float) -> Node:
    """Normalise the last axis (Ba et al., arXiv 1607.06450)."""
    ops = operations()
    normal = ops.mvn(x, integers(-1), normalize_variance=True, eps=eps, eps_mode="inside_sqrt")
    scaled = ops.multiply(normal, constant(weights[f"{name}.weight"]))
    return ops.add(scaled, constant(weights[f"{name}.bias"]))


def activation(x: Node, kind: str) -> Node:
    """ "gelu" (exact) or "quick_gelu", x * sigmoid(1.702 x)."""
    ops = operations()
    if kind == "gelu":
        return ops.gelu(x, "erf")
    return ops.multiply(x, ops.sigmoid(ops.multiply(x, ops.constant(np.float32(1.702)))))


def attention(
    x: Node, in_proj: tuple[Array, Array], out_proj: tuple[Array, Array], heads: int, bias: Node | None
) -> Node:
    """Multi-head self-attention (Vaswani et al., arXiv 1706.03762) over x (B, T, C).

    in_proj: weight (3 C, C) and bias (3 C,) of queries, keys and values. bias: added to the scores, or None.
    """
    ops = operations()
    width = in_proj[0].shape[1]
    joint = linear(x, *in_proj)
    split = ops.reshape(joint, integers(0, 0, 3, heads, width // heads), special_zero=True)
    turned = ops.transpose(split, integers(2, 0, 3, 1, 4))  # (3, B, heads, T, C / heads)
    query, key, value = (ops.gather(turned, position(i), position(0)) for i in range(3))
    query = ops.multiply(query, ops.constant(np.float32((width // heads) ** -0.5)))
    scores = ops.matmul(query, key, transpose_a=False, transpose_b=True)
    weights = ops.softmax(scores if bias is None else ops.add(scores, bias), axis=-1)
    seen = ops.transpose(
        ops.matmul(weights, value, transpose_a=False, transpose_b=False), integers(0, 2, 1, 3)
    )
    return linear(ops.reshape(seen, integers(0, 0, width), special_zero=True), *out_proj)


class Network:
    """A compiled graph. Safe to share between threads: one runs at a time."""

    def __init__(
        self, inputs: list[Node], outputs: Mapping[str, Node], *, precision: str, threads: int | None
    ) -> None:
        """precision: "fast" may compute in bfloat16 where the CPU does. Raises InputError for others."""
        if precision not in PRECISIONS:
            raise InputError(f"precision {precision!r} is not known; give one of {', '.join(PRECISIONS)}")
        import openvino

        core = openvino.Core()
        bf16 = precision == "fast" and "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
        }
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        self._names = list(outputs)
        model = openvino.Model(list(outputs.values()), inputs, "graph")
        self._request = core.compile_model(model, "CPU", options).create_infer_request()
        self._turn = threading.Lock()

    def __call__(self, *inputs: Array) -> dict[str, Array]:
        """Outputs by name, as arrays with memory of their own."""
        with self._turn:
            results = self._request.infer([np.ascontiguousarray(array) for array in inputs])
            return {name: np.array(value) for name, value in zip(self._names, results.values(), strict=True)}
