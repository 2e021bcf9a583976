"""A real HTTP server on a free local port that misbehaves as told."""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from anymask.models.spec import Download


@dataclass
class Request:
    """What a client asked for: the raw request target and its headers (names in lower case)."""

    target: str
    headers: dict[str, str]


@dataclass
class Web:
    """Files by path; `script`: one step per request, afterwards requests are simply answered."""

    files: dict[str, bytes] = field(default_factory=dict)
    script: deque[Step] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def put(self, path: str, body: bytes) -> Download:
        """Serve `body` at `path`; what a client must know to fetch it."""
        self.files[path] = body
        return Download(self.base + path, len(body), hashlib.sha256(body).hexdigest())

    def asked_ranges(self) -> list[str | None]:
        """The Range header of every request so far."""
        return [request.headers.get("range") for request in self.requests]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: Web

    def do_GET(self) -> None:
        self.web.requests.append(Request(self.path, {k.lower(): v for k, v in self.headers.items()}))
        body = self.web.files.get(urlsplit(self.path).path)
        if self.web.script:
            self.web.script.popleft()(self, body or b"")
        elif body is None:
            answer(self, 404, b"nothing here")
        else:
            serve(self, body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


Step = Callable[[Handler, bytes], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients hang up on purpose here; anything else must be seen.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def running_web() -> Iterator[Web]:
    web = Web()
    server = _Server(("127.0.0.1", 0), type("_Handler", (Handler,), {"web": web}))
    web.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def answer(handler: Handler, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    """One complete answer; `headers` may override the length."""
    fields = {"Content-Length": str(len(body)), "Connection": "close"} | (headers or {})
    handler.send_response(status)
    for name, value in fields.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def serve(handler: Handler, body: bytes, limit: int | None = None) -> None:
    """A correct server (RFC 9110): ranges, If-Range, entity tags. `limit`: break off after so many bytes."""
    asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    condition = handler.headers.get("If-Range")
    headers = {"ETag": tag(body), "Accept-Ranges": "bytes"}
    if asked is None or (condition is not None and condition != tag(body)):
        status, rest = 200, body
    elif int(asked[1]) >= len(body):
        answer(handler, 416, b"", {"Content-Range": f"bytes */{len(body)}"})
        return
    else:
        start = int(asked[1])
        status, rest = 206, body[start:]
        headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
    headers["Content-Length"] = str(len(rest))
    answer(handler, status, rest[:limit], headers)


def broken_after(count: int) -> Step:
    """Promise everything, send `count` bytes, hang up."""
    return lambda handler, body: serve(handler, body, limit=count)


def without_ranges(handler: Handler, body: bytes) -> None:
    """An old server: the whole file whatever is asked, no entity tag."""
    answer(handler, 200, body)


def status(code: int, **headers: str) -> Step:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, body: answer(handler, code, b"sorry", fields)


def redirect(location: str, code: int = 302) -> Step:
    return lambda handler, body: answer(handler, code, b"", {"Location": location})


def other_range(handler: Handler, body: bytes) -> None:
    """Answers 206 with another part of the file than was asked for."""
    answer(handler, 206, body[1:], {"Content-Range": f"bytes 1-{len(body) - 1}/{len(body)}"})


def instead(other: bytes, kind: str = "application/octet-stream") -> Step:
    """Another file at the same address."""
    return lambda handler, body: answer(handler, 200, other, {"Content-Type": kind})


def tagged(count: int, **headers: str) -> Step:
    """Like `broken_after`, with other headers to tell versions of the file apart."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, body: answer(
        handler, 200, body[:count], {"Content-Length": str(len(body))} | fields
    )


def chunked(count: int | None = None) -> Step:
    """Answer without length, in pieces; break off after `count` of them."""

    def step(handler: Handler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("ETag", tag(body))
        handler.send_header("Connection", "close")
        handler.end_headers()
        pieces = [body[i : i + 400_000] for i in range(0, len(body), 400_000)]
        for piece in pieces[:count]:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if count is None:
            handler.wfile.write(b"0\r\n\r\n")

    return step


def stalled_after(count: int, go_on: threading.Event) -> Step:
    """Send `count` bytes, then nothing until `go_on` is set, then the rest."""

    def step(handler: Handler, body: bytes) -> None:
        serve(handler, body, limit=count)
        handler.wfile.flush()
        go_on.wait(60)
        start = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        handler.wfile.write(body[(int(start[1]) if start else 0) + count :])

    return step
