"""/formats, /projects/ID/export and /import: masks as files of every format."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from anymask.core.errors import FormatError
from anymask.formats.registry import known
from anymask.server.files import MaskFile, read_masks
from anymask.server.problems import Problem, one_line
from anymask.server.routes.conversions import formats
from anymask.server.schemas import FormatsAnswer
from anymask.server.uploads import FILE_BODY, read_file
from anymask.store import Image, Project, User
from anymask.studio.deps import Person, ProjectHere, Reviewer, image_of, problems, unknown
from anymask.studio.exchange.exporting import export
from anymask.studio.exchange.importing import Imported, Importer
from anymask.studio.exchange.schemas import StudioExport, StudioImportAnswer
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["files"])
Format = Annotated[
    str | None,
    Query(min_length=1, max_length=40, description="a name of /formats; by default the content says it"),
]
ImageQuery = Annotated[
    str | None, Query(pattern="^[0-9a-f]{32}$", description="the image that a file about one image is about")
]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "headers": {
            "Anymask-Not-Kept": {
                "schema": {"type": "string"},
                "description": "what the format does not hold, counted, in words",
            }
        },
    }
}


@router.get("/formats", operation_id="list_formats", responses=problems())
async def list_formats(who: Person) -> FormatsAnswer:
    """The formats that masks can be read from and written to."""
    return await formats()


@router.post(
    "/projects/{id}/export",
    operation_id="export_project",
    response_class=Response,
    responses=problems() | _FILE,
)
async def export_project(project: ProjectHere, who: Person, asked: StudioExport, studio: Studio) -> Response:
    """The project's masks as a file; as a zip where the format needs several."""
    _check_format(asked.format)
    file = await studio.served.lanes.files.run(partial(export, studio.store, project.id, asked))
    await _note(studio, "export", project, who, {"format": asked.format, "bytes": len(file.data)})
    return _attachment(file)


@router.post(
    "/projects/{id}/import",
    operation_id="import_into_project",
    openapi_extra=FILE_BODY,
    responses=problems(415),
)
async def import_into_project(
    request: Request,
    project: ProjectHere,
    who: Reviewer,
    studio: Studio,
    format: Format = None,
    image: ImageQuery = None,
) -> StudioImportAnswer:
    """Save the masks of a file, a tar or a zip to the images that it names.

    Labels that are missing are made. Masks that are there already are not saved twice.
    """
    if format is not None:
        _check_format(format)
    found = None if image is None else await run_in_threadpool(image_of, image, studio, who)
    if found is not None and found.project_id != project.id:
        raise unknown()
    data = await read_file(request, studio.config.max_upload_bytes)
    work = partial(_take, studio, project.id, who, data, format, found)
    done = await studio.served.lanes.files.run(work)
    await _note(studio, "import", project, who, {"images": done.images, "masks": done.masks})
    for touched in done.touched:
        studio.hub.tell(project.id, "image", {"image_id": touched})
    if done.labels:
        studio.hub.tell(project.id, "label", {})
    return StudioImportAnswer(
        images=done.images,
        masks=done.masks,
        known=done.known,
        labels=done.labels,
        unmatched=done.unmatched,
        wrong_size=done.wrong_size,
        left_out=done.left_out,
    )


async def _note(
    studio: StudioServices, kind: str, project: Project, who: User, detail: dict[str, Any]
) -> None:
    """Write down what an administrator may want to know."""
    add = partial(studio.store.events.add, kind, detail, project_id=project.id, user_id=who.id)
    await run_in_threadpool(add)


def _take(
    studio: StudioServices, project_id: str, who: User, data: bytes, format: str | None, image: Image | None
) -> Imported:
    contents = read_masks(data, format, studio.config.max_upload_bytes)
    return Importer(studio.store, project_id, who.id).take(contents, image)


def _check_format(name: str) -> None:
    try:
        known(name)
    except FormatError as error:
        raise Problem(422, "unknown_format", str(error)) from None


def _attachment(file: MaskFile) -> Response:
    """The file, to be saved and never shown: an SVG shown by a browser could run scripts."""
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    told = one_line("; ".join(str(loss) for loss in file.lost))
    if told:
        headers["Anymask-Not-Kept"] = told.encode("ascii", "replace").decode("ascii")
    return Response(file.data, media_type=file.media_type, headers=headers)
