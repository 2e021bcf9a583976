"""Writing files so that a reader sees the old content or the new, never half of one."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from anymask.core.errors import AnymaskError, OutputError

_PREFIX, _SUFFIX = ".anymask-", ".tmp"


def write_atomically(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write `data` to `path` through a temporary file beside it; an existing file is replaced in one step.

    A link keeps pointing where it did: the file behind it is replaced. Something that is not a regular file
    (a pipe, /dev/null) is written to directly. Returns the path.

    Raises OutputError if the folder is missing, the path is a folder, or the write fails (the old content
    stays).
    """
    target = Path(path)
    with replacing(target) as place:
        place.write_bytes(data)
    return target


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file beside `path` to be written in the block; when the block ends it takes its place.

    As `write_atomically`, for what is too large for memory: after an error the old content stays.
    Raises OutputError as there, also for an OSError in the block.
    """
    target = Path(path)
    try:
        real = Path(os.path.realpath(target))
        _check_target(target, real)
        if real.exists() and not real.is_file():
            yield real
        else:
            with _temporary(real) as place:
                yield place
    except AnymaskError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"cannot write '{target}': {reason}; choose another place or free some space"
        ) from error


def _check_target(target: Path, real: Path) -> None:
    if real.is_dir():
        raise OutputError(f"cannot write '{target}': it is a folder; give a file name")
    if not real.parent.is_dir():
        raise OutputError(
            f"cannot write '{target}': the folder '{real.parent}' does not exist; create it first"
        )


def remove_temporaries(folder: Path) -> None:
    """Remove what killed processes left half written in a folder.

    Only for a folder that nobody else is writing to: a file that is being written would go, too.
    """
    for left in folder.glob(f"{_PREFIX}{'[0-9a-f]' * 16}{_SUFFIX}"):
        with contextlib.suppress(OSError):
            left.unlink()


@contextlib.contextmanager
def _temporary(real: Path) -> Iterator[Path]:
    # A short name of its own: the target's name plus a suffix could be longer than the file system allows.
    temporary = real.parent / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
    try:
        temporary.open("xb").close()
        yield temporary
        if real.exists():
            temporary.chmod(real.stat().st_mode & 0o777)
        temporary.replace(real)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
