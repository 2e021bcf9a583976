"""Tasks: work on images, held by one person at a time.

A lease is held by whoever knows its token, until it runs out or is given back. Finishing the labelling opens
the review; a rejection there opens the labelling again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, case, func, or_, select, update
from sqlalchemy.sql import ColumnElement

from anymask.core.errors import InputError
from anymask.store import checks, rows, states
from anymask.store.errors import LeaseLost, NotFound
from anymask.store.insertion import insert_missing
from anymask.store.part import Part
from anymask.store.schema import TASK_KINDS, images, tasks, users
from anymask.store.values import Task

LEASE = timedelta(minutes=10)


class Tasks(Part):
    """`store.tasks`."""

    def create_for(self, image_ids: Iterable[str], kind: str = "label", priority: int = 0) -> int:
        """Have work for images; those that have a task of this kind keep it. Returns how many are new.

        priority: the higher, the sooner. Raises InputError; ids of no image are passed by.
        """
        checks.check_one_of(kind, TASK_KINDS, "kind")
        checks.check_whole(priority, "priority", -(2**31))
        created = 0
        with self._database.writing() as connection:
            for part in rows.in_parts(image_ids):
                has_task = select(tasks.c.image_id).where(tasks.c.kind == kind, tasks.c.image_id.in_(part))
                query = select(images).where(images.c.id.in_(part), images.c.id.not_in(has_task))
                new = [
                    _new(row, kind, priority, self._database.now())
                    for row in connection.execute(query).mappings()
                ]
                insert_missing(connection, tasks, new)
                created += len(new)
        return created

    def prioritise(self, image_ids: Iterable[str], priority: int, kind: str = "label") -> int:
        """Have open work on images done sooner (a higher number) or later. Returns how many tasks that is.

        Raises InputError.
        """
        checks.check_one_of(kind, TASK_KINDS, "kind")
        checks.check_whole(priority, "priority", -(2**31), 2**31 - 1)
        changed = 0
        with self._database.writing() as connection:
            for part in rows.in_parts(image_ids):
                mine = tasks.c.image_id.in_(part) & (tasks.c.kind == kind) & (tasks.c.state == "open")
                changed += connection.execute(update(tasks).where(mine).values(priority=priority)).rowcount
        return changed

    def claim(
        self, project_id: str, user_id: str, kind: str = "label", image_id: str | None = None
    ) -> Task | None:
        """Take a task for ten minutes: the one of `image_id`, or the next that nobody holds.

        A task that the person holds already is given again, with the same token. Of an image a task is made
        if there is none, and a finished one is taken up again. For review, others' work comes first.

        Returns it with its lease_token, or None if there is nothing to do or somebody else holds the image's.
        Raises NotFound (image, user), InputError.
        """
        checks.check_one_of(kind, TASK_KINDS, "kind")
        with self._database.writing() as connection:
            rows.get(connection, users, user_id, "user")
            if image_id is None:
                row = self._next(connection, project_id, user_id, kind)
            else:
                row = self._of_image(connection, project_id, user_id, kind, image_id)
            return None if row is None else self._take(connection, row, user_id)

    def get(self, id: str) -> Task:
        """Raises NotFound."""
        with self._database.reading() as connection:
            return self._value(rows.get(connection, tasks, id, "task"))

    def of_image(self, image_id: str) -> list[Task]:
        """The tasks of an image, at most one of each kind."""
        with self._database.reading() as connection:
            query = select(tasks).where(tasks.c.image_id == image_id).order_by(tasks.c.kind)
            return [self._value(row) for row in connection.execute(query).mappings()]

    def upcoming(self, project_id: str, user_id: str, kind: str = "label", limit: int = 3) -> list[str]:
        """Ids of the images that `claim` would give next, to prepare them."""
        with self._database.reading() as connection:
            query = self._queue(project_id, user_id, kind).limit(limit)
            return [row["image_id"] for row in connection.execute(query).mappings()]

    def renew(self, id: str, lease_token: str) -> Task:
        """Hold a task for another ten minutes. Raises LeaseLost, NotFound."""
        with self._database.writing() as connection:
            row = self._held(connection, id, lease_token)
            return self._change(connection, row, lease_until=self._database.now(LEASE))

    def finish(self, id: str, lease_token: str, seconds: float = 0.0) -> Task:
        """The work is done. seconds: time spent on it now. Raises LeaseLost, NotFound, InputError."""
        return self._end(id, lease_token, "done", seconds)

    def skip(self, id: str, lease_token: str, seconds: float = 0.0) -> Task:
        """Leave it; it is not given to anybody any more unless asked for by image. Raises as `finish`."""
        return self._end(id, lease_token, "skipped", seconds)

    def release(self, id: str, lease_token: str, seconds: float = 0.0) -> Task:
        """Give it back as it was before it was claimed. Raises as `finish`."""
        return self._end(id, lease_token, None, seconds)

    def counts(self, project_id: str, kind: str = "label") -> dict[str, int]:
        """How many tasks are "open", "claimed", "done" and "skipped"."""
        state = case((self._is_held(), "claimed"), else_=tasks.c.state)
        query = (
            select(state, func.count())
            .where(tasks.c.project_id == project_id, tasks.c.kind == kind)
            .group_by(state)
        )
        counts = dict.fromkeys(("open", "claimed", "done", "skipped"), 0)
        with self._database.reading() as connection:
            counts.update((name, number) for name, number in connection.execute(query))
        return counts

    def _is_held(self) -> ColumnElement[bool]:
        return and_(tasks.c.lease_until.is_not(None), tasks.c.lease_until > self._database.now())

    def _queue(self, project_id: str, user_id: str, kind: str) -> Any:
        order: list[Any] = [tasks.c.priority.desc(), tasks.c.place]
        if kind == "review":
            order.insert(0, self._labelled_by(user_id))
        return (
            select(tasks)
            .where(
                tasks.c.project_id == project_id,
                tasks.c.kind == kind,
                tasks.c.state == "open",
                or_(tasks.c.lease_until.is_(None), tasks.c.lease_until <= self._database.now()),
            )
            .order_by(*order)
        )

    def _labelled_by(self, user_id: str) -> ColumnElement[int]:
        labelling = tasks.alias()
        labelled = select(labelling.c.id).where(
            labelling.c.image_id == tasks.c.image_id,
            labelling.c.kind == "label",
            labelling.c.assignee_id == user_id,
        )
        return case((labelled.exists(), 1), else_=0)

    def _next(self, connection: Connection, project_id: str, user_id: str, kind: str) -> RowMapping | None:
        held = select(tasks).where(
            tasks.c.project_id == project_id,
            tasks.c.kind == kind,
            tasks.c.state == "open",
            tasks.c.assignee_id == user_id,
            self._is_held(),
        )
        own = connection.execute(held.order_by(tasks.c.updated).limit(1)).mappings().first()
        if own is not None:
            return own
        # Other transactions' rows are passed by instead of waited for; SQLite has one writer anyway.
        query = self._queue(project_id, user_id, kind).limit(1).with_for_update(skip_locked=True, of=tasks)
        return connection.execute(query).mappings().first()

    def _of_image(
        self, connection: Connection, project_id: str, user_id: str, kind: str, image_id: str
    ) -> RowMapping | None:
        image = rows.get(connection, images, image_id, "image")
        if image["project_id"] != project_id:
            raise InputError("the image belongs to another project; claim it there")
        insert_missing(connection, tasks, [_new(image, kind, 0, self._database.now())])
        query = select(tasks).where(tasks.c.image_id == image_id, tasks.c.kind == kind).with_for_update()
        row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(f"the image of the id {image_id!r} was removed meanwhile")
        held_by_other = row["assignee_id"] != user_id and self._lease_runs(row)
        return None if held_by_other else row

    def _take(self, connection: Connection, row: RowMapping, user_id: str) -> Task:
        is_mine = row["assignee_id"] == user_id and self._lease_runs(row)
        token = row["lease_token"] if is_mine else secrets.token_hex(16)
        return self._change(
            connection,
            row,
            assignee_id=user_id,
            lease_token=token,
            lease_until=self._database.now(LEASE),
        )

    def _end(self, id: str, lease_token: str, state: str | None, seconds: float) -> Task:
        checks.check_number(seconds, "seconds", 0)
        with self._database.writing() as connection:
            row = self._held(connection, id, lease_token)
            ended = self._change(
                connection,
                row,
                state=state or row["state"],
                lease_token=None,
                lease_until=None,
                seconds=row["seconds"] + seconds,
            )
            if state == "done" and row["kind"] == "label":
                _open_review(connection, row, self._database.now())
            states.refresh(connection, [row["image_id"]], self._database.now())
            return ended

    def _held(self, connection: Connection, id: str, lease_token: str) -> RowMapping:
        rows.lock(connection, tasks, [id])
        row = rows.get(connection, tasks, id, "task")
        # A lease that ran out is still good as long as nobody else has taken the task.
        if not lease_token or row["lease_token"] != lease_token:
            raise LeaseLost("somebody else has this task by now; load the image again")
        return row

    def _lease_runs(self, row: RowMapping) -> bool:
        return row["lease_until"] is not None and row["lease_until"] > self._database.now()

    def _change(self, connection: Connection, row: RowMapping, **changed: Any) -> Task:
        changed["updated"] = self._database.now()
        connection.execute(update(tasks).where(tasks.c.id == row["id"]).values(**changed))
        after = rows.get(connection, tasks, row["id"], "task")
        return self._value(after, lease_token=after["lease_token"])

    def _value(self, row: RowMapping, lease_token: str | None = None) -> Task:
        state = "claimed" if self._lease_runs(row) else row["state"]
        return rows.value(Task, row, state=state, lease_token=lease_token)


def reopen_labelling(connection: Connection, image_id: str, now: str) -> None:
    """Have a finished labelling done again, before others: something was rejected."""
    finished = (tasks.c.image_id == image_id) & (tasks.c.kind == "label") & (tasks.c.state == "done")
    connection.execute(
        update(tasks).where(finished).values(state="open", priority=tasks.c.priority + 1, updated=now)
    )


def _open_review(connection: Connection, row: RowMapping, now: str) -> None:
    image = rows.get(connection, images, row["image_id"], "image")
    insert_missing(connection, tasks, [_new(image, "review", 0, now)])
    reviewed = (tasks.c.image_id == row["image_id"]) & (tasks.c.kind == "review")
    connection.execute(update(tasks).where(reviewed).values(state="open", updated=now))


def _new(image: RowMapping, kind: str, priority: int, now: str) -> dict[str, Any]:
    return {
        "id": checks.new_id(),
        "project_id": image["project_id"],
        "image_id": image["id"],
        "kind": kind,
        "state": "open",
        "priority": priority,
        "place": image["path"],
        "seconds": 0.0,
        "updated": now,
    }
