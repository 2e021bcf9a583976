"""/projects: what is labelled together, with one set of labels, tasks and one model."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, JsonValue

from anymask.server.schemas import Answer, Request
from anymask.store import Project
from anymask.studio.deps import Person, ProjectHere, may_see, problems
from anymask.studio.prompting.schemas import Id
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["projects"])
Name = Annotated[str, Field(min_length=1, max_length=200)]
Settings = Annotated[dict[Annotated[str, Field(max_length=60)], JsonValue], Field(max_length=50)]


class ProjectCounts(Answer):
    """Pictures in all, with masks, reviewed; and masks."""

    images: int
    labelled: int
    reviewed: int
    masks: int


class ProjectAnswer(Answer):
    """A project. root: its folder in the workspace, or null if it holds uploads alone."""

    id: str
    name: str
    root: str | None
    model: str
    settings: dict[str, Any]
    created: str
    counts: ProjectCounts


class ProjectsAnswer(Answer):
    """Projects that the caller may see."""

    items: list[ProjectAnswer]
    next: str | None = None


class ProjectRequest(Request):
    """A new project. id: made by the client; the same id with the same content again is no error."""

    id: Id
    name: Name
    root: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    model: Annotated[str, Field(max_length=100)] | None = None
    settings: Settings = {}


class ProjectChange(Request):
    """What is not given stays as it is."""

    name: Name | None = None
    model: Annotated[str, Field(max_length=100)] | None = None
    settings: Settings | None = None


@router.get("/projects", operation_id="list_projects", responses=problems())
def list_projects(studio: Studio, who: Person) -> ProjectsAnswer:
    """The projects that the caller may see."""
    found = [project for project in studio.store.projects.list() if may_see(who, project)]
    return ProjectsAnswer(items=[_answer(project, studio) for project in found])


@router.get("/projects/{id}", operation_id="get_project", responses=problems())
def get_project(project: ProjectHere, studio: Studio) -> ProjectAnswer:
    """One project."""
    return _answer(project, studio)


def _answer(project: Project, studio: StudioServices) -> ProjectAnswer:
    counts = project.counts
    return ProjectAnswer(
        id=project.id,
        name=project.name,
        root=project.root,
        model=studio.model_of(project).spec.name,
        settings=dict(project.settings),
        created=project.created,
        counts=ProjectCounts(
            images=counts.images, labelled=counts.labelled, reviewed=counts.reviewed, masks=counts.masks
        ),
    )
