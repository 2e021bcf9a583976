"""As much of a Label Studio as the backend asks for: pictures behind a token, and a token service."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "header.payload.signature"


class LabelStudioServer(ThreadingHTTPServer):
    """pictures: path -> bytes, shown only with an authorization of `accepted`. asked: paths, in order."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pictures: dict[str, bytes] = {}
        self.accepted = {f"Token {LEGACY}", "Bearer short-lived"}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: LabelStudioServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
        elif self.headers.get("Authorization") not in self.server.accepted:
            self._answer(401, b"")
        elif self.path in self.server.pictures:
            self._answer(200, self.server.pictures[self.path])
        else:
            self._answer(404, b"")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/token/refresh" and body == {"refresh": PERSONAL}:
            self._answer(200, b'{"access": "short-lived"}')
        else:
            self._answer(401, b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def label_studio_server() -> Iterator[LabelStudioServer]:
    """A running server on a free port."""
    with LabelStudioServer() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(30)
