"""One engine, transactions and a clock: what every part of the store works with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from anymask.core.errors import InputError
from anymask.store.errors import StoreError

_BUSY_SECONDS = 60
"""How long a writer waits for other processes' transactions, SQLite."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present time, aware, UTC."""
    return datetime.now(UTC)


def as_text(time: datetime) -> str:
    """`2026-01-31T23:59:59.999Z`: UTC to the millisecond."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


class Database:
    """Transactions on SQLite or PostgreSQL.

    url: `sqlite:///file` or `postgresql://...`. clock: gives the present time; tests bring their own.

    Raises InputError for another kind of URL.
    """

    def __init__(self, url: str | URL, clock: Clock = utc_now) -> None:
        self.engine = _engine(url)
        self.clock = clock

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite, which knows one writer at a time and no locks on rows."""
        return self.engine.dialect.name == "sqlite"

    def now(self, later: timedelta = timedelta()) -> str:
        """The present time, or one `later`, as the tables hold it."""
        return as_text(self.clock() + later)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the data and changes nothing."""
        with self._connection("BEGIN", "REPEATABLE READ") as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is on disk when the block has ended, or undone if it raised."""
        with self._connection("BEGIN IMMEDIATE", "READ COMMITTED") as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _connection(self, sqlite_begin: str, isolation: str) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                if self.is_sqlite:
                    connection = connection.execution_options(anymask_begin=sqlite_begin)
                else:
                    connection = connection.execution_options(isolation_level=isolation)
                with connection.begin():
                    yield connection
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
            raise StoreError(
                f"the database does not answer: {reason}; see that it runs, is reachable and has room"
            ) from error


def _engine(url: str | URL) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InputError("that is not a database URL; give sqlite:///FILE or postgresql://...") from error
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return _sqlite(parsed)
    if kind == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=10)
    raise InputError(f"'{kind}' is not a database the studio knows; give sqlite:///FILE or postgresql://...")


def _sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise InputError("a database in memory would be lost; give sqlite:///FILE")
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # Transactions are begun below, by SQLAlchemy's event, not by the driver at the first write: a reader
        # that becomes a writer would fail where another wrote meanwhile.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("anymask_begin", "BEGIN IMMEDIATE"))

    return engine
