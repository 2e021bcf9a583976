"""Pictures of tasks: out of the request itself, or from the one Label Studio that the server was told of.

No request can make this server connect to anywhere else: the host and port come from the server's own
settings, redirects are not followed, and other addresses are refused before anything is opened.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import ssl
from urllib.parse import quote, urljoin, urlsplit

from anymask.server.config import LabelStudio
from anymask.server.problems import Problem

_SECONDS = 20.0
_PORTS = {"http": 80, "https": 443}


class Source:
    """Reads pictures. most: bytes of the largest one."""

    def __init__(self, label_studio: LabelStudio | None, most: int) -> None:
        self._label_studio, self._most = label_studio, most

    def read(self, address: str) -> bytes:
        """A picture's bytes; blocks while they come.

        address: `data:image/...;base64,...`, a path on Label Studio's host, or its full address there.
        Raises Problem: 422 for any other address, 413 above the limit, 503 if Label Studio does not give it.
        """
        if address.startswith("data:"):
            return from_data_uri(address, self._most)
        if self._label_studio is None:
            raise Problem(
                422,
                "no_source",
                "pictures are only fetched from the Label Studio that this server was started with; start it "
                "with --label-studio URL",
            )
        return self._get(self._target(address, self._label_studio), self._label_studio)

    def _target(self, address: str, label_studio: LabelStudio) -> str:
        """The path and query to ask Label Studio's host for."""
        try:
            parts = urlsplit(urljoin(label_studio.url.rstrip("/") + "/", address))
            is_ours = _origin(parts.scheme, parts.hostname, parts.port) == _origin_of(label_studio.url)
        except ValueError:
            is_ours = False
        if not is_ours or parts.username is not None:
            raise Problem(
                422, "foreign_picture", "the picture's address is not on the Label Studio of --label-studio"
            )
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
        return path + (f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else "")

    def _get(self, target: str, label_studio: LabelStudio) -> bytes:
        status, data = self._ask("GET", target, label_studio, _authorization(self, label_studio))
        if status != 200:
            raise Problem(503, "no_picture", f"Label Studio answered {status} when asked for the picture")
        if len(data) > self._most:
            raise Problem(413, "too_large", f"the picture has more than {self._most:,} bytes, the limit")
        return data

    def exchange(self, label_studio: LabelStudio, token: str) -> str:
        """A personal access token for the short-lived one that requests show."""
        path = urlsplit(urljoin(label_studio.url.rstrip("/") + "/", "api/token/refresh")).path
        body = json.dumps({"refresh": token}).encode()
        status, data = self._ask("POST", path, label_studio, {"Content-Type": "application/json"}, body)
        try:
            found = json.loads(data)["access"] if status == 200 else None
        except (ValueError, KeyError, TypeError):
            found = None
        if not isinstance(found, str):
            raise Problem(503, "no_picture", "Label Studio did not take the access token; make a new one")
        return found

    def _ask(
        self,
        method: str,
        target: str,
        label_studio: LabelStudio,
        headers: dict[str, str],
        body: bytes | None = None,
    ) -> tuple[int, bytes]:
        connection = _connection(label_studio.url)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(self._most + 1)
        except (OSError, http.client.HTTPException) as error:
            raise Problem(503, "no_picture", "Label Studio cannot be reached for the picture") from error
        finally:
            connection.close()


def from_data_uri(address: str, most: int) -> bytes:
    """The bytes in `data:...;base64,...`, or in base64 alone.

    Raises Problem: 422 if it is no base64, 413 above `most` bytes.
    """
    _, comma, text = address.partition(",")
    text = text if comma else address
    if len(text) * 3 // 4 > most + 2:
        raise Problem(413, "too_large", f"the picture has more than {most:,} bytes, the limit")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Problem(422, "unusable", "the picture in the request is not base64") from None


def _authorization(source: Source, label_studio: LabelStudio) -> dict[str, str]:
    token = label_studio.token
    if token is None:
        return {}
    if token.count(".") == 2:  # a personal access token is a JWT for refreshing; legacy tokens are plain
        return {"Authorization": f"Bearer {source.exchange(label_studio, token)}"}
    return {"Authorization": f"Token {token}"}


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=_SECONDS)


def _origin_of(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return _origin(parts.scheme, parts.hostname, parts.port)


def _origin(scheme: str, host: str | None, port: int | None) -> tuple[str, str | None, int | None]:
    return scheme, host, port or _PORTS.get(scheme)
