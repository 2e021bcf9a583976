"""One process at a time in a folder of results."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from anymask.core.errors import InputError, OutputError


@contextlib.contextmanager
def alone_in(folder: Path, name: str) -> Iterator[None]:
    """Hold the file `name` in the folder for the time of the block, then remove it.

    The system lets go of it when the process dies, however that happens.
    Raises InputError if another process holds it, OutputError if it cannot be made.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / name)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise InputError(
            f"another run is at work in '{folder}'; wait for its end, or give another place for the results"
        ) from None
    except OSError as error:
        raise OutputError(
            f"cannot write '{folder / name}': {error.strerror}; choose another place or free some space"
        ) from error
    try:
        yield
    finally:
        (folder / name).unlink(missing_ok=True)
        lock.release()
