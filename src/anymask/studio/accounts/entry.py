"""The door: who makes a request, and whether it may pass."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.types import Scope

from anymask.server.access import TokenGuard
from anymask.server.problems import Problem
from anymask.store import Store, User
from anymask.studio.config import StudioConfig

CSRF_HEADER = "x-csrf-token"
_API = "/api/"
_SERVED = ("/v1/", "/label-studio/", "/x-anylabeling/")
_OPEN = frozenset(
    ("/api/v1/me", "/api/v1/login", "/api/v1/setup", "/api/v1/redeem", "/v1/health", "/label-studio/health")
)
"""What a stranger may ask: who am I, and let me in."""
_READING = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Visitor:
    """Who makes a request.

    user: None for a stranger. csrf: what its writes must show. token: its session's.
    """

    user: User | None = None
    csrf: str | None = None
    token: str | None = None


class Entry:
    """The gate's guard.

    Pages are for everybody: they hold nothing. The API is for people with a session, and where there are no
    accounts for whoever can connect. What `anymask serve` offers is open to the same people, and to programs
    that show the configured token.
    """

    def __init__(self, config: StudioConfig, store: Store, secret: bytes) -> None:
        self._store = store
        self._lifetime = timedelta(hours=config.session_hours)
        self._has_token = config.token is not None
        self._tokens = TokenGuard(config.token, time.monotonic)
        self._local_csrf = hmac.new(secret, b"csrf of the local administrator", hashlib.sha256).hexdigest()
        # Cookies do not know ports: two studios on one machine must not overwrite each other's.
        self.cookie = "anymask_" + hmac.new(secret, b"cookie", hashlib.sha256).hexdigest()[:8]
        self._local = None if config.has_accounts else store.people.local()

    async def __call__(self, scope: Scope, client: str) -> None:
        """Put the visitor into the request's state.

        Raises Problem: 401 for strangers, 403 for writes without the CSRF token, 429 after too many wrong
        tokens.
        """
        path: str = scope["path"]
        is_served = path.startswith(_SERVED)
        if not (path.startswith(_API) or is_served):
            return
        headers = Headers(scope=scope)
        visitor = await self._visitor(headers)
        scope.setdefault("state", {})["visitor"] = visitor
        if path in _OPEN:
            return
        if is_served and self._is_for_programs(headers):
            self._tokens.check(headers, client)
            return
        if visitor.user is None:
            raise Problem(401, "unauthorized", "nobody is logged in; log in first")
        if scope["method"] not in _READING:
            _check_csrf(headers, visitor)

    def _is_for_programs(self, headers: Headers) -> bool:
        """Whether the token decides, and not the session."""
        shows_one = "authorization" in headers or "token" in headers
        return self._local is not None or (self._has_token and shows_one)

    async def _visitor(self, headers: Headers) -> Visitor:
        if self._local is not None:
            return Visitor(self._local, self._local_csrf)
        token = _cookie(headers, self.cookie)
        if token is None:
            return Visitor()
        session = await asyncio.to_thread(self._store.people.session, token, self._lifetime)
        if session is None:
            return Visitor()
        return Visitor(session.user, session.csrf, token)


def _check_csrf(headers: Headers, visitor: Visitor) -> None:
    shown = headers.get(CSRF_HEADER, "")
    if visitor.csrf is None or not hmac.compare_digest(shown.encode(), visitor.csrf.encode()):
        raise Problem(
            403, "csrf", "the header X-CSRF-Token is missing or of another session; ask /api/v1/me for it"
        )


def _cookie(headers: Headers, name: str) -> str | None:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return None
    found = jar.get(name)
    return None if found is None else found.value
