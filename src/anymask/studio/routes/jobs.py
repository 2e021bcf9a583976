"""Jobs: long work in the background, watched and stopped."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from anymask.server.schemas import Answer
from anymask.store import Job, NotFound, User
from anymask.studio.deps import Id, Person, ProjectHere, Reviewer, problems, project_of, unknown
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["jobs"])


class JobAnswer(Answer):
    """A piece of work. progress: 0 to 1. detail: one line, of what is being done or went wrong."""

    id: str
    project_id: str | None
    kind: str
    state: Literal["waiting", "running", "done", "failed", "stopped"]
    progress: float
    detail: str
    created: str
    updated: str


class JobsAnswer(Answer):
    """A project's jobs, the newest first."""

    items: list[JobAnswer]
    next: None = None


@router.get("/projects/{id}/jobs", operation_id="list_jobs", responses=problems())
def list_jobs(project: ProjectHere, studio: Studio) -> JobsAnswer:
    """A project's jobs."""
    return JobsAnswer(items=[_answer(job) for job in studio.store.jobs.list(project.id)])


@router.get("/jobs/{id}", operation_id="get_job", responses=problems())
def get_job(id: Id, studio: Studio, who: Person) -> JobAnswer:
    """One job."""
    return _answer(_job(id, studio, who))


@router.post("/jobs/{id}/stop", operation_id="stop_job", responses=problems(409))
def stop_job(id: Id, studio: Studio, who: Reviewer) -> JobAnswer:
    """Stop a job, as soon as it notices; what it has done stays."""
    job = _job(id, studio, who)
    return _answer(studio.store.jobs.stop(job.id))


def _job(id: str, studio: StudioServices, who: User) -> Job:
    """A job of a project that the person may see. Raises Problem (404)."""
    try:
        job = studio.store.jobs.get(id)
    except NotFound:
        raise unknown() from None
    if job.project_id is None:
        if who.role != "admin":
            raise unknown()
    else:
        project_of(job.project_id, studio, who)
    return job


def _answer(job: Job) -> JobAnswer:
    return JobAnswer.model_validate(
        {
            "id": job.id,
            "project_id": job.project_id,
            "kind": job.kind,
            "state": job.state,
            "progress": job.progress,
            "detail": job.detail,
            "created": job.created,
            "updated": job.updated,
        }
    )
