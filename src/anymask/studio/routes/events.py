"""/projects/ID/events-stream: what happens in a project, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Request as HttpRequest
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import Field

from anymask.server.problems import Problem, busy
from anymask.server.schemas import Request
from anymask.store import Project
from anymask.studio.deps import Person, ProjectHere, image_of, person, problems, project_of, visitor
from anymask.studio.live.hub import HEARTBEAT, Listener, ProjectFullError, event
from anymask.studio.prompting.schemas import Id
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["events"])
Client = Annotated[str, Query(min_length=1, max_length=64, description="any text, new for every page")]
ImageQuery = Annotated[str | None, Query(pattern="^[0-9a-f]{32}$", description="the image that is looked at")]
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
        "description": "events hello, presence, mask, image, task, label, review, job; reset: load anew",
    }
}


class Presence(Request):
    """What a page looks at now. client: as in the address of its stream."""

    client: Annotated[str, Field(min_length=1, max_length=64)]
    image_id: Id | None = None


@router.get(
    "/projects/{id}/events-stream",
    operation_id="follow_project",
    response_class=StreamingResponse,
    responses={**problems(), **_STREAM},
)
async def follow_project(
    request: HttpRequest,
    project: ProjectHere,
    who: Person,
    studio: Studio,
    client: Client,
    image: ImageQuery = None,
) -> StreamingResponse:
    """What happens in a project, until the page goes away. Where a page is too slow it is told `reset`."""
    if image is not None:
        await run_in_threadpool(image_of, image, studio, who)
    listener = Listener(who.id, who.name, client, image)
    listener.tell(event("hello", {"people": studio.hub.present(project.id)}))
    try:
        studio.hub.join(project.id, listener)
    except ProjectFullError as error:
        raise busy(str(error)) from None
    return StreamingResponse(_stream(request, project, listener, studio), media_type="text/event-stream")


@router.post("/projects/{id}/presence", operation_id="tell_presence", status_code=204, responses=problems())
async def tell_presence(project: ProjectHere, who: Person, asked: Presence, studio: Studio) -> None:
    """Say which image a page shows now."""
    if asked.image_id is not None:
        await run_in_threadpool(image_of, asked.image_id, studio, who)
    studio.hub.look(project.id, who.id, asked.client, asked.image_id)


async def _stream(
    request: HttpRequest, project: Project, listener: Listener, studio: StudioServices
) -> AsyncIterator[str]:
    try:
        async for message in listener.messages(studio.hub.heartbeat):
            if message == HEARTBEAT and not await _may_still(request, project, studio):
                return
            yield message
    finally:
        studio.hub.leave(project.id, listener)


async def _may_still(request: HttpRequest, project: Project, studio: StudioServices) -> bool:
    """Whether the person still may see the project: a session that ended, or rights taken away, end the
    stream.
    """
    try:
        await studio.entry(request.scope, request.client.host if request.client else "unknown")
        await run_in_threadpool(project_of, project.id, studio, await person(await visitor(request)))
    except Problem:
        return False
    return True
