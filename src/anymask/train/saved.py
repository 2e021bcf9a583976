"""A training run's files: written in one piece, read without trusting them.

A checkpoint is cut into pieces of at most PIECE bytes, so that it travels where files have a limit:
`checkpoint.json` names the pieces of the last complete one.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from pathlib import Path
from typing import Any

import torch

from anymask.core.errors import ModelError
from anymask.core.files import write_atomically
from anymask.modeling.lite import Lite, LiteConfig
from anymask.modeling.load import load_lite
from anymask.models.registry import resolve

PIECE = 14_000_000  # bytes


def save_checkpoint(folder: Path, state: dict[str, Any], step: int) -> None:
    """Write the pieces, then `checkpoint.json`, then remove older pieces: a kill leaves one that is whole."""
    data = torch_bytes(state)
    names = []
    for number, start in enumerate(range(0, len(data), PIECE)):
        names.append(f"checkpoint-{step:07d}.{number:03d}")
        write_atomically(folder / names[-1], data[start : start + PIECE])
    index = {"step": step, "pieces": names, "sha256": hashlib.sha256(data).hexdigest()}
    write_atomically(folder / "checkpoint.json", json.dumps(index).encode())
    for old in folder.glob("checkpoint-*"):
        if old.name not in names:
            old.unlink(missing_ok=True)


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The last complete checkpoint of a run, None if there is none.

    Raises ModelError if a piece is missing or changed.
    """
    index = folder / "checkpoint.json"
    if not index.is_file():
        return None
    try:
        about = json.loads(index.read_text(encoding="utf-8"))
        data = b"".join((folder / Path(name).name).read_bytes() for name in about["pieces"])
        whole = hashlib.sha256(data).hexdigest() == about["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{index} cannot be read ({error}); use another run folder") from error
    if not whole:
        raise ModelError(f"{index}: its pieces are not those that were written; use another run folder")
    state: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return state


def save_model(path: Path, weights: dict[str, Any], config: LiteConfig) -> None:
    """A run's averaged weights, matrices and kernels as float16, as models are shipped."""
    small = {
        k: v.half() if v.dtype == torch.float32 and v.ndim > 1 and not k.endswith("frequencies") else v
        for k, v in weights.items()
    }
    write_atomically(path, torch_bytes({"model": small, "config": config.to_dict()}))


def read_run_model(path: Path) -> Lite:
    """The averaged weights of a run, `model.pt`, as float32. Raises ModelError if the file is none."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        lite = Lite(LiteConfig.from_dict(saved["config"]))
        lite.load_state_dict(saved["model"])
    except pickle.UnpicklingError as error:  # torch's own words advise to read it unsafely
        raise ModelError(f"{path} is no model of a training run; give a run's model.pt") from error
    except (OSError, KeyError, TypeError, RuntimeError, ValueError) as error:
        why = str(error).partition("\n")[0]
        raise ModelError(f"{path} is no model of a training run ({why}); give a run's model.pt") from error
    return lite.eval()


def read_start(given: str) -> Lite:
    """Weights to start from: a run's `model.pt`, or a model by name or folder (its normalisation is folded).

    Raises ModelError if it is neither or no `lite`, UnknownModelError for an unknown name.
    """
    return read_run_model(Path(given)) if Path(given).is_file() else load_lite(resolve(given))


def torch_bytes(state: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    torch.save(state, out)
    return out.getvalue()
