"""What a job has done, so that it can be taken up again: one JSON line per finished image.

A line is written after the image's files. A line torn by a crash is no line, and its image is done again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from anymask.core.errors import InputError, OutputError
from anymask.core.files import write_atomically

NAME = ".anymask-everything.jsonl"


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
        self._done = [line for line in lines[1:] if isinstance(line, dict)]
        text = "".join(json.dumps(line) + "\n" for line in [{"job": job}, *self._done])
        write_atomically(self._path, text.encode())

    def has(self, image: str, files: list[Path]) -> bool:
        """Whether the image was finished, has not changed since, and its files are all there."""
        entry = _entry(image, files)
        return entry is not None and entry in self._done and all(path.is_file() for path in files)

    def add(self, image: str, files: list[Path]) -> None:
        """The image is finished. Raises OutputError."""
        entry = _entry(image, files)
        if entry is None:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise OutputError(f"cannot write '{self._path}': {error.strerror}; free some space") from error


def _entry(image: str, files: list[Path]) -> dict[str, Any] | None:
    """Names, and what changes when the image does; None for what is no file (stdin)."""
    try:
        facts = Path(image).stat()
    except OSError:
        return None
    return {"files": [str(path) for path in files], "bytes": facts.st_size, "mtime_ns": facts.st_mtime_ns}


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
