"""Torch modules to ONNX graphs without weights.

A graph's initializers are the module's parameters and buffers under their state-dict names; their values lie
in `weights.safetensors` at offsets that a `Layout` fixes. Nothing is computed from weights while exporting
(no constant folding over them), so a graph serves any weights, and a module on the "meta" device exports at
no cost.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from anymask.core.errors import MissingExtraError, ModelError
from anymask.core.files import write_atomically
from anymask.models.manifest import WEIGHTS
from anymask.models.weights import Layout, Place

if TYPE_CHECKING:
    import onnx

OPSET: Final = 18
LARGEST_CONSTANT: Final = 1 << 20
"""Bytes that one constant may take inside a graph; a weight that lost its name would be larger."""


@dataclass(frozen=True, eq=False)
class Graph:
    """One graph to export.

    name: file name without ".onnx".
    module: exported in evaluation mode; its state-dict names become the initializers' names.
    inputs: input name -> example tensor (only shape and dtype matter; 2 or longer along dynamic axes).
    outputs: names in order.
    dynamic: input name -> {axis: symbol}; axes of equal symbols have equal length.
    """

    name: str
    module: nn.Module
    inputs: Mapping[str, Tensor]
    outputs: Sequence[str]
    dynamic: Mapping[str, Mapping[int, str]] = field(default_factory=dict)


def state_layout(module: nn.Module, half: Callable[[str], bool] = lambda _: False) -> Layout:
    """The layout of a module's weights file: its state dict without integer counters."""
    state = module.state_dict()
    shapes = {name: tuple(value.shape) for name, value in state.items() if value.is_floating_point()}
    return Layout.of(shapes, half)


def export_graph(graph: Graph, layout: Layout, opset: int = OPSET) -> bytes:
    """One graph as the bytes of an ONNX file whose weights are references into `weights.safetensors`.

    Raises MissingExtraError without the torch extra, ModelError if a weight is not in `layout`.
    """
    model = to_onnx(graph, opset)
    refer_to_weights(model.graph, [value.name for value in graph_weights(model, graph)], layout)
    _check_constants(model.graph, graph.name)
    return bytes(model.SerializeToString(deterministic=True))


def export_graphs(graphs: Sequence[Graph], layout: Layout, folder: Path, opset: int = OPSET) -> list[Path]:
    """Write `NAME.onnx` for every graph into a folder; return the paths."""
    return [write_atomically(folder / f"{g.name}.onnx", export_graph(g, layout, opset)) for g in graphs]


def to_onnx(graph: Graph, opset: int = OPSET) -> onnx.ModelProto:
    """Export with all weights as graph inputs behind the real ones, so that nothing is folded over them."""
    with _quiet():
        program = _export(graph, opset)
        import onnx_ir
        from onnxscript import optimizer

        model = program.model
        weights = graph.module.state_dict().keys()
        for name in [name for name in model.graph.initializers if name in weights]:
            weight = model.graph.initializers.pop(name)
            weight.const_value = None
            model.graph.inputs.append(weight)
        optimizer.optimize(model)
        proto = onnx_ir.to_proto(model)
    _strip(proto)
    return proto


def graph_weights(model: onnx.ModelProto, graph: Graph) -> list[onnx.ValueInfoProto]:
    """The inputs of an exported model that are weights."""
    return [value for value in model.graph.input if value.name not in graph.inputs]


def refer_to_weights(graph: onnx.GraphProto, names: Sequence[str], layout: Layout) -> None:
    """Turn inputs into initializers that lie in the weights file. Raises ModelError if one is not in it."""
    missing = sorted(set(names) - layout.places.keys())
    if missing:
        shown = ", ".join(missing[:3])
        raise ModelError(f"The layout misses {len(missing)} weights that the graph needs: {shown} ...")
    for name in sorted(names, key=list(layout.places).index):
        _refer(graph, name, layout.places[name])


def _export(graph: Graph, opset: int) -> Any:
    symbols: dict[str, Any] = {}

    def axes(name: str) -> dict[int, Any] | None:
        named = graph.dynamic.get(name, {})
        for symbol in named.values():
            symbols.setdefault(symbol, torch.export.Dim(symbol, min=1, max=65536))
        return {axis: symbols[symbol] for axis, symbol in named.items()}

    try:
        program = torch.onnx.export(
            graph.module.eval(),
            tuple(graph.inputs.values()),
            dynamo=True,
            optimize=False,
            verbose=False,
            opset_version=opset,
            dynamic_shapes=tuple(axes(name) for name in graph.inputs),
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
        )
    except ImportError as error:
        raise MissingExtraError(
            f"exporting graphs needs {error.name or 'onnx'}; pip install 'anymask[torch]'"
        ) from error
    assert program is not None
    return program


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns about its own internals; none of it concerns the user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _strip(model: onnx.ModelProto) -> None:
    """Remove what differs from machine to machine or serves only debugging."""
    del model.graph.value_info[:]
    del model.metadata_props[:]
    model.producer_name, model.producer_version, model.doc_string = "anymask", "", ""
    model.graph.name, model.graph.doc_string = "graph", ""
    del model.graph.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    for node in model.graph.node:
        node.doc_string, node.name = "", ""
        del node.metadata_props[:]


def _refer(graph: onnx.GraphProto, name: str, place: Place) -> None:
    """Turn the input `name` into an initializer that lies in the weights file."""
    import onnx

    index = [value.name for value in graph.input].index(name)
    declared = graph.input[index].type.tensor_type
    shape = tuple(d.dim_value for d in declared.shape.dim)
    if declared.elem_type != onnx.TensorProto.FLOAT or shape != place.shape:
        raise ModelError(f"Weight {name!r} has shape {shape} in the graph, {place.shape} in the layout.")
    del graph.input[index]
    half = place.dtype == "F16"
    tensor = graph.initializer.add(name=name, dims=place.shape)
    tensor.data_type = onnx.TensorProto.FLOAT16 if half else onnx.TensorProto.FLOAT
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", WEIGHTS), ("offset", place.offset), ("length", place.length)):
        tensor.external_data.add(key=key, value=str(value))
    if half:
        _widen(graph, name)


def _widen(graph: onnx.GraphProto, name: str) -> None:
    """Let every reader of a float16 initializer read its float32 cast."""
    import onnx

    wide = f"{name}.float32"
    for node in graph.node:
        for i, given in enumerate(node.input):
            if given == name:
                node.input[i] = wide
    graph.node.insert(0, onnx.helper.make_node("Cast", [name], [wide], to=onnx.TensorProto.FLOAT))


def _check_constants(graph: onnx.GraphProto, name: str) -> None:
    inline = [t for t in graph.initializer if not t.external_data]
    inline += [a.t for node in graph.node for a in node.attribute if a.HasField("t")]
    largest = max((t.ByteSize() for t in inline), default=0)
    if largest > LARGEST_CONSTANT:
        raise ModelError(f"Graph {name!r} holds a constant of {largest:,} bytes; make it a named weight.")
