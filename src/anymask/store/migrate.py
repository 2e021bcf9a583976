"""Bringing a database to the tables of this version, with Alembic's migrations in `migrations/`."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from anymask.store.database import Database
from anymask.store.errors import StoreError

_LOCK = 0x616E796D  # any number that all versions agree on


def migrate(database: Database) -> None:
    """Make or update the tables; nothing happens if they are up to date. Several processes may come at once.

    Raises StoreError if the database was made by a newer version.
    """
    with database.reading() as connection:
        if _is_current(connection):
            return
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if _is_current(connection):
            return
        try:
            command.upgrade(config(connection), "head")
        except (CommandError, ResolutionError) as error:
            raise StoreError(
                "the database was made by a newer anymask; install that version, or use another database"
            ) from error


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings for this package. connection: where to run the migrations."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


def _is_current(connection: Connection) -> bool:
    heads = ScriptDirectory.from_config(config()).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == heads
