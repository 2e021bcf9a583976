"""Where models compute: a few threads with short queues, so that the event loop never waits for one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from anymask.server.problems import busy

T = TypeVar("T")
_LANES = ("images", "prompts", "everything", "files", "fetches")


class Lane:
    """One kind of work, done piece after piece in a thread of its own.

    name: in words, for messages. waiting: how many pieces may wait; the next one is refused. seconds: how
    long a caller waits.
    """

    def __init__(self, name: str, *, waiting: int, seconds: float) -> None:
        self._name, self._limit, self._seconds = name, waiting + 1, seconds
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"anymask-{name}")
        self._lock = threading.Lock()
        self._unfinished = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Do the work here and return its result.

        Raises Problem (503) if too many wait or the time is up, and what the work raises. Work that has not
        begun by then never does.
        """
        return await self.within(self.queue(work))

    async def queue(self, work: Callable[[], T]) -> T:
        """As `run`, waiting as long as it takes: for work whose result several may use."""
        return await asyncio.wrap_future(self._submit(work))

    async def within(self, result: Awaitable[T]) -> T:
        """The result, if it comes in time. Raises Problem (503) otherwise."""
        try:
            async with asyncio.timeout(self._seconds):
                return await result
        except TimeoutError:
            raise busy(f"{self._name} took longer than {self._seconds:g} s; ask again later") from None

    def close(self) -> None:
        """Drop what waits. Work that has begun is finished by its thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._unfinished >= self._limit:
                raise busy(f"too many requests wait for {self._name}; try again in a moment")
            self._unfinished += 1
        future = self._thread.submit(work)
        future.add_done_callback(self._count_down)
        return future

    def _count_down(self, future: Future[Any]) -> None:
        with self._lock:
            self._unfinished -= 1


@dataclass(frozen=True)
class Lanes:
    """One lane per kind of work, so that a click never waits behind a grid of a thousand.

    images: reading pictures and embedding them. prompts: clicks. everything: whole grids. files: filters
    and conversions. fetches: pictures from Label Studio.
    """

    waiting: int
    seconds: float
    images: Lane = field(init=False)
    prompts: Lane = field(init=False)
    everything: Lane = field(init=False)
    files: Lane = field(init=False)
    fetches: Lane = field(init=False)

    def __post_init__(self) -> None:
        for name in _LANES:
            object.__setattr__(self, name, Lane(name, waiting=self.waiting, seconds=self.seconds))

    def close(self) -> None:
        """Stop all of them."""
        for name in _LANES:
            getattr(self, name).close()
