"""New pictures for a project: sent by people, or found in its folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from anymask.server.problems import Problem
from anymask.server.schemas import Answer
from anymask.store import NewImage, Project
from anymask.studio.deps import ProjectHere, problems
from anymask.studio.scanning import Scan
from anymask.studio.services import Studio, StudioServices
from anymask.studio.uploads import shown_name

router = APIRouter(tags=["images"])
_SCAN_SECONDS, _LOOK_SECONDS = 10.0, 0.05
_MOST_FILES = 100
_FILES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "minItems": 1,
                        }
                    },
                    "required": ["files"],
                }
            }
        },
    }
}


class Refused(Answer):
    """A file that was not taken, and why."""

    name: str
    reason: str


class UploadAnswer(Answer):
    """added: ids of the pictures."""

    added: list[str]
    refused: list[Refused]


class BrokenAnswer(Answer):
    """A file of the folder that is no picture that can be used."""

    path: str
    reason: str


class ScanAnswer(Answer):
    """found: files that end like pictures. broken: the first of broken_count."""

    running: bool
    found: int
    added: int
    broken: list[BrokenAnswer]
    broken_count: int


@router.post(
    "/projects/{id}/images",
    operation_id="upload_images",
    openapi_extra=_FILES,
    responses=problems(415, 507),
)
async def upload_images(project: ProjectHere, studio: Studio, request: Request) -> UploadAnswer:
    """Add pictures: one or more files of a form. What each is, its content says, not its name.

    The same picture again is the one that is there.
    """
    added, refused = [], []
    async with aclosing(_files_of(request)) as files:
        async for name, data in files:
            try:
                new = await studio.served.lanes.files.run(partial(studio.uploads.keep, data, name))
            except Problem as problem:
                if problem.status_code in (503, 507):
                    raise
                refused.append(Refused(name=shown_name(name), reason=problem.detail))
                continue
            added.append(await run_in_threadpool(_added, studio, project, new))
    return UploadAnswer(added=added, refused=refused)


@router.post("/projects/{id}/scan", operation_id="scan_folder", responses=problems())
async def scan_folder(project: ProjectHere, studio: Studio) -> ScanAnswer:
    """Look for new files in the project's folder; a long look goes on after the answer."""
    scan = studio.scanner.start(project)
    end = time.monotonic() + _SCAN_SECONDS
    while scan.is_running and time.monotonic() < end:
        await asyncio.sleep(_LOOK_SECONDS)
        scan = studio.scanner.state(project)
    return _scan(scan)


@router.get("/projects/{id}/scan", operation_id="get_scan", responses=problems())
def get_scan(project: ProjectHere, studio: Studio) -> ScanAnswer:
    """What the last look through the project's folder has found so far."""
    return _scan(studio.scanner.state(project))


async def _files_of(request: Request) -> AsyncGenerator[tuple[str, bytes]]:
    """Names and contents of a form's files, one in memory at a time. Raises Problem (415, 422)."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Problem(415, "wrong_content_type", "send the files as multipart/form-data, each called 'files'")
    async with request.form(max_files=_MOST_FILES, max_fields=_MOST_FILES) as form:
        found = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
        if not found:
            raise Problem(422, "no_file", "the form has no file; send at least one, called 'files'")
        for part in found:
            yield part.filename or "", await part.read()


def _added(studio: StudioServices, project: Project, new: NewImage) -> str:
    [image] = studio.store.images.add(project.id, [new])
    studio.store.tasks.create_for([image.id])
    return image.id


def _scan(scan: Scan) -> ScanAnswer:
    return ScanAnswer(
        running=scan.is_running,
        found=scan.found,
        added=scan.added,
        broken=[BrokenAnswer(path=one.path, reason=one.reason) for one in scan.broken],
        broken_count=scan.broken_count,
    )
