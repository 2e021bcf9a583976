"""Requests over HTTP(S) and nothing else: no file:, no ftp:, not even by redirect."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPMessage, HTTPResponse
from typing import IO, Final
from urllib.parse import urlsplit

from anymask._version import __version__
from anymask.core.errors import ModelError

_TRUE: Final = ("1", "true", "yes", "on")


def is_offline(asked: bool | None = None) -> bool:
    """Whether the network is off limits: asked for, or by ANYMASK_OFFLINE (1, true, yes, on)."""
    return bool(asked) or os.environ.get("ANYMASK_OFFLINE", "").strip().lower() in _TRUE


def mirrored(url: str) -> str:
    """The address to ask: `url`, or the same file name below ANYMASK_MIRROR when that is set.

    Raises ModelError if ANYMASK_MIRROR is no http(s) address.
    """
    base = os.environ.get("ANYMASK_MIRROR", "").strip()
    if not base:
        return url
    if urlsplit(base).scheme not in ("http", "https") or not urlsplit(base).netloc:
        raise ModelError(f"ANYMASK_MIRROR is {base!r}; expected an address such as https://host/folder.")
    return f"{base.rstrip('/')}/{urlsplit(url).path.rsplit('/', 1)[-1]}"


def describe_proxy(url: str) -> str:
    """' through the proxy ...' (without credentials) where the environment sets one for `url`, else ''."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return ""
    proxy = urllib.request.getproxies().get(parts.scheme)
    return f" through the proxy {hide_credentials(proxy)}" if proxy else ""


def hide_credentials(url: str) -> str:
    """The address without user name, password and query, fit for a message; it need not be a valid one."""
    scheme, colon, rest = url.rpartition("://")
    authority, slash, path = rest.partition("?")[0].partition("#")[0].partition("/")
    return f"{scheme}{colon}{authority.rpartition('@')[2]}{slash}{path}"


def open_url(url: str, headers: Mapping[str, str], timeout: float) -> HTTPResponse:
    """GET `url`, redirects followed to http and https only, proxies taken from the environment.

    timeout: seconds of silence that are put up with.
    Raises urllib.error.HTTPError for an answer of 400 and above, OSError or http.client.HTTPException for a
    broken connection, ModelError for an address that is not http(s).
    """
    _check_scheme(url)
    request = urllib.request.Request(url, headers={"User-Agent": f"anymask/{__version__}", **headers})
    response: HTTPResponse = _opener().open(request, timeout=timeout)
    return response


def _check_scheme(url: str) -> None:
    scheme = urlsplit(url).scheme
    if scheme not in ("http", "https"):
        raise ModelError(
            f"Refused to fetch {hide_credentials(url)}: only http and https addresses are pulled; "
            "a file on this machine is taken in with: anymask models import FILE"
        )


class _WebRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            _check_scheme(newurl)
        except ModelError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    # build_opener would add handlers for file:, ftp: and data:.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        _WebRedirect(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
