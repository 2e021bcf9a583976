"""Files that can be made again, kept as long as they fit into a number of bytes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

from anymask.core.errors import OutputError
from anymask.core.files import write_atomically

_KEPT = 0.9
"""A sweep leaves this share of the budget, so that not every file is followed by a sweep."""


class FileCache:
    """A folder of files named by their makers. For any thread.

    folder: made if it is missing. budget: bytes; files not asked for longest go first.
    """

    def __init__(self, folder: Path, budget: int) -> None:
        self._folder, self._budget = folder, budget
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._bytes = sum(size for _, size, _ in self._files())

    def get(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The content of a file, made if it is not here. A full disk is no error: then it is not kept."""
        place = self._folder / name
        with contextlib.suppress(OSError):
            data = place.read_bytes()
            place.touch()
            return data
        data = make()
        with contextlib.suppress(OutputError):
            write_atomically(place, data)
            self._count(len(data))
        return data

    def forget(self, start: str) -> None:
        """Remove the files whose names start like this."""
        with self._lock:
            for _, size, path in self._files():
                if path.name.startswith(start):
                    path.unlink(missing_ok=True)
                    self._bytes -= size

    def _count(self, size: int) -> None:
        with self._lock:
            self._bytes += size
            if self._bytes <= self._budget:
                return
            files = sorted(self._files())
            self._bytes = sum(size for _, size, _ in files)
            for _, size, path in files[:-1]:  # the newest stays
                if self._bytes <= self._budget * _KEPT:
                    return
                path.unlink(missing_ok=True)
                self._bytes -= size

    def _files(self) -> list[tuple[int, int, Path]]:
        found = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, path))
        return found
