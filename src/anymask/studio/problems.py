"""What the store refuses, as problem JSON."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from anymask.server.problems import one_line, problem_response
from anymask.store import Conflict, LeaseLost, NotFound

_KINDS = ((NotFound, 404, "not_found"), (LeaseLost, 409, "lease_lost"), (Conflict, 409, "conflict"))


def add_store_handlers(app: FastAPI) -> None:
    """Answer the store's errors where a route does not do so itself."""
    for kind, status, code in _KINDS:
        app.add_exception_handler(kind, _handler(status, code))


def _handler(status: int, code: str):  # type: ignore[no-untyped-def]
    async def answer(request: Request, error: Exception) -> JSONResponse:
        return problem_response(status, code, one_line(str(error)))

    return answer
