"""Choosing and starting what runs a model."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Final

from anymask.core.errors import MissingExtraError, ModelError, OutputError
from anymask.models.cache import ModelCache
from anymask.models.folder import ModelFolder
from anymask.models.spec import ModelSpec
from anymask.predict.click_stages import CLICK_DECODER, ClickStages
from anymask.predict.graph_stages import UPSCALE, Engine, GraphFiles, SteppedStages, WholeStages
from anymask.predict.runtime import Runtime
from anymask.predict.staged_runtime import StagedRuntime, Stages

_MODULES: Final = {"openvino": "openvino", "onnx": "onnxruntime", "torch": "torch"}  # best first


def make_runtime(
    folder: ModelFolder | str | Path,
    backend: str = "auto",
    precision: str = "fast",
    threads: int | None = None,
) -> Runtime:
    """The runtime of a model folder. Networks are compiled when first used.

    backend: "openvino", "onnx" or "torch" (CUDA where there is a device, else the CPU); "auto" takes the
        first of these that is installed.
    precision: "exact" is float32; "fast" may compute in bfloat16 where the hardware does (OpenVINO, CUDA).
    threads: of the CPU; None takes what this process may use.
    Raises MissingExtraError if the backend is not installed, ModelError for a damaged model or unknown names.
    """
    if precision not in ("fast", "exact"):
        raise ModelError(f"precision is {precision!r}; give 'fast' or 'exact'.")
    folder = folder if isinstance(folder, ModelFolder) else ModelFolder.open(folder)
    backend = _installed() if backend == "auto" else backend
    threads = threads or restricted_cores()
    return StagedRuntime(folder.spec, _stages(folder, backend, precision == "fast", threads))


def _stages(folder: ModelFolder, backend: str, fast: bool, threads: int | None) -> Stages:
    if backend == "torch":
        from anymask.predict.torch_runtime import torch_stages

        return torch_stages(folder, fast=fast, threads=threads)
    files = GraphFiles(folder.path)
    if backend == "openvino":
        from anymask.predict.openvino_runtime import OpenVino

        engine = OpenVino(files, fast=fast, threads=threads, cache=_compiled(folder))
        return _graph_stages(engine, files, folder.spec)
    if backend == "onnx":
        from anymask.predict.onnx_runtime import OnnxRuntime

        return _graph_stages(OnnxRuntime(files, threads=threads), files, folder.spec)
    raise ModelError(f"backend is {backend!r}; give 'auto', {', '.join(map(repr, _MODULES))}.")


def _graph_stages(engine: Engine, files: GraphFiles, spec: ModelSpec) -> Stages:
    """The stages of the model in a folder, opened when first needed."""
    if files.has(UPSCALE):
        return SteppedStages(engine, spec)
    whole = WholeStages(engine, spec)
    return ClickStages(engine, whole) if files.has(CLICK_DECODER) else whole


def _installed() -> str:
    for backend, module in _MODULES.items():
        if importlib.util.find_spec(module) is not None:
            return backend
    raise MissingExtraError("no runtime is installed; pip install openvino, or 'anymask[onnx]'")


def _compiled(folder: ModelFolder) -> Path | None:
    """Where OpenVINO may keep what it compiles; None if nothing can be written there."""
    cache = ModelCache.default()
    try:
        path = cache.make(cache.compiled(folder.sha256))
    except OutputError:
        return None
    return path if os.access(path, os.W_OK) else None


def usable_cores() -> int:
    """How many cores this process may use."""
    return restricted_cores() or os.cpu_count() or 1


def restricted_cores() -> int | None:
    """How many cores this process may use if they are fewer than the machine's, else None.

    Runtimes start a thread per core of the machine; under a container's quota or an affinity mask those would
    wait for each other.
    """
    machine = os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else machine
    cores = min(allowed, _quota() or machine)
    return cores if cores < machine else None


def _quota(path: Path = Path("/sys/fs/cgroup/cpu.max")) -> int | None:
    """Cores that Linux's control group grants (cgroup v2: "quota period", or "max period"), rounded up."""
    try:
        quota, period = path.read_text().split()
        return max(1, -(-int(quota) // int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        return None
