"""Every test of the store runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from anymask.store import Image, Project, Store, User
from anymask.store.schema import metadata
from tests.cheap_passwords import cheap_passwords
from tests.postgres import running_postgres
from tests.store.building import ManualClock, new_image


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    with cheap_passwords():
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL database that has our tables."""
    with running_postgres() as url:
        Store.open(url).close()
        yield url


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database to be copied: making the tables takes longer than most tests."""
    file = tmp_path_factory.mktemp("sqlite") / "studio.db"
    Store.open(f"sqlite:///{file}").close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        copy = shutil.copy(request.getfixturevalue("sqlite_file"), tmp_path / "studio.db")
        return f"sqlite:///{copy}"
    server: str = request.getfixturevalue("postgres")
    # Emptying the tables takes a tenth of the time that another database does.
    with psycopg.connect(server) as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(f'DELETE FROM "{table.name}"')
    return server


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test sets; every look at it is a millisecond later."""
    return ManualClock()


@pytest.fixture
def store(url: str, clock: ManualClock) -> Iterator[Store]:
    with Store.open(url, clock=clock) as store:
        yield store


@pytest.fixture
def project(store: Store) -> Project:
    return store.projects.create("birds", root="")


@pytest.fixture
def image(store: Store, project: Project) -> Image:
    return store.images.add(project.id, [new_image("a.jpg")])[0]


@pytest.fixture
def anna(store: Store) -> User:
    return store.people.create("anna")


@pytest.fixture
def bert(store: Store) -> User:
    return store.people.create("bert", "reviewer")
