"""Fixtures of everything mode."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from torch import nn

from anymask.predict.model import Model
from tests.automatic.sam_runtime import add_spotlight, save_published, twin_model

Twins = tuple[nn.Module, Model]


@pytest.fixture(scope="package")
def plain_twins(segment_anything: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Twins:
    """The published network and ours with the same random weights."""
    path = tmp_path_factory.mktemp("twins") / "sam.pth"
    return save_published(segment_anything, path), twin_model(path)


@pytest.fixture(scope="package")
def spot_twins(segment_anything: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Twins:
    """The same, their masks gathered round the clicks."""
    path: Path = tmp_path_factory.mktemp("spots") / "sam.pth"
    theirs = save_published(segment_anything, path)
    add_spotlight(theirs)
    return theirs, twin_model(path, spot=True)
