"""Jobs: long work that one worker at a time does, taken up by another if that one dies."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select, update

from anymask.core.errors import InputError
from anymask.store import checks, rows
from anymask.store.errors import Conflict, LeaseLost
from anymask.store.part import Part
from anymask.store.schema import jobs
from anymask.store.values import Job, Json

LEASE = timedelta(minutes=2)
_LONGEST_DETAIL = 10_000


class Jobs(Part):
    """`store.jobs`."""

    def enqueue(
        self,
        kind: str,
        arguments: Json | None = None,
        *,
        project_id: str | None = None,
        id: str | None = None,
    ) -> Job:
        """Have something done; as `enqueue_many` of one."""
        return self.enqueue_many(kind, [arguments or {}], project_id=project_id, ids=[id] if id else None)[0]

    def enqueue_many(
        self,
        kind: str,
        arguments: Collection[Json],
        *,
        project_id: str | None = None,
        ids: Collection[str] | None = None,
    ) -> list[Job]:
        """Have several things of one kind done. Returns them in the order given. Raises InputError."""
        checks.check_text(kind, "kind", 64)
        ids = ids or [checks.new_id() for _ in arguments]
        for id in ids:
            checks.check_id(id, "id")
        now = self._database.now()
        common = {"project_id": project_id, "kind": kind, "state": "waiting", "progress": 0.0, "detail": ""}
        new = [
            {"id": id, "arguments": checks.plain_json(given, "arguments"), "created": now, "updated": now}
            for id, given in zip(ids, arguments, strict=True)
        ]
        with self._database.writing() as connection:
            if new:
                connection.execute(insert(jobs), [{**common, **row} for row in new])
            return [_read(connection, str(row["id"])) for row in new]

    def claim(self, worker: str, kinds: Collection[str] | None = None, most: int = 1) -> list[Job]:
        """Take up to `most` jobs for two minutes, oldest first; `progress` makes it longer.

        worker: a name nobody else has. kinds: of these alone. A job whose worker was silent for longer than
        its lease is given again. Returns none if there is nothing to do. Raises InputError.
        """
        checks.check_text(worker, "worker", 200)
        checks.check_whole(most, "most", 1, 1000)
        now = self._database.now()
        is_free = or_(jobs.c.state == "waiting", and_(jobs.c.state == "running", jobs.c.lease_until <= now))
        query = select(jobs.c.id).where(is_free)
        if kinds is not None:
            query = query.where(jobs.c.kind.in_(list(kinds)))
        query = query.order_by(jobs.c.created, jobs.c.id).limit(most).with_for_update(skip_locked=True)
        taken = {
            "state": "running",
            "worker": worker,
            "lease_until": self._database.now(LEASE),
            "updated": now,
        }
        with self._database.writing() as connection:
            ids = list(connection.execute(query).scalars())
            if ids:
                connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(**taken))
            return [_read(connection, id) for id in ids]

    def progress(self, id: str, worker: str, fraction: float, detail: str = "") -> Job:
        """Say how far it is, 0 to 1, and go on holding it.

        Raises LeaseLost if another worker has it or it was stopped; NotFound, InputError.
        """
        return self._change(id, worker, _detail(detail), progress=_fraction(fraction))

    def finish(self, id: str, worker: str, detail: str = "") -> Job:
        """It is done. Raises as `progress`."""
        return self._change(id, worker, _detail(detail), state="done", progress=1.0)

    def fail(self, id: str, worker: str, detail: str) -> Job:
        """It cannot be done; `detail` says why. Raises as `progress`."""
        return self._change(id, worker, _detail(detail), state="failed")

    def stop(self, id: str) -> Job:
        """Do not begin it, or have its worker stop at its next sign of life.

        Raises NotFound; Conflict if it is over already.
        """
        with self._database.writing() as connection:
            job = _locked(connection, id)
            if job.state not in ("waiting", "running"):
                raise Conflict(f"the job is over ({job.state}); there is nothing to stop")
            stopped = {"state": "stopped", "lease_until": None, "updated": self._database.now()}
            connection.execute(update(jobs).where(jobs.c.id == id).values(**stopped))
            return _read(connection, id)

    def get(self, id: str) -> Job:
        """Raises NotFound."""
        with self._database.reading() as connection:
            return _read(connection, id)

    def list(self, project_id: str | None = None, *, states: Collection[str] | None = None) -> list[Job]:
        """Jobs of a project, or all, newest first; in these states alone."""
        query = select(jobs).order_by(jobs.c.created.desc(), jobs.c.id)
        if project_id is not None:
            query = query.where(jobs.c.project_id == project_id)
        if states is not None:
            query = query.where(jobs.c.state.in_(list(states)))
        with self._database.reading() as connection:
            return [rows.value(Job, row) for row in connection.execute(query).mappings()]

    def _change(self, id: str, worker: str, detail: str, **changed: Any) -> Job:
        over = "state" in changed
        changed |= {"detail": detail, "updated": self._database.now()}
        changed["lease_until"] = None if over else self._database.now(LEASE)
        with self._database.writing() as connection:
            job = _locked(connection, id)
            if job.state != "running" or job.worker != worker:
                raise LeaseLost(f"the job is {job.state}, and not this worker's any more; leave it")
            connection.execute(update(jobs).where(jobs.c.id == id).values(**changed))
            return _read(connection, id)


def _detail(detail: str) -> str:
    if not isinstance(detail, str):
        raise InputError(f"detail is {checks.brief(detail)}; expected text")
    return detail[:_LONGEST_DETAIL].replace("\0", "")


def _fraction(fraction: float) -> float:
    checks.check_number(fraction, "fraction", 0)
    if fraction > 1:
        raise InputError(f"fraction is {fraction}; expected a number from 0 to 1")
    return float(fraction)


def _locked(connection: Connection, id: str) -> Job:
    rows.lock(connection, jobs, [id])
    return _read(connection, id)


def _read(connection: Connection, id: str) -> Job:
    return rows.value(Job, rows.get(connection, jobs, id, "job"))
