"""Models: what a project's pictures are segmented with, what it was before, and what might come next."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from anymask.store import checks, rows
from anymask.store.errors import Conflict, NotFound
from anymask.store.part import Part
from anymask.store.schema import models, projects, snapshots
from anymask.store.values import Json, RegisteredModel


class Models(Part):
    """`store.models`."""

    def register(
        self,
        project_id: str,
        sha256: str,
        name: str,
        path: str,
        *,
        parent_sha256: str | None = None,
        metrics: Json | None = None,
        snapshot_id: str | None = None,
    ) -> RegisteredModel:
        """Make a model known to a project, as a candidate; one that is known already stays as it is.

        Raises NotFound (project, snapshot), InputError.
        """
        checks.check_sha256(sha256, "sha256")
        checks.check_text(name, "name", 200)
        checks.check_text(path, "path", 4000)
        if parent_sha256 is not None:
            checks.check_sha256(parent_sha256, "parent_sha256")
        row = {"project_id": project_id, "sha256": sha256, "name": name, "path": path}
        with self._database.writing() as connection:
            _lock(connection, project_id)
            known = _find(connection, project_id, sha256)
            if known is not None:
                return rows.value(RegisteredModel, known)
            if snapshot_id is not None:
                rows.get(connection, snapshots, snapshot_id, "snapshot")
            connection.execute(
                insert(models).values(
                    **row,
                    parent_sha256=parent_sha256,
                    metrics=checks.plain_json(metrics or {}, "metrics"),
                    snapshot_id=snapshot_id,
                    state="candidate",
                    created=self._database.now(),
                )
            )
            return rows.value(RegisteredModel, _get(connection, project_id, sha256))

    def current(self, project_id: str) -> RegisteredModel | None:
        """The one in use, if it is a registered one."""
        with self._database.reading() as connection:
            row = _current(connection, project_id)
            return None if row is None else rows.value(RegisteredModel, row)

    def list(self, project_id: str) -> list[RegisteredModel]:
        """A project's models, oldest first."""
        query = select(models).where(models.c.project_id == project_id)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(models.c.created, models.c.sha256)).mappings()
            return [rows.value(RegisteredModel, row) for row in found]

    def switch(self, project_id: str, sha256: str) -> RegisteredModel:
        """Use this model from now on: the project's `model` becomes its path; the one in use is retired.

        Register the model in use before, if `revert` is to lead back to it. Raises NotFound.
        """
        with self._database.writing() as connection:
            _lock(connection, project_id)
            row = _get(connection, project_id, sha256)
            before = _current(connection, project_id)
            if before is not None and before["sha256"] != sha256:
                _set(connection, before, state="retired")
            return self._use(connection, row)

    def revert(self, project_id: str) -> RegisteredModel | None:
        """Go back to the model that was in use before; the one in use is refused.

        Returns the model that is in use again; None if there was none before, which leaves the default.
        Raises Conflict if no registered model is in use.
        """
        with self._database.writing() as connection:
            _lock(connection, project_id)
            now_used = _current(connection, project_id)
            if now_used is None:
                raise Conflict("the project uses no registered model; there is nothing to go back from")
            _set(connection, now_used, state="refused")
            retired = select(models).where(models.c.project_id == project_id, models.c.state == "retired")
            order = (models.c.switched.desc(), models.c.created.desc(), models.c.sha256)
            before = connection.execute(retired.order_by(*order).limit(1)).mappings().first()
            if before is None:
                connection.execute(update(projects).where(projects.c.id == project_id).values(model=None))
                return None
            return self._use(connection, before)

    def refuse(self, project_id: str, sha256: str) -> RegisteredModel:
        """Note that a candidate is not to be used. Raises NotFound, Conflict (it is in use)."""
        with self._database.writing() as connection:
            _lock(connection, project_id)
            row = _get(connection, project_id, sha256)
            if row["state"] == "current":
                raise Conflict("this model is in use; switch to another one or revert first")
            return _set(connection, row, state="refused")

    def _use(self, connection: Connection, row: RowMapping) -> RegisteredModel:
        used = update(projects).where(projects.c.id == row["project_id"]).values(model=row["path"])
        connection.execute(used)
        return _set(connection, row, state="current", switched=self._database.now())


def _lock(connection: Connection, project_id: str) -> None:
    """One change of a project's models at a time."""
    rows.get(connection, projects, project_id, "project")
    rows.lock(connection, projects, [project_id])


def _find(connection: Connection, project_id: str, sha256: str) -> RowMapping | None:
    query = select(models).where(models.c.project_id == project_id, models.c.sha256 == sha256)
    return connection.execute(query).mappings().first()


def _current(connection: Connection, project_id: str) -> RowMapping | None:
    query = select(models).where(models.c.project_id == project_id, models.c.state == "current")
    return connection.execute(query).mappings().first()


def _get(connection: Connection, project_id: str, sha256: str) -> RowMapping:
    row = _find(connection, project_id, sha256)
    if row is None:
        raise NotFound(f"the project has no model {checks.brief(sha256)}; register it first")
    return row


def _set(connection: Connection, row: RowMapping, **changed: Any) -> RegisteredModel:
    mine = (models.c.project_id == row["project_id"]) & (models.c.sha256 == row["sha256"])
    connection.execute(update(models).where(mine).values(**changed))
    return rows.value(RegisteredModel, _get(connection, row["project_id"], row["sha256"]))
