"""ONNX Runtime: the second engine; small, always float32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from anymask.core.errors import MissingExtraError
from anymask.predict.graph_stages import GraphFiles
from anymask.predict.runtime import Int64


class OnnxRuntime:
    """An `Engine` (see `graph_stages`).

    files: the model folder. threads: None for ONNX Runtime's choice.
    Raises MissingExtraError if ONNX Runtime cannot be imported.
    """

    def __init__(self, files: GraphFiles, *, threads: int | None) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingExtraError(
                f"backend 'onnx' cannot be imported ({error}); pip install 'anymask[onnx]'"
            ) from error
        self._ort = onnxruntime
        self._files = files
        self._options = onnxruntime.SessionOptions()
        self._options.log_severity_level = 3  # errors
        if threads is not None:
            self._options.intra_op_num_threads = threads

    def open(
        self,
        name: str,
        *,
        exact: tuple[str, ...] = (),
        brief: tuple[str, ...] = (),
        usual: Mapping[str, tuple[int, ...]] | None = None,
    ) -> OnnxGraph:
        """See `Engine.open`; ONNX Runtime is always exact."""
        path = self._files.graph(name)
        try:
            return OnnxGraph(self._ort.InferenceSession(path, self._options, ["CPUExecutionProvider"]))
        except Exception as error:  # ONNX Runtime's own errors have no common base
            raise self._files.broken(name, error) from error

    def value(self, array: np.ndarray) -> np.ndarray:
        """See `Engine`: arrays are ONNX Runtime's own kind."""
        return array

    def array(self, value: np.ndarray) -> np.ndarray:
        """See `Engine`: every run makes new arrays."""
        return value

    def copy(self, value: np.ndarray) -> np.ndarray:
        """See `Engine`: every run makes new arrays."""
        return value

    def take(self, value: np.ndarray, rows: Int64) -> np.ndarray:
        """See `Engine`."""
        return value if len(rows) == len(value) else value[rows]


class OnnxGraph:
    """An inference session."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._shapes = {port.name: tuple(port.shape) for port in session.get_inputs()}
        self._outputs = [port.name for port in session.get_outputs()]

    def input_shape(self, name: str) -> tuple[int, ...]:
        """See `OpenGraph`."""
        return self._shapes[name]

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `OpenGraph`."""
        return dict(zip(self._outputs, self._session.run(self._outputs, dict(inputs)), strict=True))

    def release(self) -> None:
        """See `OpenGraph`: the session keeps no memory between runs that it could give back."""
