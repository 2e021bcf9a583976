"""Every prompt written down without making anybody wait for the disk."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
_MOST = 10_000
log = logging.getLogger("anymask.studio")


class Recorder(Generic[T]):
    """Writes what it is given in a thread of its own, in order, as much at a time as has gathered.

    write: stores a batch. most: how many may wait; when the disk cannot keep up the oldest are dropped and
    counted, for prompts are worth less than answers. What waits when the process is killed is lost.
    """

    def __init__(self, write: Callable[[Sequence[T]], object], *, most: int = _MOST) -> None:
        self._write, self._most = write, most
        self._waiting: deque[T] = deque()
        self._is_writing = False
        self._is_closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="anymask-recorder", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Have something written soon; returns at once."""
        with self._changed:
            if self._is_closed:
                return
            if len(self._waiting) >= self._most:
                self._waiting.popleft()
                log.warning("prompts come faster than they can be written; one was not recorded")
            self._waiting.append(item)
            self._changed.notify_all()

    def flush(self) -> None:
        """Return when all that was given has been written."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._is_writing)

    def close(self) -> None:
        """Write what waits and end the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                batch = list(self._waiting)
                self._waiting.clear()
                if not batch:
                    return
                self._is_writing = True
            try:
                self._write_what_can_be(batch)
            finally:
                with self._changed:
                    self._is_writing = False
                    self._changed.notify_all()

    def _write_what_can_be(self, batch: Sequence[T]) -> None:
        """Where a batch fails, each of its items alone: one of a picture that has gone must not cost the
        others.
        """
        try:
            self._write(batch)
        except Exception:
            if len(batch) == 1:  # the answer was given; that it could not be written is for the log
                log.exception("a prompt could not be recorded")
                return
            for item in batch:
                self._write_what_can_be([item])
