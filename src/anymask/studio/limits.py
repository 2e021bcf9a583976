"""How large the body of a request may be, by its route."""

from __future__ import annotations

from starlette.types import Scope

from anymask.server.config import MIB
from anymask.studio.config import StudioConfig

_SLACK = MIB  # form boundaries, the rest of a request around a file
_SMALL = 64 * 1024
_SMALL_ROUTES = ("/api/v1/login", "/api/v1/setup", "/api/v1/redeem", "/api/v1/logout", "/api/v1/me/password")
"""What strangers may send."""
_FILES = ("/images", "/import")
"""Endings of routes that take files."""


class BodyLimits:
    """Bytes for the body of a request: little for strangers, files only where files are taken."""

    def __init__(self, config: StudioConfig) -> None:
        self._json, self._file = config.max_body_bytes, config.max_upload_bytes + _SLACK

    def __call__(self, scope: Scope) -> int:
        path: str = scope["path"]
        if path in _SMALL_ROUTES:
            return _SMALL
        if not path.startswith("/api/") or path.endswith(_FILES):
            return max(self._json, self._file)
        return self._json
