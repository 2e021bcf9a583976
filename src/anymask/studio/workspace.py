"""The folder of a workspace: what lies where, and nothing outside it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from anymask.core.errors import InputError, OutputError
from anymask.core.files import write_atomically
from anymask.server.problems import Problem
from anymask.store import Image

OWN_FOLDER = ".anymask"
SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".tif", ".tiff", ".gif", ".bmp", ".dcm")
)
"""Endings of files that a scan looks into; what they really are, their content says."""


@dataclass(frozen=True)
class Workspace:
    """A folder of pictures. `.anymask` inside it is ours; the pictures are only ever read.

    root: the folder, resolved.
    """

    root: Path

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Workspace:
        """Make what is missing inside `folder`.

        Raises InputError if it is not a folder, OutputError if nothing can be written there.
        """
        root = Path(folder).resolve()
        if not root.is_dir():
            raise InputError(f"'{folder}' is not a folder; give a folder of pictures")
        workspace = cls(root)
        try:
            for place in (workspace.own, workspace.uploads, workspace.cache):
                place.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot write in '{folder}': {error.strerror}; make the folder writable or copy the pictures"
            ) from error
        return workspace

    @property
    def own(self) -> Path:
        """What belongs to the studio: database, uploads, cache, secret."""
        return self.root / OWN_FOLDER

    @property
    def uploads(self) -> Path:
        """Uploaded pictures, named by the server."""
        return self.own / "uploads"

    @property
    def cache(self) -> Path:
        """Embeddings and renditions; may be deleted at any time."""
        return self.own / "cache"

    def secret(self) -> bytes:
        """32 bytes that nobody else knows, the same after a restart; the file is for this user alone.

        Raises OutputError if it cannot be kept.
        """
        place = self.own / "secret"
        try:
            known = place.read_bytes()
        except FileNotFoundError:
            known = b""
        if len(known) != 32:
            known = secrets.token_bytes(32)
            write_atomically(place, known)
        place.chmod(0o600)
        return known

    def file(self, path: str) -> Path:
        """Where the picture of this relative path lies.

        Raises Problem (404) for a path that leads out of the workspace, through a link, or to no file.
        """
        place = self._inside(path)
        if place is None or not place.is_file():
            raise Problem(404, "no_file", "the picture's file is no longer in the workspace's folder")
        return place

    def picture(self, image: Image) -> Path:
        """Where a picture's file lies. Raises Problem (404) as `file`, and for one that has been changed."""
        place = self.file(image.path)
        if place.stat().st_size != image.bytes:
            raise Problem(404, "changed_file", "the picture's file is another one than when it was added")
        return place

    def folder(self, under: str) -> Path:
        """Where a folder of pictures lies; "" is the workspace.

        Raises Problem (404) for a path that leads out, through a link, to what is ours, or to no folder.
        """
        place = self._inside(under) if under else self.root
        if place is None or not place.is_dir() or place.is_relative_to(self.own):
            raise Problem(404, "no_folder", "there is no such folder in the workspace")
        return place

    def pictures(self, under: str = "") -> Iterator[str]:
        """Relative paths, in order, of the files that end like pictures, without links and hidden folders.

        under: a folder of the workspace. Raises Problem (404) as `folder`.
        """
        yield from self._walk(self.folder(under))

    def _inside(self, path: str) -> Path | None:
        """The place of a relative path, or None if it is none or leads out or through a link."""
        parts = path.split("/")
        if any(part in ("", ".", "..") for part in parts) or "\0" in path:
            return None
        place = self.root.joinpath(*parts)
        # A path without links is its own real path; with one, it might lead anywhere.
        return place if os.path.realpath(place) == str(place) else None

    def _walk(self, folder: Path) -> Iterator[str]:
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries:
            if entry.name.startswith(".") or entry.is_symlink():
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path))
            elif Path(entry.name).suffix.lower() in SUFFIXES and entry.is_file(follow_symlinks=False):
                yield Path(entry.path).relative_to(self.root).as_posix()
