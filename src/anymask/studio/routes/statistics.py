"""GET /projects/ID/statistics: how far a project is, and how fast."""

from __future__ import annotations

from fastapi import APIRouter

from anymask.studio.annotation.statistics import DayAnswer, PersonAnswer, StatisticsAnswer
from anymask.studio.deps import ProjectHere, problems
from anymask.studio.services import Studio

router = APIRouter(tags=["statistics"])


@router.get("/projects/{id}/statistics", operation_id="project_statistics", responses=problems())
def project_statistics(project: ProjectHere, studio: Studio) -> StatisticsAnswer:
    """Progress, seconds per mask of everybody by day, prompts per mask."""
    figures = studio.store.statistics
    progress = figures.progress(project.id)
    people = figures.people(project.id)
    masks = sum(one.masks for one in people)
    return StatisticsAnswer(
        images=dict(progress.images),
        masks=progress.masks,
        by_label=dict(progress.by_label),
        by_source=dict(progress.by_source),
        tasks=studio.store.tasks.counts(project.id),
        people=[
            PersonAnswer(
                **vars(one), seconds_per_mask=one.seconds_per_mask, prompts_per_mask=one.prompts_per_mask
            )
            for one in people
        ],
        days=[
            DayAnswer(**vars(one), seconds_per_mask=one.seconds_per_mask)
            for one in figures.seconds_per_mask(project.id)
        ],
        seconds_per_mask=sum(one.seconds for one in people) / masks if masks else None,
        prompts_per_mask=sum(one.prompts for one in people) / masks if masks else None,
    )
