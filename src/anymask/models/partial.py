"""A file that is still arriving: it survives interruptions and knows its own SHA-256 at any moment."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from anymask.core.errors import OutputError
from anymask.models.cache import cannot_write, format_bytes

_CHUNK = 1 << 20


class PartialFile:
    """`TARGET.part` and, beside it, `TARGET.part.validator` (the server's name for this version of the file).

    A context manager; opening continues what an earlier process left behind (whose bytes are hashed again).
    Writes go straight to the operating system, so a killed process loses nothing that `size` counted.
    All methods raise OutputError when the disk does not take it; what is there stays, to be continued.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self._validator_path = target.with_name(target.name + ".part.validator")
        self._hash = hashlib.sha256()
        self._file = -1
        self.size = 0

    def __enter__(self) -> Self:
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            while chunk := os.read(self._file, _CHUNK):
                self._hash.update(chunk)
                self.size += len(chunk)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes so far, 64 hexadecimal digits."""
        return self._hash.hexdigest()

    @property
    def validator(self) -> str | None:
        """What the server called the version these bytes belong to (for `If-Range`), if it said so."""
        try:
            return self._validator_path.read_text(encoding="ascii") or None
        except (OSError, ValueError):
            return None

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        rest = memoryview(data)
        while rest:
            try:
                written = os.write(self._file, rest)
            except OSError as error:
                raise self._full(error) from error
            self._hash.update(rest[:written])
            self.size += written
            rest = rest[written:]

    def restart(self, validator: str | None = None) -> None:
        """Throw away the bytes so far and expect version `validator` from the first byte on."""
        try:
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
            self._validator_path.write_text(validator or "", encoding="ascii")
        except OSError as error:
            raise self._full(error) from error
        self._hash = hashlib.sha256()
        self.size = 0

    def finish(self) -> Path:
        """Move the file to its target in one step and return that."""
        try:
            os.fsync(self._file)
            self._close()
            self.path.replace(self.target)
            self._validator_path.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(self.target, error) from error
        return self.target

    def discard(self) -> None:
        """Remove the file and its validator."""
        self._close()
        self.path.unlink(missing_ok=True)
        self._validator_path.unlink(missing_ok=True)

    def _close(self) -> None:
        # Windows renames and removes no open file, so this comes before leaving the context, too.
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _full(self, error: OSError) -> OutputError:
        why = error.strerror or str(error)
        return OutputError(
            f"Cannot write {self.path}: {why}; {format_bytes(self.size)} are kept: free some space (or set "
            "ANYMASK_HOME to a larger disk) and run the same command again to continue."
        )
