from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from anymask.models.cache import ModelCache
from tests.models.samples import save_hostile_pickle, save_mobile_sam
from tests.models.web import Web, running_web


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy, mirror, offline mode or cache of the developer's machine reaches a test."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("ANYMASK_MIRROR", "ANYMASK_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path / "home"))


@pytest.fixture
def cache(tmp_path: Path) -> ModelCache:
    return ModelCache(tmp_path / "home")


@pytest.fixture
def web() -> Iterator[Web]:
    with running_web() as server:
        yield server


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """An existing folder in which this process cannot create anything, even when the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        os.seteuid(user)
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_mobile_sam(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    return save_hostile_pickle(tmp_path)
