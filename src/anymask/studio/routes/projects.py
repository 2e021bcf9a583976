"""/projects: what is labelled together, with one set of labels, tasks and one model."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter
from pydantic import Field, JsonValue

from anymask.server.problems import Problem
from anymask.server.schemas import Answer, Request
from anymask.store import NotFound, Project
from anymask.studio.deps import Admin, Person, ProjectHere, may_see, problems
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
    """A new project. id: made by the client, so that asking again makes no second one.

    root: a folder of the workspace, "" for all of it; without one the project holds uploads alone.
    """

    id: Id | None = None
    name: Name
    root: Annotated[str, Field(max_length=1000)] | None = None
    model: Annotated[str, Field(max_length=100)] | None = None
    settings: Settings = Field(default_factory=dict)


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
    return _answer(studio.store.projects.get(project.id), studio)


@router.post("/projects", operation_id="create_project", status_code=201, responses=problems(409))
def create_project(asked: ProjectRequest, studio: Studio, who: Admin) -> ProjectAnswer:
    """Make a project; its folder is looked through in the background."""
    id = asked.id or uuid4().hex
    with suppress(NotFound):
        return _answer(_same(studio.store.projects.get(id), asked), studio)
    _check_model(asked.model, studio)
    _check_members(asked.settings)
    if asked.root:
        studio.workspace.folder(asked.root)
    project = studio.store.projects.create(
        asked.name, root=asked.root, model=asked.model, settings=asked.settings, id=id
    )
    if project.root is not None:
        studio.scanner.start(project)
    return _answer(project, studio)


@router.patch("/projects/{id}", operation_id="change_project", responses=problems())
def change_project(project: ProjectHere, change: ProjectChange, studio: Studio, who: Admin) -> ProjectAnswer:
    """Change a project's name, model or settings; settings as a whole."""
    given = {name: value for name, value in change if name in change.model_fields_set}
    for name in ("name", "settings"):
        if name in given and given[name] is None:
            raise Problem(422, "invalid", f"{name} cannot be null; leave it out to keep it")
    _check_model(given.get("model"), studio)
    _check_members(given.get("settings"))
    return _answer(studio.store.projects.update(project.id, **given), studio)


def _same(project: Project, asked: ProjectRequest) -> Project:
    if (project.name, project.root) != (asked.name, asked.root):
        raise Problem(409, "conflict", "there is another project of this id; make a new id")
    return project


def _check_model(name: str | None, studio: StudioServices) -> None:
    if name is not None:
        studio.served.shelf.named(name)


def _check_members(settings: dict[str, Any] | None) -> None:
    members = (settings or {}).get("members")
    is_list = isinstance(members, list) and all(isinstance(member, str) for member in members)
    if members is not None and not is_list:
        raise Problem(422, "invalid", "settings.members is not a list of people's ids; null lets all in")


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
