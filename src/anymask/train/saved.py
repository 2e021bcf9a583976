"""A training run's files: written in one piece, read without trusting them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from anymask.core.errors import ModelError
from anymask.modeling.lite import Lite, LiteConfig


def write_torch(path: Path, state: dict[str, Any]) -> None:
    """Write and rename, so that a killed run leaves the file before."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def read_run_model(path: Path) -> Lite:
    """The averaged weights of a run, `model.pt`. Raises ModelError if the file is none."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        lite = Lite(LiteConfig.from_dict(saved["config"]))
        lite.load_state_dict(saved["model"])
    except (OSError, KeyError, TypeError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise ModelError(f"{path} is no model of a training run ({error})") from error
    return lite.eval()
