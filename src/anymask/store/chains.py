"""Chains of masks: reading heads and appending to them, inside the transactions of several parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select
from sqlalchemy.sql import ColumnElement

from anymask.store import rows
from anymask.store.checks import new_id
from anymask.store.schema import masks
from anymask.store.states import is_head
from anymask.store.values import Mask

IN_ONE_INSERT = 500


def mask_of(row: RowMapping) -> Mask:
    """A row as a value."""
    bbox = (row["bbox_x"], row["bbox_y"], row["bbox_width"], row["bbox_height"])
    return rows.value(Mask, row, bbox=bbox)


def heads_of(connection: Connection, where: ColumnElement[bool], *, deleted: bool = False) -> list[Mask]:
    """Present masks of the objects that `where` picks, lowest first; deleted ones only if asked for."""
    query = select(masks).where(where, is_head()).order_by(masks.c.position, masks.c.created, masks.c.id)
    if not deleted:
        query = query.where(masks.c.deleted.is_(False))
    return [mask_of(row) for row in connection.execute(query).mappings()]


def insert_rows(connection: Connection, new: Sequence[dict[str, Any]]) -> None:
    """Append rows in their order: a parent may be among them, before its successor."""
    for start in range(0, len(new), IN_ONE_INSERT):
        connection.execute(insert(masks), new[start : start + IN_ONE_INSERT])


def append_successors(
    connection: Connection, where: ColumnElement[bool], changed: dict[str, Any], now: str
) -> Iterable[str]:
    """Give every live head that `where` picks a successor that differs in `changed` alone.

    Returns the ids of the images they belong to.
    """
    query = select(masks).where(where, masks.c.deleted.is_(False), is_head())
    found = connection.execute(query).mappings().all()
    new = [
        {**row, **changed, "id": new_id(), "parent_id": row["id"], "created": now, "seconds": 0.0}
        for row in found
    ]
    insert_rows(connection, new)
    return {row["image_id"] for row in found}
