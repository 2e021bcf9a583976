"""Projects: some of the workspace's pictures with their labels, people's work and models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, case, func, select, update

from anymask.store import checks, rows
from anymask.store.errors import Conflict
from anymask.store.insertion import insert_missing
from anymask.store.part import Part
from anymask.store.schema import images, projects
from anymask.store.values import Counts, Json, Project

LABELLED = ("done", "accepted", "rejected")
REVIEWED = ("accepted", "rejected")
KEEP: Any = object()
"""Default of what may be changed: it stays as it is."""


class Projects(Part):
    """`store.projects`."""

    def create(
        self,
        name: str,
        *,
        root: str | None = None,
        model: str | None = None,
        settings: Json | None = None,
        id: str | None = None,
    ) -> Project:
        """A new project. root: the folder of its pictures, relative to the workspace, "" for all of it.

        The same again with the same id is no error. Raises Conflict (the id is taken), InputError.
        """
        _check(name, root, model)
        id = id or checks.new_id()
        checks.check_id(id, "id")
        given = {"id": id, "name": name, "root": root, "model": model}
        settings = checks.plain_json(settings or {}, "settings")
        with self._database.writing() as connection:
            row = {**given, "settings": settings, "created": self._database.now()}
            insert_missing(connection, projects, [row])
            project = _read(connection, id)
            if (project.name, project.root) != (name, root):
                raise Conflict(f"the id {id!r} belongs to another project; make a fresh one")
            return project

    def get(self, id: str, *, with_counts: bool = True) -> Project:
        """with_counts: False leaves them at 0, for callers that ask often. Raises NotFound."""
        with self._database.reading() as connection:
            if with_counts:
                return _read(connection, id)
            return rows.value(Project, rows.get(connection, projects, id, "project"))

    def list(self) -> list[Project]:
        """All projects, oldest first."""
        with self._database.reading() as connection:
            query = select(projects).order_by(projects.c.created, projects.c.id)
            found = connection.execute(query).mappings().all()
            counts = _counts(connection, [row["id"] for row in found])
            return [rows.value(Project, row, counts=counts.get(row["id"], Counts())) for row in found]

    def update(
        self, id: str, *, name: str = KEEP, model: str | None = KEEP, settings: Json = KEEP
    ) -> Project:
        """Change what is given. Raises NotFound, InputError."""
        with self._database.writing() as connection:
            rows.lock(connection, projects, [id])
            row = rows.get(connection, projects, id, "project")
            changed = {
                "name": row["name"] if name is KEEP else name,
                "model": row["model"] if model is KEEP else model,
                "settings": row["settings"] if settings is KEEP else checks.plain_json(settings, "settings"),
            }
            _check(changed["name"], row["root"], changed["model"])
            connection.execute(update(projects).where(projects.c.id == id).values(**changed))
            return _read(connection, id)


def _check(name: str, root: str | None, model: str | None) -> None:
    checks.check_text(name, "name", 200)
    if root:
        checks.check_path(root)
    if model is not None:
        checks.check_text(model, "model", 1000)


def _read(connection: Connection, id: str) -> Project:
    row = rows.get(connection, projects, id, "project")
    return rows.value(Project, row, counts=_counts(connection, [id]).get(id, Counts()))


def _counts(connection: Connection, ids: Iterable[str]) -> dict[str, Counts]:
    query = (
        select(
            images.c.project_id,
            func.count(),
            func.sum(case((images.c.state.in_(LABELLED), 1), else_=0)),
            func.sum(case((images.c.state.in_(REVIEWED), 1), else_=0)),
            func.sum(images.c.masks),
        )
        .where(images.c.project_id.in_(list(ids)))
        .group_by(images.c.project_id)
    )
    return {row[0]: Counts(*(int(number) for number in row[1:])) for row in connection.execute(query)}
