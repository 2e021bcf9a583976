"""What every request passes before a route sees it, and every answer on its way out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anymask.server.access import TokenGuard, check_host, check_origin
from anymask.server.config import ServerConfig
from anymask.server.problems import Problem, of_unexpected, problem_response
from anymask.server.rates import Rates

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_BASE64 = 4 / 3
_SLACK = 1 << 20  # form boundaries, the rest of a request around an image
_FORGOTTEN = 16 << 20  # most bytes of a refused body that are still taken in
_IDLE_SECONDS = 0.5


class Guard(Protocol):
    """Decides whether a request may pass."""

    async def __call__(self, scope: Scope, client: str) -> None:
        """Raise Problem for a request that may not. client: its address."""


class Gate:
    """ASGI middleware: who may ask, how much, how fast, and how long it may take to send it.

    Order matters: a stranger learns nothing, not even which addresses exist.

    guard: asks callers who they are; for the configured token unless given. body_limit: most bytes of the
    body of a request.
    """

    def __init__(
        self,
        app: ASGIApp,
        config: ServerConfig,
        clock: Callable[[], float] = time.monotonic,
        guard: Guard | None = None,
        body_limit: Callable[[Scope], int] | None = None,
    ) -> None:
        self._app, self._config = app, config
        self._rates = Rates(config.requests_per_second, clock)
        self._guard = guard or TokenGuard(config.token, clock)
        self._limit = body_limit or self._limit_of_api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no web sockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        armoured = _Armoured(send)
        limit = self._limit(scope)
        body = _Body(receive, limit, self._config.body_seconds)
        try:
            await self._check(scope, limit)
            await self._app(scope, body.receive, armoured)
        except Problem as problem:
            if problem.status_code == 413:
                await body.forget()
            answer = problem_response(problem.status_code, problem.code, problem.detail, problem.headers)
            await answer(scope, receive, armoured)
        except Exception as error:
            if armoured.has_started:  # too late for another answer; the connection breaks
                raise
            await of_unexpected(error, scope["method"], scope["path"])(scope, receive, armoured)

    async def _check(self, scope: Scope, limit: int) -> None:
        headers = Headers(scope=scope)
        check_host(headers, self._config)
        check_origin(headers)
        client = str((scope.get("client") or ("unknown",))[0])
        self._rates.take(client)
        await self._guard(scope, client)
        if (declared := headers.get("content-length", "0")).isdecimal() and len(declared) < 20:
            if int(declared) > limit:
                raise _too_large(limit)
        else:
            raise Problem(400, "bad_request", "the Content-Length header is not a number")

    def _limit_of_api(self, scope: Scope) -> int:
        """For the routes of `anymask serve`."""
        is_json = Headers(scope=scope).get("content-type", "").startswith("application/json")
        if is_json and scope["path"].startswith("/v1/"):
            return self._config.max_body_bytes
        return int(self._config.max_upload_bytes * (_BASE64 if is_json else 1)) + _SLACK


def _too_large(limit: int) -> Problem:
    """413; of the rest of the body only what is on its way is taken in."""
    detail = f"the request is larger than {limit:,} bytes, the limit; send less"
    return Problem(413, "too_large", detail, {"Connection": "close"})


class _Body:
    """A request's body; gives up on one that is too long or too slow, whatever its headers said."""

    def __init__(self, receive: Receive, limit: int, seconds: float) -> None:
        self._receive, self._limit, self._seconds = receive, limit, seconds
        self._end = time.monotonic() + seconds
        self._taken = 0
        self._is_complete = False

    async def receive(self) -> Message:
        """The next part. Raises Problem (408, 413)."""
        if self._is_complete:  # from now on only the client's going away is waited for
            return await self._receive()
        try:
            async with asyncio.timeout(max(self._end - time.monotonic(), 0)):
                message = await self._next()
        except TimeoutError:
            raise Problem(
                408,
                "too_slow",
                f"the request was not complete after {self._seconds:g} s",
                {"Connection": "close"},
            ) from None
        if self._taken > self._limit:
            raise _too_large(self._limit)
        return message

    async def forget(self) -> None:
        """Take in what is still being sent, up to a limit and a pause.

        A connection that is closed while its client sends is reset, and the client never sees the answer.
        """
        most = self._taken + _FORGOTTEN
        with contextlib.suppress(TimeoutError):
            while not self._is_complete and self._taken < most:
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._next()

    async def _next(self) -> Message:
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        return message


class _Armoured:
    """`send` that puts the security headers on every answer."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)
