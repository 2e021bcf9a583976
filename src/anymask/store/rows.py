"""From the tables' rows to values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, Table, select

from anymask.store.errors import NotFound

V = TypeVar("V")
IN_ONE_QUERY = 500
"""Values in one IN (...); SQLite takes 32,766, but plans grow with them."""


def value(kind: type[V], row: RowMapping, **more: Any) -> V:
    """A row as `kind`, a dataclass whose fields are columns or given in `more`."""
    known = {field.name for field in fields(kind) if field.name in row}  # type: ignore[arg-type]
    return kind(**{**{name: row[name] for name in known}, **more})


def get(connection: Connection, table: Table, id: str, what: str) -> RowMapping:
    """The row of this id. Raises NotFound, calling it `what`."""
    row = connection.execute(select(table).where(table.c.id == id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no {what} of the id {id!r}")
    return row


def lock(connection: Connection, table: Table, ids: Iterable[str], *, removing: bool = False) -> None:
    """Hold rows until the transaction ends, so that what it reads of them from now on is the last word.

    One after the other by id, so that no two transactions wait for each other; for the same reason who needs
    tasks as well takes them before their images. Rows that refer to these may still be added, unless
    `removing`. Nothing on SQLite, which has one writer anyway.
    """
    if connection.dialect.name == "sqlite":
        return
    for part in in_parts(sorted(set(ids))):
        query = select(table.c.id).where(table.c.id.in_(part)).order_by(table.c.id)
        connection.execute(query.with_for_update(key_share=not removing))


def in_parts(ids: Iterable[str]) -> Iterator[Sequence[str]]:
    """Ids in parts that one query takes; each once."""
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), IN_ONE_QUERY):
        yield unique[start : start + IN_ONE_QUERY]
