"""Opening a store: where it lies, its migrations, and several processes at once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from anymask.core.errors import InputError, OutputError
from anymask.store import Store, StoreError
from anymask.store.schema import metadata


def test_the_migrations_make_the_tables_of_the_schema(store: Store) -> None:
    with store._database.writing() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrations_make_the_same_rules(tmp_path: Path, sqlite_file: Path) -> None:
    """Also what Alembic does not compare: checks, partial indices, defaults."""
    straight = create_engine(f"sqlite:///{tmp_path / 'straight.db'}", poolclass=NullPool)
    metadata.create_all(straight)
    migrated = create_engine(f"sqlite:///{sqlite_file}", poolclass=NullPool)
    query = text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'")
    made = []
    for engine in (straight, migrated):
        with engine.connect() as connection:
            made.append({name: _rules(sql) for name, sql in connection.execute(query)})
    assert made[0] == made[1]


def test_a_folder_gets_its_store(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        project = store.projects.create("birds", root="")
    assert (tmp_path / ".anymask" / "studio.db").is_file()
    with Store.open(str(tmp_path)) as store:
        assert store.projects.list() == [project]


def test_a_sqlite_store_is_in_wal_mode_with_foreign_keys(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, store._database.reading() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 60_000}


def test_a_store_of_a_newer_version_is_refused_untouched(store: Store, url: str) -> None:
    with store._database.writing() as connection:
        before = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        with pytest.raises(StoreError, match="newer anymask"):
            Store.open(url)
    finally:
        with store._database.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :before"), {"before": before})


@pytest.mark.parametrize(
    ("place", "error", "message"),
    [
        ("no-such-folder", InputError, "not a folder"),
        ("mysql://here/db", InputError, "'mysql' is not a database the studio knows"),
        ("sqlite://", InputError, "in memory"),
        ("://", InputError, "not a database URL"),
        ("postgresql://nobody@127.0.0.1:1/none", StoreError, "does not answer"),
        ("sqlite:////no-such-folder/x.db", StoreError, "does not answer"),
    ],
)
def test_what_cannot_be_opened_says_why(place: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        Store.open(place)
    assert "\n" not in str(caught.value)


def test_a_folder_where_nothing_can_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / ".anymask").write_text("a file in the way")
    with pytest.raises(OutputError, match="cannot make"):
        Store.open(tmp_path)


def test_a_password_in_a_url_is_in_no_message() -> None:
    with pytest.raises(StoreError) as caught:
        Store.open("postgresql://me:hunter2secret@127.0.0.1:1/none")
    assert "hunter2secret" not in str(caught.value)


def test_processes_that_open_a_new_store_at_once_all_succeed(tmp_path: Path) -> None:
    code = "import sys; from anymask.store import Store; Store.open(sys.argv[1]).people.local()"
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in started:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()
    with Store.open(tmp_path) as store:
        assert [user.name for user in store.people.list()] == ["local"]


def _rules(sql: str) -> list[str]:
    """The parts of a CREATE statement, in an order that does not depend on who wrote it."""
    head, _, body = re.sub(r"\s+", " ", sql).partition("(")
    parts = re.split(r",\s*(?![^()]*\))", body.rpartition(")")[0])
    return [head.strip(), *sorted(part.strip() for part in parts), body.rpartition(")")[2].strip()]
