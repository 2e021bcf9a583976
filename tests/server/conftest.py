"""One server for all tests that leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.fake_runtime import FakeRuntime
from tests.server.running import running, upload


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    """Two fake models; `fake` is the default."""
    with running(FakeRuntime(), FakeRuntime(name="other")) as client:
        yield client


@pytest.fixture(scope="session")
def image(client: httpx.Client) -> str:
    """The id of the fake model's scene."""
    return upload(client)
