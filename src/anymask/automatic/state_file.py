"""An `AutomaticState` as a safetensors file: the kept cells end to end, and what belongs to them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anymask.automatic.crops import image_crops
from anymask.automatic.kept import KeptMask
from anymask.automatic.settings import AutomaticSettings
from anymask.automatic.state import AutomaticState
from anymask.core.arrays import AnyArray, sealed
from anymask.core.errors import FormatError
from anymask.core.files import write_atomically
from anymask.core.geometry import InputFrame
from anymask.core.upscale import Window

_FORMAT = "anymask-everything"
_VERSION = 1
_TENSORS: dict[str, npt.DTypeLike] = {
    "cells": np.float32,  # (total,) the masks' rectangles row by row, one after the other
    "windows": np.int32,  # (N, 4) y0, y1, x0, x1 in cells
    "scores": np.float32,  # (N,)
    "points_xy": np.float64,  # (N, 2) in pixels of the crop
    "crops": np.int32,  # (N,)
}


def save_state(state: AutomaticState, path: str | os.PathLike[str]) -> Path:
    """Write the file, atomically. Returns the path. Raises OutputError if it cannot be written."""
    from safetensors.numpy import save

    masks = state.masks
    tensors: dict[str, AnyArray] = {
        "cells": np.concatenate([np.zeros(0, np.float32), *(mask.cells.ravel() for mask in masks)]),
        "windows": np.array([mask.window for mask in masks], np.int32).reshape(-1, 4),
        "scores": state.scores,
        "points_xy": np.array([mask.point_xy for mask in masks], np.float64).reshape(-1, 2),
        "crops": np.array([mask.crop for mask in masks], np.int32),
    }
    facts = {
        "format": _FORMAT,
        "version": str(_VERSION),
        "model": state.model,
        "model_sha256": state.model_sha256,
        "image_sha256": state.image_sha256,
        "image_hw": json.dumps(state.image_hw),
        "input_size": json.dumps(state.input_size),
        "low_res_hw": json.dumps(state.low_res_hw),
        "keep_above": json.dumps(state.keep_above),
        "settings": json.dumps(settings_to_json(state.settings)),
        "thresholds": json.dumps({preset: dict(own) for preset, own in state.thresholds.items()}),
    }
    return write_atomically(path, save(tensors, metadata=facts))


def load_state(path: str | os.PathLike[str]) -> AutomaticState:
    """Read a file that `save_state` wrote.

    Raises FormatError if it is missing, damaged, of another version or something else.
    """
    from safetensors import SafetensorError, safe_open

    source = Path(path)
    if not source.is_file():
        raise FormatError(f"'{source}' is not a file; give a state that AutomaticState.save wrote")
    try:
        with safe_open(source, framework="np") as file:
            facts = file.metadata() or {}
            _check_facts(facts, source)
            tensors = {name: file.get_tensor(name) for name in _TENSORS}
        return _state(facts, tensors)
    except FormatError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise FormatError(f"'{source}' is damaged ({reason}); run everything mode again") from error


def settings_to_json(settings: AutomaticSettings) -> dict[str, Any]:
    """All settings by name as plain JSON values."""
    values = {one.name: getattr(settings, one.name) for one in fields(settings)}
    grids = values["point_grids"]
    if grids is not None:
        values["point_grids"] = [np.asarray(grid, np.float64).tolist() for grid in grids]
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in values.items()}


def _check_facts(facts: Mapping[str, str], source: Path) -> None:
    if facts.get("format") != _FORMAT:
        raise FormatError(
            f"'{source}' is a safetensors file, but no state of everything mode; give one that was saved"
        )
    if facts.get("version") != str(_VERSION):
        raise FormatError(
            f"'{source}' is a state of version {facts.get('version')}, this anymask reads {_VERSION}; "
            "run everything mode again"
        )


def _state(facts: Mapping[str, str], tensors: Mapping[str, AnyArray]) -> AutomaticState:
    settings = AutomaticSettings(**json.loads(facts["settings"]))
    frame = InputFrame(tuple(json.loads(facts["image_hw"])), json.loads(facts["input_size"]))
    crops = tuple(image_crops(frame.image_hw, settings.crop_n_layers, settings.crop_overlap_ratio))
    height, width = (int(side) for side in json.loads(facts["low_res_hw"]))
    if not (1 <= height <= frame.input_size and 1 <= width <= frame.input_size):
        raise ValueError(f"masks of {height} x {width} cells in an input of {frame.input_size}")
    _check_tensors(tensors, (height, width), len(crops))
    return AutomaticState(
        masks=_masks(tensors),
        crops=crops,
        settings=settings,
        keep_above=float(json.loads(facts["keep_above"])),
        low_res_hw=(height, width),
        model=facts["model"],
        model_sha256=facts["model_sha256"],
        image_sha256=facts["image_sha256"],
        image_hw=frame.image_hw,
        input_size=frame.input_size,
        thresholds=_thresholds(json.loads(facts.get("thresholds", "{}"))),
    )


def _thresholds(value: Any) -> dict[str, dict[str, float]]:
    if not isinstance(value, dict) or not all(isinstance(own, dict) for own in value.values()):
        raise ValueError(f"thresholds are {value!r}")
    return {preset: {name: float(number) for name, number in own.items()} for preset, own in value.items()}


def _check_tensors(tensors: Mapping[str, AnyArray], low_res_hw: tuple[int, int], crops: int) -> None:
    """Raise ValueError unless the tensors fit each other: what a file says is not trusted."""
    count = len(tensors["windows"])
    shapes = {"windows": (count, 4), "scores": (count,), "points_xy": (count, 2), "crops": (count,)}
    for name, kind in _TENSORS.items():
        if tensors[name].dtype != kind or tensors[name].shape != shapes.get(name, (tensors["cells"].size,)):
            raise ValueError(f"'{name}' is {tensors[name].dtype} {tensors[name].shape}")
        if not np.isfinite(tensors[name]).all():
            raise ValueError(f"'{name}' holds NaN or infinite values")
    y0, y1, x0, x1 = tensors["windows"].astype(np.int64).T
    inside = (y0 >= 0) & (y0 < y1) & (y1 <= low_res_hw[0]) & (x0 >= 0) & (x0 < x1) & (x1 <= low_res_hw[1])
    if not inside.all() or ((y1 - y0) * (x1 - x0)).sum() != tensors["cells"].size:
        raise ValueError("windows and cells do not fit each other")
    if not ((tensors["crops"] >= 0) & (tensors["crops"] < crops)).all():
        raise ValueError("a mask belongs to a crop that there is not")


def _masks(tensors: Mapping[str, AnyArray]) -> tuple[KeptMask, ...]:
    masks, start = [], 0
    cells = sealed(tensors["cells"])
    rows = zip(*(tensors[name].tolist() for name in ("windows", "scores", "points_xy", "crops")), strict=True)
    for corners, score, (x, y), crop in rows:
        window = Window(*corners)
        height, width = window.size_hw
        part = cells[start : start + height * width].reshape(height, width)
        start += height * width
        masks.append(KeptMask(part, window, score, (x, y), crop))
    return tuple(masks)
