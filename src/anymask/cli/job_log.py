"""What a job has done, so that it can be taken up again: one JSON line per finished image.

A line is written after the image's files. A line torn by a crash is no line, and its image is done again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from anymask.core.errors import InputError, OutputError
from anymask.core.files import remove_temporaries, write_atomically

NAME = ".anymask-everything.jsonl"
LOCK = ".anymask-everything.lock"
"""Held in the log's folder while a job runs."""


class JobLog:
    """The log of one job in the folder of its results."""

    def __init__(self, folder: Path, job: dict[str, Any], *, afresh: bool) -> None:
        """Take up the log of `folder`, or begin it.

        job: what the results depend on, in JSON values. afresh: forget what was done.
        Raises InputError if the log is of another job, OutputError if it cannot be written.
        """
        self._path = folder / NAME
        lines = [] if afresh else _lines(self._path)
        if lines and lines[0] != {"job": job}:
            raise InputError(
                f"'{folder}' holds the results of a run with other settings or another model; "
                "give another folder, or --overwrite"
            )
        done = [json.dumps(line) for line in lines[1:] if isinstance(line, dict)]
        self._done = set(done)
        text = "".join(f"{line}\n" for line in [json.dumps({"job": job}), *done])
        write_atomically(self._path, text.encode())

    def entry(self, image: str, files: list[Path]) -> str | None:
        """The line that an image will have, as it is now; None for what is no file (stdin)."""
        try:
            facts = Path(image).stat()
        except OSError:
            return None
        names = [str(path) for path in files]
        return json.dumps({"files": names, "bytes": facts.st_size, "mtime_ns": facts.st_mtime_ns})

    def has(self, entry: str | None, files: list[Path]) -> bool:
        """Whether the image was finished, has not changed since, and its files are all there."""
        return entry in self._done and all(path.is_file() for path in files)

    def add(self, entry: str | None) -> None:
        """The image is finished. Raises OutputError."""
        if entry is None:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{entry}\n")
        except OSError as error:
            raise OutputError(f"cannot write '{self._path}': {error.strerror}; free some space") from error


def clear_up(folders: Iterable[Path]) -> None:
    """Remove the halves of files that a killed run left in its folders. Only under the lock."""
    for folder in sorted(set(folders)):
        remove_temporaries(folder)


def _lines(path: Path) -> list[Any]:
    if not path.is_file():
        return []
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue
    return lines
