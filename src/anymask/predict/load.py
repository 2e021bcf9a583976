"""`anymask.load`: from a model's name to a model that answers."""

from __future__ import annotations

import os
from typing import Literal

from anymask.core.errors import InputError
from anymask.models.registry import resolve
from anymask.models.spec import TEXT
from anymask.predict.model import Model

Precision = Literal["fast", "exact"]
Backend = Literal["auto", "openvino", "onnx", "torch"]

PRECISIONS: tuple[Precision, ...] = ("fast", "exact")
BACKENDS: tuple[Backend, ...] = ("auto", "openvino", "onnx", "torch")


def load(
    name_or_path: str | os.PathLike[str] = "lite",
    *,
    precision: Precision = "fast",
    backend: Backend = "auto",
    threads: int | None = None,
    offline: bool | None = None,
) -> Model:
    """Open a model.

    name_or_path: "lite" (in the package), "mobile", "vit_b", "vit_l", "vit_h", "name@version", or the path of
        a model folder.
    precision: "exact" is float32 throughout; "fast" may use bfloat16 where the CPU has it.
    backend: "openvino" (the base install), "onnx" or "torch" (extras of these names); "auto" picks.
    threads: CPU threads, 1 or more; None takes the cores that this process may use.
    offline: False lets a published model that is not on this machine be pulled first; otherwise nothing is
        fetched.

    Raises InputError for an unknown name or option, ModelError for a model that is missing or damaged,
    MissingExtraError for a backend that is not installed.
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision {precision!r} is not known; give one of {', '.join(PRECISIONS)}")
    if backend not in BACKENDS:
        raise InputError(f"backend {backend!r} is not known; give one of {', '.join(BACKENDS)}")
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise InputError(f"threads is {threads!r}; give a whole number from 1, or None for all cores")
    folder = resolve(name_or_path, offline=offline)
    if TEXT in folder.spec.prompts:
        raise InputError(
            f"{folder.spec.full_name} knows words and finds no masks; give it as the encoder of find: "
            f"model.find(picture, text, encoder={folder.spec.name!r})"
        )
    from anymask.predict.backends import (
        make_runtime,
        usable_cores,
    )  # only now: a wrong name is told without it

    runtime = make_runtime(folder, backend=backend, precision=precision, threads=threads)
    return Model(runtime, sha256=folder.sha256, threads=threads or usable_cores())
