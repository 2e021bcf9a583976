"""Inserting what may be there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

_IN_ONE_INSERT = 500


def insert_missing(connection: Connection, table: Table, new: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one that some unique constraint refuses is left out."""
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    for start in range(0, len(new), _IN_ONE_INSERT):
        statement = dialect.insert(table).on_conflict_do_nothing()
        connection.execute(statement, list(new[start : start + _IN_ONE_INSERT]))
