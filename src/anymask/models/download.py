"""Fetch one known file: resumed where it broke off, retried, checked, moved into place whole."""

from __future__ import annotations

import http.client
import re
import ssl
import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Final

from anymask.core.errors import ChecksumError, ModelError
from anymask.models.folder import file_sha256
from anymask.models.network import describe_proxy, hide_credentials, is_offline, mirrored, open_url
from anymask.models.partial import PartialFile
from anymask.models.spec import Download

Progress = Callable[[int, int], None]
"""Called with (bytes so far, bytes in all)."""

_CHUNK: Final = 1 << 18
_PASSING: Final = (408, 425, 429, 500, 502, 503, 504)  # answers that may be different a moment later
_BY_HAND: Final = "fetch the file by other means and run: anymask models import FILE"


@dataclass(frozen=True)
class Patience:
    """How long a poor connection is put up with.

    attempts: failures in a row, none of which brought at least one chunk. timeout: seconds of silence.
    first_wait, longest_wait: seconds before the second attempt, doubled each time up to the longest.
    """

    attempts: int = 5
    timeout: float = 30.0
    first_wait: float = 0.5
    longest_wait: float = 30.0

    def wait(self, failures: int, asked: float | None) -> float:
        """Seconds to wait after so many failures in a row; `asked`: what the server asked for."""
        wait = asked if asked is not None else self.first_wait * 2 ** (failures - 1)
        return min(wait, self.longest_wait)


