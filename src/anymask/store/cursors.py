"""Cursors: where a page of a list ended, as text that clients give back.

A cursor holds the sort value and the id of the last item, so that rows added or removed between two pages
neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import binascii
import json

from sqlalchemy import and_, or_
from sqlalchemy.sql import ColumnElement

from anymask.core.errors import InputError


def cursor_of(order: str, value: str | int, id: str) -> str:
    """The cursor after an item."""
    return base64.urlsafe_b64encode(json.dumps([order, value, id]).encode()).decode().rstrip("=")


def read_cursor(cursor: str, order: str) -> tuple[str | int, str]:
    """Sort value and id. Raises InputError unless it is a cursor of this order."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = json.loads(text)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise InputError("that is no cursor; give the 'next' of the page before, or none") from error
    is_cursor = isinstance(found, list) and len(found) == 3 and isinstance(found[2], str)
    if not is_cursor or not isinstance(found[1], (str, int)) or isinstance(found[1], bool):
        raise InputError("that is no cursor; give the 'next' of the page before, or none")
    if found[0] != order:
        raise InputError(f"the cursor belongs to another order than '{order}'; start again without one")
    return found[1], found[2]


def after(
    column: ColumnElement[str] | ColumnElement[int],
    id_column: ColumnElement[str],
    value: str | int,
    id: str,
    *,
    descending: bool = False,
) -> ColumnElement[bool]:
    """Whether a row comes after (value, id) in the order of `column`, then id."""
    further = column < value if descending else column > value
    return or_(further, and_(column == value, id_column > id))
