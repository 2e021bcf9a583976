"""/projects/ID/snapshots: frozen versions of the data set."""

from __future__ import annotations

from fastapi import APIRouter

from anymask.store import NotFound, Snapshot
from anymask.studio.deps import Id, Person, ProjectHere, Reviewer, problems, project_of, unknown
from anymask.studio.exchange.schemas import NewSnapshot, SnapshotAnswer, SnapshotDetail, SnapshotsAnswer
from anymask.studio.services import Studio

router = APIRouter(tags=["snapshots"])


@router.get("/projects/{id}/snapshots", operation_id="list_snapshots", responses=problems())
def list_snapshots(project: ProjectHere, studio: Studio) -> SnapshotsAnswer:
    """A project's snapshots, the oldest first."""
    found = studio.store.snapshots.list(project.id)
    return SnapshotsAnswer(items=[SnapshotAnswer(**vars(one)) for one in found])


@router.post(
    "/projects/{id}/snapshots", operation_id="freeze_project", status_code=201, responses=problems(409)
)
def freeze_project(project: ProjectHere, who: Reviewer, asked: NewSnapshot, studio: Studio) -> SnapshotAnswer:
    """Freeze the present masks under a name; export it as often as you like, it stays the same."""
    frozen = studio.store.snapshots.freeze(project.id, asked.name, who.id, states=asked.states, id=asked.id)
    return SnapshotAnswer(**vars(frozen))


@router.get("/snapshots/{id}", operation_id="get_snapshot", responses=problems())
def get_snapshot(id: Id, who: Person, studio: Studio) -> SnapshotDetail:
    """One snapshot, its content checked against its checksum."""
    found = _snapshot(id, studio)
    project_of(found.project_id, studio, who)
    return SnapshotDetail(**vars(found), is_whole=studio.store.snapshots.verify(id))


def _snapshot(id: str, studio: Studio) -> Snapshot:
    try:
        return studio.store.snapshots.get(id)
    except NotFound:
        raise unknown() from None
