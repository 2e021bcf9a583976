"""What a server allows: where it listens, who may ask, and how much of everything it takes."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from anymask.core.errors import InputError

MIB = 1 << 20
MIN_TOKEN = 16
"""Characters; shorter tokens can be tried out."""

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True)
class LabelStudio:
    """The one Label Studio whose pictures are fetched.

    url: its address, http(s)://host[:port][/path]. token: an access token of a user there, or None.
    Raises InputError for anything else.
    """

    url: str
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise InputError("the address of Label Studio must look like http://host:8080, without a login")


@dataclass(frozen=True)
class ServerConfig:
    """Settings of a server; the defaults are for one person on one machine.

    host, port: where to listen; port 0 takes a free one.
    token: what callers must show, at least 16 characters; None only where nobody else can connect.
    allowed_hosts: further names that this server is called by in URLs (the Host header); IP addresses and
        localhost are always right.
    proxies: addresses of reverse proxies whose word is taken for who a client is (X-Forwarded-For); without
        it all clients behind a proxy share its limits.
    max_upload_bytes: of an image or a file of masks. max_body_bytes: of a JSON request.
    max_pixels: of an image.
    memory_bytes: for images and embeddings kept in memory; run_bytes: for runs of everything mode.
    cache_dir: a folder in which images and embeddings outlive the process, or None.
    disk_bytes: how much that folder may hold.
    waiting: requests that wait for each kind of work; further ones are told to come again (503).
    request_seconds: longest wait for an answer. body_seconds: longest time to send a request.
    requests_per_second: for each client address, or None for no limit.
    label_studio: where pictures of Label Studio's tasks may be fetched.

    Raises InputError, saying what to give, for values that cannot be meant or are not safe.
    """

    host: str = "127.0.0.1"
    port: int = 8760
    token: str | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    max_upload_bytes: int = 64 * MIB
    max_body_bytes: int = 16 * MIB
    max_pixels: int = 50_000_000
    memory_bytes: int = 1024 * MIB
    run_bytes: int = 512 * MIB
    cache_dir: Path | None = None
    disk_bytes: int = 10 * 1024 * MIB
    waiting: int = 64
    request_seconds: float = 120.0
    body_seconds: float = 60.0
    requests_per_second: float | None = None
    label_studio: LabelStudio | None = None

    def __post_init__(self) -> None:
        self._check_numbers()
        if self.token is not None and (len(self.token) < MIN_TOKEN or not _is_visible_ascii(self.token)):
            raise InputError(
                f"the token has {len(self.token)} characters; give at least {MIN_TOKEN} letters, digits or "
                "signs without spaces"
            )
        for name in self.allowed_hosts:
            if not _HOST.fullmatch(name):
                raise InputError(
                    f"allowed host {name!r} is not a host name; give one like labels.example.org"
                )
        for address in self.proxies:
            if not is_address(address):
                raise InputError(f"proxy {address!r} is not an IP address; give one like 127.0.0.1")
        self._check_reach()

    def _check_reach(self) -> None:
        if self.token is None and not self.is_local:
            raise InputError(
                f"host {self.host!r} can be reached from other machines; give a token, or stay on 127.0.0.1"
            )

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)

    def _check_numbers(self) -> None:
        if not 0 <= self.port <= 65535:
            raise InputError(f"port is {self.port}; give a number from 0 (any free one) to 65535")
        counts = (
            "max_upload_bytes",
            "max_body_bytes",
            "max_pixels",
            "memory_bytes",
            "run_bytes",
            "disk_bytes",
        )
        for name in (*counts, "waiting", "request_seconds", "body_seconds"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} is {getattr(self, name)}; give a number above 0")
        if self.requests_per_second is not None and self.requests_per_second <= 0:
            raise InputError(
                f"requests_per_second is {self.requests_per_second}; give a number above 0, or None"
            )


def is_loopback(host: str) -> bool:
    """Whether an address or name means this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Whether this is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_visible_ascii(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)
