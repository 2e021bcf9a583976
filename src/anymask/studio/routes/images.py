"""/images: the gallery's pages, pictures as browsers show them, thumbnails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BeforeValidator, Field

from anymask.server.schemas import Answer
from anymask.server.schemas import Request as Body
from anymask.store import GalleryImage, Image
from anymask.studio.deps import Admin, ImageHere, ProjectHere, Reviewer, problems
from anymask.studio.renditions import Rendition
from anymask.studio.services import Studio

router = APIRouter(tags=["images"])
State = Literal["new", "in_progress", "done", "accepted", "rejected"]
Order = Literal["name", "-name", "added", "-added", "path", "-path", "masks", "-masks", "updated", "-updated"]
Text = Annotated[str | None, Query(max_length=200)]
ThumbnailSize = Annotated[Literal[128, 256, 512], BeforeValidator(lambda text: int(text))]
"""A choice among numbers; a query holds text, which no choice would take."""
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
}


class ImageAnswer(Answer):
    """A picture. width, height: upright, pixels. sha256: of the file. masks: how many objects.

    updated: when its masks, tasks or reviews last changed.
    """

    id: str
    project_id: str
    name: str
    path: str
    sha256: str
    width: int
    height: int
    bytes: int
    added: str
    state: State
    masks: int
    gold: bool
    split: str | None
    group: str | None
    frame: int | None
    updated: str


class GalleryImageAnswer(ImageAnswer):
    """A picture of the gallery. labels: ids of its masks' labels. assignee: who works on it now, a name."""

    labels: list[str]
    assignee: str | None


class ImagesAnswer(Answer):
    """A page of the gallery. next: the cursor of the one after it."""

    items: list[GalleryImageAnswer]
    next: str | None


class ImageChange(Body):
    """What is not given stays as it is. group: pictures of one patient, scene or film."""

    gold: bool = False
    split: Literal["train", "val", "test"] | None = None
    group: Annotated[str, Field(min_length=1, max_length=200)] | None = None


@router.get("/projects/{id}/images", operation_id="list_images", responses=problems())
def list_images(
    project: ProjectHere,
    studio: Studio,
    search: Text = None,
    state: State | None = None,
    label: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
    order: Order = "name",
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ImagesAnswer:
    """A page of a project's pictures."""
    page = studio.store.images.page(
        project.id, search=search or "", state=state, label=label, order=order, cursor=cursor, limit=limit
    )
    return ImagesAnswer(items=[_gallery(item) for item in page.items], next=page.next)


@router.patch("/images/{id}", operation_id="change_image", responses=problems())
def change_image(image: ImageHere, change: ImageChange, studio: Studio, who: Reviewer) -> ImageAnswer:
    """Say what a picture is for."""
    given = change.model_dump(exclude_unset=True)
    if "group" in given:
        given["group_key"] = given.pop("group")
    return ImageAnswer(**_facts(studio.store.images.update(image.id, **given)))


@router.get("/images/{id}", operation_id="get_image", responses=problems())
def get_image(image: ImageHere) -> ImageAnswer:
    """One picture."""
    return ImageAnswer(**_facts(image))


@router.delete("/images/{id}", operation_id="purge_image", status_code=204, responses=problems())
async def purge_image(image: ImageHere, studio: Studio, who: Admin) -> None:
    """Remove a picture and all that was ever known of it; an upload's file, too.

    For pictures that must not be kept. The file of a picture that lies in the folder stays: while it is
    there, the next look through the folder finds it again.
    """
    await run_in_threadpool(studio.purge, image)
    studio.pictures.forget(image.id)
    studio.hub.tell(image.project_id, "image", {"image_id": image.id, "removed": True})


@router.get(
    "/images/{id}/file", operation_id="get_file", response_class=Response, responses=problems() | _PICTURE
)
def get_file(image: ImageHere, studio: Studio, request: Request) -> Response:
    """The picture as every browser shows it: upright, 8 bits, RGB."""
    return _picture(request, f"{image.sha256}.full", lambda: studio.renditions.full(image))


@router.get(
    "/images/{id}/thumbnail",
    operation_id="get_thumbnail",
    response_class=Response,
    responses=problems() | _PICTURE,
)
def get_thumbnail(image: ImageHere, studio: Studio, request: Request, size: ThumbnailSize = 256) -> Response:
    """The picture scaled down so that its long side has `size` pixels."""
    return _picture(request, f"{image.sha256}.{size}", lambda: studio.renditions.thumbnail(image, size))


def _picture(request: Request, tag: str, make: Callable[[], Rendition]) -> Response:
    """A picture, or 304 where the browser has it: a file's content never changes under the same SHA-256."""
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, max-age=86400"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    made = make()
    return Response(made.data, media_type=made.media_type, headers=headers)


def _gallery(item: GalleryImage) -> GalleryImageAnswer:
    return GalleryImageAnswer(**_facts(item.image), labels=list(item.labels), assignee=item.assignee)


def _facts(image: Image) -> dict[str, Any]:
    return {
        "id": image.id,
        "project_id": image.project_id,
        "name": image.name,
        "path": image.path,
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
        "bytes": image.bytes,
        "added": image.added,
        "state": image.state,
        "masks": image.masks,
        "gold": image.gold,
        "split": image.split,
        "group": image.group_key,
        "frame": image.frame,
        "updated": image.updated,
    }
