"""anymask: click, box, lasso or brush a thing in a picture and get its mask.

    import anymask

    model = anymask.load()
    photo = model.embed("street.jpg")
    found = model.predict(photo, points=[(420, 310)])
    found.best.mask

Importing this package is cheap: every name below is loaded when it is first used (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from anymask._version import __version__

if TYPE_CHECKING:
    from anymask.core import errors
    from anymask.core.embedding import ImageEmbedding
    from anymask.core.prediction import Prediction
    from anymask.core.prompt import Prompt
    from anymask.core.record import MaskRecord
    from anymask.formats import read, write
    from anymask.predict.load import load
    from anymask.predict.model import Model
    from anymask.predict.session import Session

__all__ = [
    "ImageEmbedding",
    "MaskRecord",
    "Model",
    "Prediction",
    "Prompt",
    "Session",
    "__version__",
    "errors",
    "load",
    "read",
    "write",
]

_HOMES = {
    "ImageEmbedding": "anymask.core.embedding",
    "MaskRecord": "anymask.core.record",
    "Model": "anymask.predict.model",
    "Prediction": "anymask.core.prediction",
    "Prompt": "anymask.core.prompt",
    "Session": "anymask.predict.session",
    "load": "anymask.predict.load",
    "read": "anymask.formats",
    "write": "anymask.formats",
}


def __getattr__(name: str) -> object:
    if name == "errors":
        return importlib.import_module("anymask.core.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'anymask' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
