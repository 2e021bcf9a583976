"""Tasks: who works on which picture; one person at a time holds a picture's lease."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from anymask.server.problems import Problem
from anymask.server.schemas import Answer, Request
from anymask.store import NotFound, Task, User
from anymask.studio.accounts.roles import has_role
from anymask.studio.deps import Id as IdHere
from anymask.studio.deps import Person, ProjectHere, image_of, problems, project_of, unknown
from anymask.studio.prompting.schemas import Id, Seconds
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["tasks"])
Kind = Literal["label", "review"]


class NextTask(Request):
    """image: to work on this one, whatever the queue says."""

    kind: Kind = "label"
    image: Id | None = None


class Lease(Request):
    """lease_token: what `next` gave. seconds: time spent on it since the last time this was told."""

    lease_token: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    seconds: Seconds = 0.0


class TaskAnswer(Answer):
    """A task. lease_token: proof of holding it, null once it is given back. lease_until: when that ends."""

    id: str
    project_id: str
    image_id: str
    kind: Kind
    state: Literal["open", "claimed", "done", "skipped"]
    lease_token: str | None
    lease_until: str | None
    seconds: float


class NextAnswer(Answer):
    """task: null if nothing is left to do. left: tasks of this kind that are open."""

    task: TaskAnswer | None
    left: int


@router.post("/projects/{id}/tasks/next", operation_id="next_task", responses=problems(409))
def next_task(project: ProjectHere, asked: NextTask, studio: Studio, who: Person) -> NextAnswer:
    """Take the next picture that nobody works on, or a certain one (409 while somebody else does)."""
    if asked.kind == "review" and not has_role(who, "reviewer"):
        raise Problem(403, "forbidden", f"reviews are for reviewers; your role is {who.role}")
    if asked.image is not None and image_of(asked.image, studio, who).project_id != project.id:
        raise unknown()
    task = studio.store.tasks.claim(project.id, who.id, asked.kind, asked.image)
    if task is None and asked.image is not None:
        raise Problem(409, "lease_held", "somebody else works on this picture; choose another")
    left = studio.store.tasks.counts(project.id, asked.kind)["open"]
    return NextAnswer(task=None if task is None else _answer(task), left=left)


@router.post("/tasks/{id}/renew", operation_id="renew_task", responses=problems(409))
def renew_task(id: IdHere, lease: Lease, studio: Studio, who: Person) -> TaskAnswer:
    """Hold a task for ten more minutes (409 if somebody else has it by now)."""
    _check(id, studio, who)
    return _answer(studio.store.tasks.renew(id, lease.lease_token))


@router.post("/tasks/{id}/finish", operation_id="finish_task", responses=problems(409))
async def finish_task(id: IdHere, lease: Lease, studio: Studio, who: Person) -> TaskAnswer:
    """The picture is done."""
    return await _ended(id, lease, studio, who, studio.store.tasks.finish)


@router.post("/tasks/{id}/skip", operation_id="skip_task", responses=problems(409))
async def skip_task(id: IdHere, lease: Lease, studio: Studio, who: Person) -> TaskAnswer:
    """Leave the picture; nobody is given it any more."""
    return await _ended(id, lease, studio, who, studio.store.tasks.skip)


@router.post("/tasks/{id}/release", operation_id="release_task", responses=problems(409))
async def release_task(id: IdHere, lease: Lease, studio: Studio, who: Person) -> TaskAnswer:
    """Give the picture back for others to take."""
    return await _ended(id, lease, studio, who, studio.store.tasks.release)


async def _ended(
    id: str, lease: Lease, studio: StudioServices, who: User, end: Callable[[str, str, float], Task]
) -> TaskAnswer:
    def work() -> Task:
        _check(id, studio, who)
        return end(id, lease.lease_token, lease.seconds)

    task = await run_in_threadpool(work)
    studio.hub.tell(task.project_id, "task", {"id": task.id, "image_id": task.image_id, "state": task.state})
    studio.hub.tell(task.project_id, "image", {"image_id": task.image_id})
    return _answer(task)


def _check(id: str, studio: StudioServices, who: User) -> None:
    """Raise Problem (404) for a task of a project that the person may not see."""
    try:
        project_of(studio.store.tasks.get(id).project_id, studio, who)
    except NotFound:
        raise unknown() from None


def _answer(task: Task) -> TaskAnswer:
    return TaskAnswer.model_validate(
        {
            "id": task.id,
            "project_id": task.project_id,
            "image_id": task.image_id,
            "kind": task.kind,
            "state": task.state,
            "lease_token": task.lease_token,
            "lease_until": task.lease_until,
            "seconds": task.seconds,
        }
    )
