"""/projects/ID/assist: the model prefills, people fill the gaps."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from anymask.store import Conflict, Job, User
from anymask.studio.assist.assistant import KIND
from anymask.studio.assist.estimate import BY_MACHINE, estimate
from anymask.studio.assist.schemas import AssistAnswer, AssistJob, AssistRequest, job_json
from anymask.studio.deps import ProjectHere, Reviewer, image_of, problems, unknown
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["assist"])


@router.post("/projects/{id}/assist", operation_id="assist_project", status_code=202, responses=problems(409))
async def assist_project(
    project: ProjectHere, who: Reviewer, asked: AssistRequest, studio: Studio
) -> AssistJob:
    """Save the masks that the model is sure of, locked, on images that nobody has begun, and have people see
    those images first of which most is left.
    """
    job = await run_in_threadpool(_enqueued, project.id, who, asked, studio)
    studio.assistant.wake()
    return job_json(job)


@router.get("/projects/{id}/assist", operation_id="assist_progress", responses=problems())
def assist_progress(project: ProjectHere, studio: Studio) -> AssistAnswer:
    """How far the work is and how long it will take people."""
    figures = studio.store.statistics
    progress = figures.progress(project.id)
    people = figures.people(project.id)
    masks = sum(one.masks for one in people)
    pace = sum(one.seconds for one in people) / masks if masks else None
    left = estimate(progress.images, progress.by_source, pace)
    by_hand = sum(count for source, count in progress.by_source.items() if source not in BY_MACHINE)
    latest = next((job for job in studio.store.jobs.list(project.id) if job.kind == KIND), None)
    return AssistAnswer(
        job=None if latest is None else job_json(latest),
        images=dict(progress.images),
        left=left.left,
        confident=progress.by_source.get("everything", 0),
        by_hand=by_hand,
        by_hand_per_image=left.by_hand_per_image,
        seconds_per_mask=left.seconds_per_mask,
        seconds_left=left.seconds_left,
    )


def _enqueued(project_id: str, who: User, asked: AssistRequest, studio: StudioServices) -> Job:
    """Raises Conflict while the assistant is at work, Problem (404) for a label or image of another
    project.
    """
    at_work = studio.store.jobs.list(project_id, states=("waiting", "running"))
    if any(job.kind == KIND for job in at_work):
        raise Conflict("the assistant is at work in this project; wait until it is done, or stop it")
    if asked.label_id is not None:
        labels = {label.id for label in studio.store.labels.list(project_id)}
        if asked.label_id not in labels:
            raise unknown()
    for image in asked.images or ():
        if image_of(image, studio, who).project_id != project_id:
            raise unknown()
    return studio.store.jobs.enqueue(KIND, asked.model_dump(), project_id=project_id)
