"""Errors as problem JSON (RFC 9457): one clear line, the right status, nothing that is not the caller's."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from anymask.core.errors import InputError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = "2"
log = logging.getLogger("anymask.server")


class Problem(HTTPException):
    """An answer that is an error.

    status: of HTTP. code: one word for programs. detail: one line for people: what was given, what was
    expected, what to do.
    """

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, dict(headers) if headers else None)
        self.code = code


def busy(detail: str) -> Problem:
    """503, to be tried again soon."""
    return Problem(503, "busy", detail, {"Retry-After": RETRY_SECONDS})


def problem_response(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The response that a problem becomes."""
    body = {"title": HTTPStatus(status).phrase, "status": status, "code": code, "detail": detail}
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Turn what a route raises on purpose into a problem; the gate sees to the rest."""

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> JSONResponse:
        code = error.code if isinstance(error, Problem) else HTTPStatus(error.status_code).name.lower()
        return problem_response(error.status_code, code, one_line(str(error.detail)), error.headers)

    @app.exception_handler(RequestValidationError)
    async def of_validation(request: Request, error: RequestValidationError) -> JSONResponse:
        return of_invalid(error.errors())

    @app.exception_handler(InputError)
    async def of_input(request: Request, error: InputError) -> JSONResponse:
        return problem_response(422, "unusable", one_line(str(error)))


def of_unexpected(error: Exception, method: str, path: str) -> JSONResponse:
    """What nobody foresaw: the caller gets a number to quote, what happened is for the log alone."""
    number = secrets.token_hex(4)
    log.error("problem %s at %s %s", number, method, one_line(path, 200), exc_info=error)
    return problem_response(500, "internal", f"something went wrong here; the log has it as {number}")


def of_invalid(errors: Sequence[Any]) -> JSONResponse:
    """What a request that does not fit its schema is answered: the first thing that is wrong."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return problem_response(400, "bad_request", "the body is not JSON; send a JSON object")
    place = ".".join(str(part) for part in first["loc"])
    return problem_response(422, "invalid", one_line(f"{place}: {first['msg']}"))


def one_line(text: str, most: int = 500) -> str:
    """`text` on one line without control characters, cut to `most` characters."""
    joined = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
    return joined if len(joined) <= most else joined[: most - 3] + "..."
