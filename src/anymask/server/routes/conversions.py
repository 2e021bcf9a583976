"""Files of masks: records to a file, a file to records, one file format to another."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from anymask.core.errors import FormatError
from anymask.formats import FORMATS, Contents
from anymask.formats.kinds import FolderFormat
from anymask.formats.losses import Loss, merged
from anymask.formats.registry import known
from anymask.server.files import MaskFile, contents_of, image_masks, read_masks, write_masks
from anymask.server.problems import Problem, one_line
from anymask.server.routes.parameters import problems
from anymask.server.schemas import ExportRequest, FormatAnswer, FormatsAnswer, ImportAnswer
from anymask.server.services import Served
from anymask.server.uploads import FILE_BODY, read_file

router = APIRouter(prefix="/v1", tags=["files"])
Format = Annotated[str, Query(min_length=1, max_length=40, description="a name of /v1/formats")]
MaybeFormat = Annotated[str | None, Query(min_length=1, max_length=40, description="a name of /v1/formats")]
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
async def formats() -> FormatsAnswer:
    """The formats that masks can be read from and written to."""
    found = [known(name) for name in FORMATS]
    return FormatsAnswer(
        formats=[
            FormatAnswer(
                name=one.name, title=one.title, suffix=one.suffix, is_folder=isinstance(one, FolderFormat)
            )
            for one in found
        ]
    )


@router.post("/export", operation_id="export_masks", response_class=Response, responses=_FILE | problems(503))
async def export_masks(asked: ExportRequest, services: Served) -> Response:
    """Records as a file; as a zip where the format needs several files."""
    _check_format(asked.format)

    def work() -> MaskFile:
        return write_masks([contents_of(image) for image in asked.images], asked.format)

    return _attachment(await services.lanes.files.run(work), ())


@router.post(
    "/import",
    operation_id="import_masks",
    response_model=ImportAnswer,
    openapi_extra=FILE_BODY,
    responses=problems(415, 503),
)
async def import_masks(request: Request, services: Served, format: MaybeFormat = None) -> Response:
    """The masks of a file, a tar or a zip; its content says its format unless `format` does."""
    images = await _read(request, services, format)
    return JSONResponse(
        {
            "images": [image_masks(image, number) for number, image in enumerate(images, 1)],
            "left_out": [str(loss) for loss in _left_out(images)],
        }
    )


@router.post(
    "/convert",
    operation_id="convert_masks",
    openapi_extra=FILE_BODY,
    response_class=Response,
    responses=_FILE | problems(415, 503),
)
async def convert_masks(
    request: Request, services: Served, to: Format, format: MaybeFormat = None
) -> Response:
    """A file of masks as a file of another format; `format` is that of the file sent."""
    _check_format(to)
    images = await _read(request, services, format)
    file = await services.lanes.files.run(partial(write_masks, images, to))
    return _attachment(file, _left_out(images))


async def _read(request: Request, services: Served, format: str | None) -> list[Contents]:
    most = services.config.max_upload_bytes
    if format is not None:
        _check_format(format)
    data = await read_file(request, most)
    return await services.lanes.files.run(partial(read_masks, data, format, most))


def _left_out(images: list[Contents]) -> tuple[Loss, ...]:
    return merged(loss for image in images for loss in image.left_out)


def _check_format(name: str) -> None:
    try:
        known(name)
    except FormatError as error:
        raise Problem(422, "unknown_format", str(error)) from None


def _attachment(file: MaskFile, left_out: tuple[Loss, ...]) -> Response:
    """The file, to be saved and never shown: an SVG shown by a browser could run scripts."""
    told = one_line("; ".join(str(loss) for loss in (*left_out, *file.lost)))
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    if told:
        headers["Anymask-Not-Kept"] = told.encode("ascii", "replace").decode("ascii")
    return Response(file.data, media_type=file.media_type, headers=headers)
