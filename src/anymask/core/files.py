"""Writing files so that a reader sees the old content or the new, never half of one."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from anymask.core.errors import OutputError


def write_atomically(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write `data` to `path` through a temporary file beside it; an existing file is replaced in one step.

    A link keeps pointing where it did: the file behind it is replaced. Something that is not a regular file
    (a pipe, /dev/null) is written to directly. Returns the path.

    Raises OutputError if the folder is missing, the path is a folder, or the write fails (the old content
    stays).
    """
    target = Path(path)
    try:
        real = Path(os.path.realpath(target))
        _check_target(target, real)
        if real.exists() and not real.is_file():
            real.write_bytes(data)
        else:
            _replace(real, data)
    except OutputError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"cannot write '{target}': {reason}; choose another place or free some space"
        ) from error
    return target


def _check_target(target: Path, real: Path) -> None:
    if real.is_dir():
        raise OutputError(f"cannot write '{target}': it is a folder; give a file name")
    if not real.parent.is_dir():
        raise OutputError(
            f"cannot write '{target}': the folder '{real.parent}' does not exist; create it first"
        )


def _replace(real: Path, data: bytes) -> None:
    # A short name of its own: the target's name plus a suffix could be longer than the file system allows.
    temporary = real.parent / f".anymask-{secrets.token_hex(8)}.tmp"
    try:
        with temporary.open("xb") as file:
            file.write(data)
        if real.exists():
            temporary.chmod(real.stat().st_mode & 0o777)
        temporary.replace(real)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
