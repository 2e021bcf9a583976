"""Taking a file out of a request: as the body itself, or as the one file of a form."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from anymask.server.problems import Problem

FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                }
            },
        },
    }
}
"""For the OpenAPI document."""


async def read_file(request: Request, most: int) -> bytes:
    """The file that a request carries.

    Raises Problem: 415 for a body of another type, 422 where there is no file or it is empty, 413 above
    `most` bytes.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        data = await _from_form(request)
    elif kind == "application/octet-stream" or kind.startswith("image/"):
        data = await request.body()
    else:
        raise Problem(
            415,
            "wrong_content_type",
            "send the file as application/octet-stream or image/..., or as 'file' of a multipart form",
        )
    if not data:
        raise Problem(422, "empty", "the file is empty (0 bytes)")
    if len(data) > most:
        raise Problem(413, "too_large", f"the file has {len(data):,} bytes, more than {most:,}, the limit")
    return data


async def _from_form(request: Request) -> bytes:
    async with request.form(max_files=1, max_fields=4) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Problem(422, "no_file", "the form has no file called 'file'")
        return await file.read()
