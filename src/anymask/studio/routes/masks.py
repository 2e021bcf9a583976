"""/images/ID/masks and /objects/ID/history: what people keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from anymask.core.rle import Rle
from anymask.server.problems import MEDIA_TYPE, one_line
from anymask.store import Conflict, Image, Mask, NewMask, NotFound, User
from anymask.studio.annotation.schemas import ConflictAnswer, MasksAnswer, SaveMasks
from anymask.studio.annotation.schemas import NewMask as SentMask
from anymask.studio.deps import Id, ImageHere, Person, image_of, problems, unknown
from anymask.studio.live.hub import Hub
from anymask.studio.services import Studio

router = APIRouter(tags=["masks"])
_TOLD_SINGLY = 16


@router.get("/images/{id}/masks", operation_id="list_masks", response_model=MasksAnswer, responses=problems())
def list_masks(
    image: ImageHere,
    studio: Studio,
    deleted: Annotated[bool, Query(description="also objects that were taken away")] = False,
) -> Response:
    """The present mask of every object of an image, the lowest first."""
    return _masks(studio.store.masks.heads(image.id, deleted=deleted))


@router.post(
    "/images/{id}/masks",
    operation_id="save_masks",
    status_code=201,
    response_model=MasksAnswer,
    responses={**problems(), 409: {"model": ConflictAnswer, "description": "somebody else was faster"}},
)
async def save_masks(image: ImageHere, who: Person, asked: SaveMasks, studio: Studio) -> Response:
    """Append rows, all of them or none.

    A row whose parent is no longer its object's present mask is a conflict (409); the answer holds that mask.
    """
    rows = [_row(mask, image, who) for mask in asked.masks]
    try:
        saved = await run_in_threadpool(studio.store.masks.save_many, rows)
    except Conflict as conflict:
        return _conflict(conflict, image)
    _tell(studio.hub, image, saved)
    return _masks(saved, status=201)


@router.get(
    "/objects/{id}/history", operation_id="object_history", response_model=MasksAnswer, responses=problems()
)
def object_history(id: Id, who: Person, studio: Studio) -> Response:
    """All rows of an object, oldest first."""
    try:
        rows = studio.store.masks.history(id)
    except NotFound:
        raise unknown() from None
    image_of(rows[0].image_id, studio, who)
    return _masks(rows)


def mask_json(mask: Mask) -> dict[str, Any]:
    """`MaskAnswer` in JSON."""
    return {
        "id": mask.id,
        "image_id": mask.image_id,
        "object_id": mask.object_id,
        "parent_id": mask.parent_id,
        "author_id": mask.author_id,
        "created": mask.created,
        "rle": {"size": [mask.height, mask.width], "counts": mask.counts},
        "bbox": list(mask.bbox),
        "area": mask.area,
        "score": mask.score,
        "stability": mask.stability,
        "label_id": mask.label_id,
        "attributes": dict(mask.attributes),
        "position": mask.position,
        "deleted": mask.deleted,
        "source": mask.source,
        "model_sha256": mask.model_sha256,
        "prompts": list(mask.prompts),
        "seconds": mask.seconds,
        "locked": mask.locked,
    }


def _tell(hub: Hub, image: Image, saved: Sequence[Mask]) -> None:
    """One event for each object, or, of many, for the first alone: slow listeners must not drown in them."""
    told = saved if len(saved) <= _TOLD_SINGLY else saved[:1]
    for mask in told:
        detail = {
            "image_id": image.id,
            "object_id": mask.object_id,
            "id": mask.id,
            "deleted": mask.deleted,
            "author_id": mask.author_id,
            "more": len(saved) - len(told),
        }
        hub.tell(image.project_id, "mask", detail)


def _masks(masks: Sequence[Mask], status: int = 200) -> JSONResponse:
    return JSONResponse({"items": [mask_json(mask) for mask in masks], "next": None}, status)


def _row(sent: SentMask, image: Image, who: User) -> NewMask:
    """The row that a sent mask means. Raises FormatError for a damaged mask."""
    return NewMask(
        id=sent.id,
        image_id=image.id,
        object_id=sent.object_id,
        rle=Rle((sent.rle.size[0], sent.rle.size[1]), sent.rle.counts),
        parent_id=sent.parent_id,
        author_id=who.id,
        score=sent.score,
        stability=sent.stability,
        label_id=sent.label_id,
        attributes=sent.attributes,
        position=sent.position,
        deleted=sent.deleted,
        source=sent.source,
        model_sha256=sent.model_sha256,
        prompts=sent.prompts,
        seconds=sent.seconds,
        locked=sent.locked,
    )


def _conflict(conflict: Conflict, image: Image) -> JSONResponse:
    body = {"title": "Conflict", "status": 409, "code": "conflict", "detail": one_line(str(conflict))}
    # An object's id that was made up may be one of another image, and of people whom the caller must not see.
    head = conflict.head
    shown = mask_json(head) if head is not None and head.image_id == image.id else None
    return JSONResponse({**body, "head": shown}, 409, media_type=MEDIA_TYPE)
