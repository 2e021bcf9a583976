"""The journal of a run, so that a killed run goes on: a header line, then one JSON line per finished work.

A line is appended and flushed when its work is done. What follows the last complete line is torn and is cut
off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from anymask.core.errors import AnymaskError, InputError, OutputError


class Journal:
    """The lines of one run, in a file or, without a path, in memory only. Use it in a `with` statement.

    entries: the lines after the header, those of an earlier run first.
    """

    def __init__(self, path: Path | None, header: Mapping[str, Any], *, fresh: bool = False) -> None:
        """Take up the journal, or begin it.

        header: what the lines depend on (protocol, settings, predictors, data), JSON values.
        fresh: forget what an earlier run did.
        Raises InputError if the file holds a run with another header, is no journal or is being written by
        another process, OutputError if it cannot be written.
        """
        self._path = path
        self._file: IO[bytes] | None = None
        self.entries: list[dict[str, Any]] = []
        if path is None:
            return
        wanted = json.loads(json.dumps(header))
        try:
            self._file = path.open("a+b")
            self._take_up(path, wanted, fresh=fresh)
        except AnymaskError:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise self._failure(error) from error

    def _take_up(self, path: Path, wanted: dict[str, Any], *, fresh: bool) -> None:
        assert self._file is not None
        _lock(self._file, path)
        self._file.seek(0)
        data = b"" if fresh else self._file.read()
        lines, length = _complete_lines(data)
        if not lines and b"\n" in data:
            raise InputError(
                f"'{path}' is no journal of a run; give another name with -o, or --fresh to replace it"
            )
        if lines and lines[0] != wanted:
            raise InputError(
                f"'{path}' holds a run with other settings ({_difference(lines[0], wanted)}); "
                "give another name with -o, or --fresh to begin again"
            )
        self.entries = lines[1:]
        self._file.truncate(length)
        if not lines:
            self._write(wanted)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append a line (JSON values) and hand it to the system. Raises OutputError."""
        self.entries.append(json.loads(json.dumps(entry)))
        self._write(entry)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let others write the file."""
        if self._file is not None:
            self._file.close()

    def _write(self, entry: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(entry).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> OutputError:
        return OutputError(
            f"cannot write '{self._path}': {error.strerror or error}; choose another place or free some space"
        )


def _lock(file: IO[bytes], path: Path) -> None:
    """Keep other processes from writing the same journal; the system frees it when this one ends or dies."""
    try:
        import fcntl
    except ImportError:  # Windows has no such locks, and its others would keep readers out, too
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            f"another run is writing '{path}'; wait for its end, or give another name with -o"
        ) from None


def _complete_lines(data: bytes) -> tuple[list[dict[str, Any]], int]:
    """The JSON objects of the leading whole lines, and how many bytes these take."""
    lines: list[dict[str, Any]] = []
    length = 0
    for line in data.splitlines(keepends=True):
        try:
            entry = json.loads(line)
        except ValueError:
            break
        if not line.endswith(b"\n") or not isinstance(entry, dict):
            break
        lines.append(entry)
        length += len(line)
    return lines, length


def _difference(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Names of what differs, one level deep."""
    names = []
    for name in sorted({*found, *wanted}):
        one, other = found.get(name), wanted.get(name)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            names += [key for key in sorted({*one, *other}) if one.get(key) != other.get(key)]
        else:
            names.append(name)
    return ", ".join(names)
