"""Studios for tests that leave nothing behind that others would see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from anymask.store import passwords
from tests.studio.served import Running, fill, running


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hashing is slow by design; here it is the same, with little work."""
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: hasher)
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
