"""Imports published packages that ask for torchvision, which has no build for plain CPUs here.

`tests/stubs/torchvision` provides the few names they import. It is on the path only while they are imported:
other packages (transformers) must not believe that torchvision is installed.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path
from types import ModuleType

_STUBS = str(Path(__file__).parent)


def import_peer(name: str) -> ModuleType:
    """Import a package with the stubs in reach, then take the stubs away again."""
    if name in sys.modules:
        return sys.modules[name]
    sys.path.insert(0, _STUBS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecations inside the packages
            return importlib.import_module(name)
    finally:
        sys.path.remove(_STUBS)
        for module in [m for m in sys.modules if m == "torchvision" or m.startswith("torchvision.")]:
            del sys.modules[module]
