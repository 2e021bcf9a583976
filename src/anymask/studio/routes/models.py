"""/projects/ID/models: which model answers, which did, and which might."""

from __future__ import annotations

import logging
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter
from pydantic import Field

from anymask.core.errors import ModelError
from anymask.predict.model import Model
from anymask.server.problems import Problem
from anymask.server.schemas import Answer, Request
from anymask.store import Project, RegisteredModel, User
from anymask.studio.deps import Admin, ProjectHere, problems
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["models"])
log = logging.getLogger("anymask.studio")
State = Literal["candidate", "current", "retired", "refused"]


class SwitchModel(Request):
    """Which model answers from now on."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ProjectModel(Answer):
    """A model of a project. is_open: ready to answer. created, switched: null for one that was never
    registered.
    """

    sha256: str
    name: str
    state: State
    is_open: bool
    created: str | None
    switched: str | None
    parent_sha256: str | None
    snapshot_id: str | None
    metrics: dict[str, Any]


class ProjectModels(Answer):
    """A project's models: registered ones first, the oldest first, then others that are open."""

    items: list[ProjectModel]
    next: None = None


@router.get("/projects/{id}/models", operation_id="list_models", responses=problems())
def list_models(project: ProjectHere, studio: Studio) -> ProjectModels:
    """The models that the project used, uses or may use."""
    return _listed(project, studio)


@router.post("/projects/{id}/models/switch", operation_id="switch_model", responses=problems(409))
def switch_model(project: ProjectHere, who: Admin, asked: SwitchModel, studio: Studio) -> ProjectModels:
    """Have another model answer from now on; masks stay as they are.

    The model at hand is registered, so that `revert` leads back to it.
    """
    registered = {one.sha256: one for one in studio.store.models.list(project.id)}
    wanted = registered.get(asked.sha256) or _registered(
        project, studio.model_by_sha256(asked.sha256), studio
    )
    try:
        studio.models.open(wanted.path)
    except ModelError as error:
        log.warning("model %s of project %s cannot be opened: %s", wanted.sha256, project.id, error)
        raise Problem(
            409, "unusable_model", "this model cannot be opened, the log says why; choose another"
        ) from error
    _keep_way_back(project, studio)
    studio.store.models.switch(project.id, wanted.sha256)
    return _told(project, who, studio)


@router.post("/projects/{id}/models/revert", operation_id="revert_model", responses=problems(409))
def revert_model(project: ProjectHere, who: Admin, studio: Studio) -> ProjectModels:
    """Go back to the model before; the one at hand is refused."""
    studio.store.models.revert(project.id)
    return _told(project, who, studio)


def _keep_way_back(project: Project, studio: StudioServices) -> None:
    if studio.store.models.current(project.id) is None:
        at_hand = _registered(project, studio.model_of(project), studio)
        studio.store.models.switch(project.id, at_hand.sha256)


def _registered(project: Project, model: Model, studio: StudioServices) -> RegisteredModel:
    name = model.spec.full_name
    return studio.store.models.register(project.id, model.sha256, name, name)


def _told(project: Project, who: User, studio: StudioServices) -> ProjectModels:
    changed = studio.store.projects.get(project.id, with_counts=False)
    studio.models.open_for(changed)
    answer = _listed(changed, studio)
    studio.store.events.add("model", {"model": changed.model}, project_id=project.id, user_id=who.id)
    studio.hub.tell(project.id, "project", {"id": project.id})
    return answer


def _listed(project: Project, studio: StudioServices) -> ProjectModels:
    used = studio.model_of(project).sha256
    opened = {model.sha256: model for model in studio.models}
    registered = studio.store.models.list(project.id)
    known = {one.sha256 for one in registered}
    items = [
        ProjectModel(
            sha256=one.sha256,
            name=one.name,
            state=cast(State, one.state),
            is_open=one.sha256 in opened,
            created=one.created,
            switched=one.switched,
            parent_sha256=one.parent_sha256,
            snapshot_id=one.snapshot_id,
            metrics=dict(one.metrics),
        )
        for one in registered
    ]
    items += [
        ProjectModel(
            sha256=sha256,
            name=model.spec.full_name,
            state="current" if sha256 == used else "candidate",
            is_open=True,
            created=None,
            switched=None,
            parent_sha256=None,
            snapshot_id=None,
            metrics={},
        )
        for sha256, model in opened.items()
        if sha256 not in known
    ]
    return ProjectModels(items=items)
