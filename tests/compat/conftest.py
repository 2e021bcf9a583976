"""The published package and anymask.compat with the same weights, which went through a `.pth` file."""

from __future__ import annotations

from types import ModuleType

import pytest
from torch import nn

from anymask.compat.modeling import Sam
from tests.automatic.sam_runtime import add_spotlight, save_published, twin_model

Twins = tuple[nn.Module, Sam]


@pytest.fixture(scope="package")
def twins(segment_anything: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Twins:
    """A small published network, and ours."""
    path = tmp_path_factory.mktemp("compat") / "sam.pth"
    return save_published(segment_anything, path), Sam(twin_model(path))


@pytest.fixture(scope="package")
def spot_twins(segment_anything: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Twins:
    """The same, their masks gathered round the clicks, so that everything mode finds several."""
    path = tmp_path_factory.mktemp("compat") / "sam.pth"
    theirs = save_published(segment_anything, path)
    add_spotlight(theirs)
    return theirs, Sam(twin_model(path, spot=True))
