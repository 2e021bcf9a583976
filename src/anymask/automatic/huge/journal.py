"""What the windows of a huge image gave: one JSON line per window, written when the window is done.

A run that is killed, even in the middle of a line, is taken up after the last whole line.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from io import RawIOBase
from pathlib import Path
from typing import Any

from anymask.automatic.huge.masks import WindowMask
from anymask.core.errors import InputError, OutputError

_NAME = "windows.jsonl"
_KEPT_MASKS = 50_000


class Journal:
    """The masks of every window that is done, on disk; the latest that were read also in memory."""

    def __init__(self, folder: Path, job: dict[str, Any], *, afresh: bool = False) -> None:
        """Take up the journal in `folder`, or begin it.

        job: what the masks depend on, as JSON values. afresh: forget what is there.
        Raises InputError if the journal is of another job, OutputError if it cannot be written.
        """
        self._path = folder / _NAME
        self._offsets: list[int] = []
        self._kept: OrderedDict[int, list[WindowMask]] = OrderedDict()
        self._count = 0
        head = _line({"job": job})
        try:
            end = 0 if afresh else self._take_up(head)
            with self._path.open("ab") as file:
                file.truncate(end)
                if end == 0:
                    file.write(head)
        except OSError as error:
            raise self._cannot_write(error) from error

    def __len__(self) -> int:
        """Windows that are done; they are the first ones."""
        return len(self._offsets)

    def add(self, masks: list[WindowMask]) -> None:
        """The next window is done. Raises OutputError; then the window is not."""
        line = _line([mask.to_json() for mask in masks])
        try:
            with self._path.open("r+b", buffering=0) as file:
                start = file.seek(0, os.SEEK_END)
                try:
                    _write(file, line)
                except OSError:
                    file.truncate(start)
                    raise
        except OSError as error:
            raise self._cannot_write(error) from error
        self._offsets.append(start)

    def masks(self, window: int) -> list[WindowMask]:
        """What a window gave."""
        if window in self._kept:
            self._kept.move_to_end(window)
            return self._kept[window]
        with self._path.open("rb") as file:
            file.seek(self._offsets[window])
            found = [WindowMask.from_json(value) for value in json.loads(file.readline())]
        self._kept[window] = found
        self._count += len(found)
        while self._count > _KEPT_MASKS and len(self._kept) > 1:
            self._count -= len(self._kept.popitem(last=False)[1])
        return found

    def _take_up(self, head: bytes) -> int:
        """Find the whole lines; return where they end. A line torn by a crash is no line."""
        if not self._path.is_file():
            return 0
        end = 0
        with self._path.open("rb") as file:
            first = file.readline()
            if not first.endswith(b"\n"):
                return 0
            if first != head:
                raise InputError(
                    f"'{self._path.parent}' is a run of another image, model or other settings; "
                    "give another place for the results, or start afresh (--overwrite)"
                )
            end = file.tell()
            for line in iter(file.readline, b""):
                if not line.endswith(b"\n"):
                    break
                self._offsets.append(end)
                end += len(line)
        return end

    def _cannot_write(self, error: OSError) -> OutputError:
        return OutputError(
            f"cannot write '{self._path}': {error.strerror}; free some space and run the same again, "
            "it goes on from here"
        )


def _write(file: RawIOBase, data: bytes) -> None:
    """All of it: a disk that is nearly full takes a part without an error."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) or 0 :]


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
