"""/projects/ID/labels and /labels/ID: the classes of objects."""

from __future__ import annotations

from uuid import uuid4

from fastapi import APIRouter

from anymask.store import Label, NotFound, Project, User
from anymask.studio.annotation.schemas import (
    AttributeField,
    LabelAnswer,
    LabelChange,
    LabelsAnswer,
    MergeLabel,
    NewLabel,
)
from anymask.studio.deps import Id, ProjectHere, Reviewer, problems, project_of, unknown
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["labels"])


@router.get("/projects/{id}/labels", operation_id="list_labels", responses=problems())
def list_labels(project: ProjectHere, studio: Studio) -> LabelsAnswer:
    """A project's labels, also archived ones, in their order."""
    return LabelsAnswer(items=[_answer(label) for label in studio.store.labels.list(project.id)])


@router.post("/projects/{id}/labels", operation_id="create_label", status_code=201, responses=problems(409))
def create_label(project: ProjectHere, who: Reviewer, asked: NewLabel, studio: Studio) -> LabelAnswer:
    """A new label; its place is after the others."""
    label = studio.store.labels.create(
        project.id,
        asked.name,
        id=asked.id or uuid4().hex,
        colour=asked.colour,
        hotkey=asked.hotkey,
        attributes=[field.model_dump() for field in asked.attributes],
    )
    return _told(label, studio)


@router.patch("/labels/{id}", operation_id="change_label", responses=problems(409))
def change_label(id: Id, who: Reviewer, asked: LabelChange, studio: Studio) -> LabelAnswer:
    """Rename, recolour, reorder, archive, or ask for other attributes. Masks keep their label."""
    label, _ = _label(id, who, studio)
    changes = asked.model_dump(exclude_none=True)
    if "hotkey" in changes:
        changes["hotkey"] = changes["hotkey"] or None
    return _told(studio.store.labels.update(label.id, **changes), studio)


@router.post("/labels/{id}/merge", operation_id="merge_label", responses=problems(409))
def merge_label(id: Id, who: Reviewer, asked: MergeLabel, studio: Studio) -> LabelAnswer:
    """Give all objects of this label another one and archive it. Answers the other one."""
    label, project = _label(id, who, studio)
    into, other = _label(asked.into, who, studio)
    if other.id != project.id:
        raise unknown()
    return _told(studio.store.labels.merge(label.id, into.id, author_id=who.id), studio)


def _label(label_id: str, who: User, studio: StudioServices) -> tuple[Label, Project]:
    """A label, and its project, that the person may see. Raises Problem (404)."""
    try:
        label = studio.store.labels.get(label_id)
    except NotFound:
        raise unknown() from None
    return label, project_of(label.project_id, studio, who)


def _told(label: Label, studio: StudioServices) -> LabelAnswer:
    studio.hub.tell(label.project_id, "label", {"id": label.id})
    return _answer(label)


def _answer(label: Label) -> LabelAnswer:
    return LabelAnswer(
        id=label.id,
        project_id=label.project_id,
        name=label.name,
        colour=label.colour,
        hotkey=label.hotkey,
        attributes=[AttributeField(**field) for field in label.attributes],
        position=label.position,
        archived=label.archived,
    )
