"""OpenVINO: the default engine, on CPUs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from anymask.core.errors import MissingExtraError
from anymask.models.manifest import WEIGHTS
from anymask.predict.graph_stages import GraphFiles, OpenGraph
from anymask.predict.openvino_split import Chained, split_model
from anymask.predict.runtime import Int64

_PRIVATE: Final = {"SNIPPETS_MODE": "DISABLE"}
"""OpenVINO fuses an attention into one loop that takes longer than its parts in our decoder (1.15 times)."""


class OpenVino:
    """An `Engine` (see `graph_stages`).

    files: the model folder. fast: allow bfloat16 where the CPU computes in it.
    threads: None for OpenVINO's choice. cache: folder for compiled graphs, or None.
    Raises MissingExtraError if OpenVINO cannot be imported.
    """

    def __init__(self, files: GraphFiles, *, fast: bool, threads: int | None, cache: Path | None) -> None:
        try:
            import openvino
        except ImportError as error:
            raise MissingExtraError(
                f"OpenVINO cannot be imported ({error}); pip install openvino, or choose backend 'onnx'."
            ) from error
        self._ov = openvino
        self._core = openvino.Core()
        self._files = files
        self.half = fast and "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}
        if threads is not None:
            self._options["INFERENCE_NUM_THREADS"] = threads
        if cache is not None:
            # A compiled graph in the cache refers to the weights file instead of holding a copy of it.
            self._options |= {"CACHE_DIR": str(cache), "CACHE_MODE": "OPTIMIZE_SIZE"}
            self._options["WEIGHTS_PATH"] = str(files.folder / WEIGHTS)

    def open(
        self,
        name: str,
        *,
        exact: tuple[str, ...] = (),
        brief: tuple[str, ...] = (),
        usual: Mapping[str, tuple[int, ...]] | None = None,
    ) -> OpenGraph:
        """See `Engine.open`."""
        path = self._files.graph(name)
        try:
            graph = self._ready(self._core.read_model(path), exact, brief)
            if usual is None:
                return graph
            fixed = self._core.read_model(path)
            fixed.reshape({name: list(shape) for name, shape in usual.items()})
            return BySize(graph, self._ready(fixed, exact, brief), usual)
        except RuntimeError as error:
            raise self._files.broken(name, error) from error

    def _ready(self, model: Any, exact: tuple[str, ...], brief: tuple[str, ...]) -> OpenGraph:
        if not self.half:
            return self._compile(model, half=False)
        if exact:
            return self._open_split(model, exact, brief)
        return self._compile(self._keep_half(model, brief), half=True)

    def _open_split(self, model: Any, exact: tuple[str, ...], brief: tuple[str, ...]) -> OpenGraph:
        """In float32 what depends on the `exact` inputs alone, in bfloat16 the rest."""
        front, rest = split_model(model, exact)
        if rest is None:
            return self._compile(front, half=False)
        rest = self._keep_half(rest, brief)
        return Chained(self._compile(front, half=False), self._compile(rest, half=True))

    def value(self, array: np.ndarray) -> Any:
        """See `Engine`. Shares the array's memory where OpenVINO can, that is, if it is writeable."""
        return self._ov.Tensor(array, shared_memory=array.flags.writeable)

    def array(self, value: Any) -> np.ndarray:
        """See `Engine`."""
        return np.array(value.data)

    def copy(self, value: Any) -> Any:
        """See `Engine`."""
        return self._like(value, np.array(value.data))

    def take(self, value: Any, rows: Int64) -> Any:
        """See `Engine`."""
        return value if len(rows) == value.shape[0] else self._like(value, value.data[rows])

    def _like(self, value: Any, bits: np.ndarray) -> Any:
        """A tensor of a value's type. NumPy has no bfloat16: OpenVINO shows such bits as float16."""
        return self._ov.Tensor(bits, self._ov.Shape(bits.shape), value.element_type)

    def _keep_half(self, model: Any, names: tuple[str, ...]) -> Any:
        if not names:
            return model
        processor = self._ov.preprocess.PrePostProcessor(model)
        inputs = {name for port in model.inputs for name in port.get_names()}
        for name in names:
            port = processor.input(name) if name in inputs else processor.output(name)
            port.tensor().set_element_type(self._ov.Type.bf16)
        return processor.build()

    def _compile(self, model: Any, *, half: bool) -> OpenVinoGraph:
        options = {**self._options, "INFERENCE_PRECISION_HINT": "bf16" if half else "f32"}
        try:
            compiled = self._core.compile_model(model, "CPU", {**options, **_PRIVATE})
        except RuntimeError:  # a version of OpenVINO without the private option
            compiled = self._core.compile_model(model, "CPU", options)
        return OpenVinoGraph(compiled, self)


class OpenVinoGraph:
    """A compiled graph and its one request."""

    def __init__(self, compiled: Any, engine: OpenVino) -> None:
        self._engine = engine
        self._compiled = compiled
        self._request = compiled.create_infer_request()
        self._outputs = [name for port in compiled.outputs for name in port.get_names()]

    def input_shape(self, name: str) -> tuple[int, ...]:
        """See `OpenGraph`."""
        return tuple(self._compiled.input(name).get_shape())

    def inputs(self) -> set[str]:
        """The names of all inputs."""
        return {name for port in self._compiled.inputs for name in port.get_names()}

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `OpenGraph`."""
        for name, value in inputs.items():
            tensor = self._engine.value(value) if isinstance(value, np.ndarray) else value
            self._request.set_tensor(name, tensor)
        self._request.infer()
        return {name: self._request.get_tensor(name) for name in self._outputs}

    def release(self) -> None:
        """See `OpenGraph`."""
        self._compiled.release_memory()


class BySize:
    """A graph for any sizes, and the same one compiled for the sizes of the usual call, which it answers."""

    def __init__(self, general: OpenGraph, usual: OpenGraph, sizes: Mapping[str, tuple[int, ...]]) -> None:
        self._general = general
        self._usual = usual
        self._sizes = sizes

    def input_shape(self, name: str) -> tuple[int, ...]:
        """See `OpenGraph`."""
        return self._general.input_shape(name)

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `OpenGraph`."""
        fits = all(tuple(inputs[name].shape) == size for name, size in self._sizes.items())
        return (self._usual if fits else self._general).run(inputs)

    def release(self) -> None:
        """See `OpenGraph`."""
        self._general.release()
        self._usual.release()