class _BrokenError(Exception):
    """The transfer broke off for a reason that may pass; `wait`: seconds the server asked for."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def fetch(
    download: Download,
    target: Path,
    *,
    progress: Progress | None = None,
    offline: bool | None = None,
    patience: Patience | None = None,
) -> Path:
    """Fetch `download` to `target` and return `target`; nothing is fetched if it is there already.

    Bytes that an earlier, interrupted call left beside `target` are continued. ANYMASK_MIRROR and the proxy
    variables of the environment are honoured; offline: use no network, as ANYMASK_OFFLINE=1 says for all.
    Raises ModelError (offline, no answer, not found), ChecksumError (another file; it is removed),
    OutputError (disk full or not writable; the bytes so far are kept).
    """
    if target.is_file() and file_sha256(target) == download.sha256:
        return target
    url = mirrored(download.url)
    if is_offline(offline):
        raise ModelError(
            f"Cannot fetch {hide_credentials(url)}: offline (--offline or ANYMASK_OFFLINE); "
            f"run it with a network, or {_BY_HAND}"
        )
    with PartialFile(target) as partial:
        continued = partial.size > 0
        _fill(partial, url, download, progress, patience or Patience())
        if partial.sha256 != download.sha256 and continued:
            # The fault may lie in the old bytes: an honest second try starts from nothing.
            partial.restart()
            _fill(partial, url, download, progress, patience or Patience())
        if partial.sha256 != download.sha256:
            found = partial.sha256
            partial.discard()
            raise ChecksumError(
                f"{hide_credentials(url)} has SHA-256 {found[:12]}..., expected {download.sha256[:12]}...; "
                "what came was removed. Check ANYMASK_MIRROR and the network, then pull again."
            )
        return partial.finish()


def _fill(
    partial: PartialFile, url: str, download: Download, progress: Progress | None, patience: Patience
) -> None:
    failures = 0
    while partial.size != download.bytes:
        before = partial.size
        try:
            _transfer(partial, url, download, progress, patience.timeout)
        except _BrokenError as broken:
            failures = 1 if partial.size - before >= _CHUNK else failures + 1
            if failures >= patience.attempts:
                raise ModelError(
                    f"Cannot fetch {hide_credentials(url)}{describe_proxy(url)}: {broken}, {failures} times "
                    f"in a row; what came is kept. Run it again later, set ANYMASK_MIRROR, or {_BY_HAND}"
                ) from broken
            time.sleep(patience.wait(failures, broken.wait))


def _transfer(
    partial: PartialFile, url: str, download: Download, progress: Progress | None, timeout: float
) -> None:
    """One request: append what it brings, up to the expected length; _BrokenError if it brings less."""
    if partial.size > download.bytes:
        partial.restart()
    with _ask(partial, url, timeout) as response:
        _place(response, partial, url, download)
        _report(progress, partial.size, download.bytes)
        while partial.size < download.bytes:
            chunk = _read(response, min(_CHUNK, download.bytes - partial.size))
            if not chunk:
                raise _BrokenError(f"the connection ended after {partial.size:,} of {download.bytes:,} bytes")
            partial.append(chunk)
            _report(progress, partial.size, download.bytes)


def _ask(partial: PartialFile, url: str, timeout: float) -> HTTPResponse:
    headers = {"Accept-Encoding": "identity"}
    if partial.size:
        headers["Range"] = f"bytes={partial.size}-"
        if validator := partial.validator:
            headers["If-Range"] = validator
    try:
        return open_url(url, headers, timeout)
    except urllib.error.HTTPError as error:
        with error:
            raise _judge_answer(error, partial, url) from error
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise ModelError(
                f"{hide_credentials(url)}{describe_proxy(url)} shows a certificate that is not trusted "
                f"({reason.verify_message}); set SSL_CERT_FILE to your network's certificates, or {_BY_HAND}"
            ) from error
        raise _BrokenError(_one_line(reason)) from error


def _judge_answer(error: urllib.error.HTTPError, partial: PartialFile, url: str) -> Exception:
    if error.code == 416:
        partial.restart()
        return _BrokenError("the server has no such range")
    if error.code in _PASSING:
        asked = error.headers.get("Retry-After", "")
        return _BrokenError(f"the server answers {error.code}", float(asked) if asked.isdigit() else None)
    if 300 <= error.code < 400:
        return ModelError(
            f"{hide_credentials(url)} redirects without end, or to an address that is not http(s): "
            f"{hide_credentials(error.url)}; check ANYMASK_MIRROR, or {_BY_HAND}"
        )
    return ModelError(
        f"{hide_credentials(url)}{describe_proxy(url)} answers {error.code} ({error.reason}); "
        f"check ANYMASK_MIRROR and the proxy, or {_BY_HAND}"
    )


def _place(response: HTTPResponse, partial: PartialFile, url: str, download: Download) -> None:
    """Make `partial` end where the body of this answer starts, once the length says it is the right file."""
    if response.status == 206:
        given = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if given is None or int(given[1]) != partial.size:
            partial.restart()
            raise _BrokenError("the server sent another range than it was asked for")
        _check_length(given[2], response, partial, url, download)
    else:
        # The whole file: first time, or the server knows no ranges, or the file changed (If-Range).
        _check_length(response.headers.get("Content-Length", "*"), response, partial, url, download)
        partial.restart(_validator(response))


def _check_length(
    offered: str, response: HTTPResponse, partial: PartialFile, url: str, download: Download
) -> None:
    if not offered.isdigit() or int(offered) == download.bytes:
        return
    # Bytes of an earlier, better answer stay: this one may be the login page of a network.
    if partial.size == 0:
        partial.discard()
    raise ChecksumError(
        f"{hide_credentials(url)} offers {int(offered):,} bytes of {response.headers.get_content_type()}, "
        f"expected {download.bytes:,}; check ANYMASK_MIRROR and whether the network wants a login, "
        f"or {_BY_HAND}"
    )


def _validator(response: HTTPResponse) -> str | None:
    # RFC 9110, 13.1.5: only a strong entity tag may be used in If-Range; a date serves otherwise.
    tag = response.headers.get("ETag", "")
    found = tag if tag.startswith('"') else response.headers.get("Last-Modified", "")
    return found if found.isascii() and found else None


def _read(response: HTTPResponse, size: int) -> bytes:
    try:
        return response.read1(size)
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(_one_line(error)) from error


def _report(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)


def _one_line(reason: object) -> str:
    return " ".join(str(reason).split()) or type(reason).__name__
