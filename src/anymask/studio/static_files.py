"""The studio's pages: the built front end, as it lies in the package."""

from __future__ import annotations

import functools
import gzip
import mimetypes
import re
from pathlib import Path, PurePosixPath

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from anymask.server.problems import Problem

FOLDER = Path(__file__).parent / "static"
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; worker-src 'self' blob:; connect-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the pages."""
_HASHED = re.compile(r"[.-][A-Za-z0-9_-]{8,}\.[a-z0-9]+$")
"""File names that change with their content."""
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_PACKED_WHEN_SENT = (".html", ".js", ".mjs", ".css", ".svg")
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".html": "text/html",
}


def pages(folder: Path = FOLDER) -> APIRouter:
    """Routes for the files of `folder`; the front end's own addresses lie behind the `#` of one page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/{path:path}")
    @router.head("/{path:path}")
    def page(path: str, request: Request) -> Response:
        file = _file(folder, path or "index.html")
        if file is None:
            raise Problem(404, "not_found", "there is nothing at this address")
        return _answer(file, request)

    return router


def _file(folder: Path, path: str) -> Path | None:
    """A file of the folder, or None. No name leads out: each part is a plain name, and there are no links."""
    parts = PurePosixPath(path).parts
    if not parts or any(part in ("..", "/") or "\\" in part or "\0" in part for part in parts):
        return None
    place = folder.joinpath(*parts)
    there = any(_packed(place, suffix).is_file() for suffix in ("", ".gz"))
    return place if there and place.resolve().is_relative_to(folder.resolve()) else None


def _answer(file: Path, request: Request) -> Response:
    is_hashed = _HASHED.search(file.name) is not None
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if is_hashed else "no-cache",
        "Content-Security-Policy": POLICY,
        # With these two the browser lets the decoder's threads share memory.
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Vary": "Accept-Encoding",
    }
    media_type = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    accepted = {
        part.partition(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")
    }
    for encoding, suffix in _ENCODINGS:
        packed = _packed(file, suffix)
        if encoding in accepted and packed.is_file():
            headers["Content-Encoding"] = encoding
            return FileResponse(packed, headers=headers, media_type=media_type)
    if "gzip" in accepted and file.suffix in _PACKED_WHEN_SENT:
        headers["Content-Encoding"] = "gzip"
        return Response(_gzipped(file, file.stat().st_mtime_ns), headers=headers, media_type=media_type)
    if not file.is_file():  # only packed: what is large lies in the package once
        return Response(
            gzip.decompress(_packed(file, ".gz").read_bytes()), headers=headers, media_type=media_type
        )
    return FileResponse(file, headers=headers, media_type=media_type)


@functools.lru_cache(maxsize=64)
def _gzipped(file: Path, modified: int) -> bytes:
    """A file packed, kept in memory. modified: when, so that a new build is packed anew."""
    return gzip.compress(file.read_bytes(), mtime=0)


def _packed(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)
