"""Parameters that routes share: who asks, and what the address names, if that person may see it.

What somebody may not see is answered as what does not exist: 404 for both, so that ids tell nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Request

from anymask.server.problems import Problem
from anymask.server.schemas import ProblemAnswer
from anymask.store import Image, NotFound, Project, User
from anymask.studio.accounts.entry import Visitor
from anymask.studio.accounts.roles import has_role
from anymask.studio.services import Studio


@dataclass(frozen=True)
class Scene:
    """An image and the project that it belongs to."""

    image: Image
    project: Project


Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="an id: 32 hexadecimal digits")]


# What only looks at the request is `async`: FastAPI would have a thread begin and end for anything else.
async def visitor(request: Request) -> Visitor:
    """Who makes the request, a stranger too."""
    found = request.state.visitor
    assert isinstance(found, Visitor)
    return found


Caller = Annotated[Visitor, Depends(visitor)]


async def person(caller: Caller) -> User:
    """Who makes the request. Raises Problem (401) for a stranger."""
    if caller.user is None:
        raise Problem(401, "unauthorized", "nobody is logged in; log in first")
    return caller.user


Person = Annotated[User, Depends(person)]


async def reviewer(who: Person) -> User:
    """Who makes the request. Raises Problem (403) for annotators."""
    return _with_role(who, "reviewer")


async def admin(who: Person) -> User:
    """Who makes the request. Raises Problem (403) for all but administrators."""
    return _with_role(who, "admin")


Reviewer = Annotated[User, Depends(reviewer)]
Admin = Annotated[User, Depends(admin)]


def may_see(who: User, project: Project) -> bool:
    """Whether a project is a person's: administrators see all; a project may name its members."""
    members = project.settings.get("members")
    return has_role(who, "admin") or members is None or who.id in members


def project_of(project_id: str, studio: Studio, who: Person) -> Project:
    """A project that the person may see. Raises Problem (404)."""
    try:
        project = studio.store.projects.get(project_id, with_counts=False)
    except NotFound:
        raise unknown() from None
    if not may_see(who, project):
        raise unknown()
    studio.models.open_for(project)
    return project


def image_of(image_id: str, studio: Studio, who: Person) -> Image:
    """An image of a project that the person may see. Raises Problem (404)."""
    return scene_of(image_id, studio, who).image


def scene_of(image_id: str, studio: Studio, who: Person) -> Scene:
    """The same with its project."""
    try:
        image = studio.store.images.get(image_id)
    except NotFound:
        raise unknown() from None
    project = studio.store.projects.get(image.project_id, with_counts=False)
    if not may_see(who, project):
        raise unknown()
    studio.models.open_for(project)
    return Scene(image, project)


def unknown() -> Problem:
    """404 for what is not there or not this person's; the same words for both, whatever it is."""
    return Problem(404, "unknown", "there is nothing of this id here")


def _with_role(who: User, least: str) -> User:
    if not has_role(who, least):
        raise Problem(403, "forbidden", f"this is for the role {least}; yours is {who.role}")
    return who


def _project(id: Id, studio: Studio, who: Person) -> Project:
    return project_of(id, studio, who)


def _image(id: Id, studio: Studio, who: Person) -> Image:
    return image_of(id, studio, who)


def _scene(id: Id, studio: Studio, who: Person) -> Scene:
    return scene_of(id, studio, who)


ProjectHere = Annotated[Project, Depends(_project)]
"""The project that `{id}` of the address names."""
ImageHere = Annotated[Image, Depends(_image)]
"""The image that `{id}` of the address names."""
SceneHere = Annotated[Scene, Depends(_scene)]
"""The same with its project, read together."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: these statuses are answered with a problem, and those that always can be."""
    return {
        status: {
            "model": ProblemAnswer,
            "content": {"application/problem+json": {}},
            "description": "the detail says what was wrong",
        }
        for status in (400, 401, 403, 404, 408, 413, 422, 429, 503, *statuses)
    }
