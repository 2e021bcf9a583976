"""Studios for tests that leave nothing behind that others would see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cheap_passwords import cheap_passwords
from tests.studio.served import Running, fill, running


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    with cheap_passwords():
        yield


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """On loopback, without accounts."""
    folder = tmp_path_factory.mktemp("photos")
    fill(folder)
    with running(folder) as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace's folder of its own."""
    fill(tmp_path)
    return tmp_path
