"""Who may ask: the right host name, no foreign web page, and the token."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from anymask.server.config import ServerConfig, is_address, is_loopback
from anymask.server.problems import Problem
from anymask.server.rates import Rates

_OPEN = ("/v1/health", "/x-anylabeling/health", "/label-studio/health")
"""Addresses that say only that the server is there: load balancers and containers ask without a token."""


class TokenGuard:
    """Lets those pass who show the token, and everybody where there is none. clock: seconds."""

    def __init__(self, token: str | None, clock: Callable[[], float]) -> None:
        self._token = token
        self._failures = Rates(1 / 3, clock, burst=10)  # wrong tokens, per client address

    async def __call__(self, scope: Scope, client: str) -> None:
        """Raise Problem (401, 429).

        Who tried too many wrong tokens is not even listened to with the right one.
        """
        if is_open(scope["path"]):
            return
        self.check(Headers(scope=scope), client)

    def check(self, headers: Headers, client: str) -> None:
        """The same, whatever the address. Raises Problem (401, 429)."""
        self._failures.check(client)
        try:
            check_token(headers, self._token)
        except Problem:
            self._failures.take(client)
            raise


def is_open(path: str) -> bool:
    """Whether an address needs no token."""
    return path in _OPEN


def check_host(headers: Headers, config: ServerConfig) -> None:
    """Raise Problem (400) for a Host header by which this server is not called.

    A foreign page can make its own name resolve to this machine (DNS rebinding), but it cannot make the
    browser send an address or a name of ours.
    """
    host = _host_name(headers.get("host", ""))
    if host in config.allowed_hosts or host == config.host.lower():
        return
    if is_loopback(host) or (not config.is_local and is_address(host)):
        return
    raise Problem(400, "wrong_host", "this server is not called by that name; see the option --allow-host")


def check_origin(headers: Headers) -> None:
    """Raise Problem (403) for requests that another site's page makes in its visitor's browser."""
    origin = headers.get("origin")
    is_foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
    own = f"//{headers.get('host')}"
    if is_foreign or (origin is not None and origin not in ("http:" + own, "https:" + own)):
        raise Problem(403, "foreign_origin", "pages of other sites cannot use this server")


def check_token(headers: Headers, token: str | None) -> None:
    """Raise Problem (401) unless the request shows the token.

    It may come as `Authorization: Bearer TOKEN`, as the password of basic authentication (Label Studio), or
    in the header `Token` (X-AnyLabeling).
    """
    if token is None:
        return
    shown = _shown(headers)
    if shown is None or not hmac.compare_digest(_digest(shown), _digest(token)):
        raise Problem(
            401,
            "unauthorized",
            "this server asks for a token; send the header 'Authorization: Bearer TOKEN'",
            {"WWW-Authenticate": "Bearer"},
        )


def _digest(text: str) -> bytes:
    """Of one length for all texts, so that comparing tells nothing."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _shown(headers: Headers) -> str | None:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            login = base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return None
        return login.partition(":")[2]
    return headers.get("token")


def _host_name(header: str) -> str:
    """The Host header without the port, brackets or a final dot, in lower case; empty if it is malformed."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""
