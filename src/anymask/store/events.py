"""Events: what happened in a studio, for its administrator."""

from __future__ import annotations

from sqlalchemy import insert, select

from anymask.core.errors import InputError
from anymask.store import checks, cursors, rows
from anymask.store.part import Part
from anymask.store.schema import events
from anymask.store.values import Event, Json, Page

MOST_PER_PAGE = 1000


class Events(Part):
    """`store.events`."""

    def add(
        self,
        kind: str,
        detail: Json | None = None,
        *,
        project_id: str | None = None,
        user_id: str | None = None,
    ) -> Event:
        """Write something down. kind: a name such as "export". Raises InputError."""
        checks.check_text(kind, "kind", 64)
        event = Event(
            id=checks.new_id(),
            project_id=project_id,
            user_id=user_id,
            created=self._database.now(),
            kind=kind,
            detail=checks.plain_json(detail or {}, "detail"),
        )
        with self._database.writing() as connection:
            connection.execute(insert(events).values(**vars(event)))
        return event

    def page(
        self, project_id: str | None = None, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Event]:
        """Events, newest first; of one project, or of all and of none. Raises InputError."""
        checks.check_whole(limit, "limit", 1, MOST_PER_PAGE)
        query = select(events)
        if project_id is not None:
            query = query.where(events.c.project_id == project_id)
        if cursor is not None:
            value, id = cursors.read_cursor(cursor, "-created")
            if not isinstance(value, str):
                raise InputError("that is no cursor; give the 'next' of the page before, or none")
            query = query.where(cursors.after(events.c.created, events.c.id, value, id, descending=True))
        query = query.order_by(events.c.created.desc(), events.c.id).limit(limit + 1)
        with self._database.reading() as connection:
            found = [rows.value(Event, row) for row in connection.execute(query).mappings()]
        if len(found) <= limit:
            return Page(tuple(found))
        last = found[limit - 1]
        return Page(tuple(found[:limit]), cursors.cursor_of("-created", last.created, last.id))
