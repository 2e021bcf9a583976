"""Which image of a project a file means: programs keep paths, names, addresses, or names without an
ending.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Generic, Protocol, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

_UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-")
"""What Label Studio puts in front of the names of uploaded files."""


class Named(Protocol):
    """path: within the project, forward slashes. name: as people see it."""

    @property
    def path(self) -> str: ...

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


class Finder(Generic[N]):
    """Finds images by what a file calls them: the most exact name that means one image only."""

    def __init__(self, images: Iterable[N]) -> None:
        self._by: list[dict[str, N | None]] = [{}, {}, {}]
        for image in images:
            for known, key in zip(self._by, _keys(image.path, image.name), strict=True):
                for one in key:
                    known[one] = image if known.get(one, image) is image else None

    def find(self, name: str) -> N | None:
        """The image that a file calls `name`; None if there is none, or several could be meant."""
        for alias in _aliases(name):
            for known, keys in zip(self._by, _keys(alias, alias), strict=True):
                for key in keys:
                    image = known.get(key)
                    if image is not None:
                        return image
        return None


def export_names(images: Iterable[N]) -> Mapping[str, str]:
    """The name of every image's file by the image's path: its name, or where two have the same its path."""
    listed = list(images)
    seen: dict[str, int] = {}
    for image in listed:
        seen[image.name.casefold()] = seen.get(image.name.casefold(), 0) + 1
    return {image.path: image.name if seen[image.name.casefold()] == 1 else image.path for image in listed}


def _keys(path: str, name: str) -> tuple[set[str], set[str], set[str]]:
    """Whole path; last part; last part without its ending."""
    parts = {PurePosixPath(path.casefold()), PurePosixPath(name.casefold())}
    return {path.casefold()}, {part.name for part in parts}, {part.stem for part in parts}


def _aliases(name: str) -> list[str]:
    """A name, and what it means if it is an address or has Label Studio's prefix."""
    plain = name.replace("\\", "/").lstrip("/")
    found = [plain]
    if "://" in name or "?" in name:
        with contextlib.suppress(ValueError):  # looks like an address and is none
            parts = urlsplit(name)
            inner = parse_qs(parts.query).get("d", [parts.path])[0]
            found.append(unquote(inner).lstrip("/"))
    last = PurePosixPath(found[-1]).name
    if _UPLOAD_PREFIX.match(last):
        found.append(_UPLOAD_PREFIX.sub("", last))
    return found
