"""Threads for work on whole masks, of which NumPy and OpenCV do most without holding the interpreter.

Whatever their number, the results are the same and come in the same order. Many small steps are no such
work: two threads with them take longer than one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


class Workers:
    """A number of threads, to be closed, best by `with`."""

    def __init__(self, count: int = 1) -> None:
        """count: threads that compute at a time; 1 is the caller alone."""
        self.count = max(1, count)
        self._pool = ThreadPoolExecutor(self.count, "anymask-masks") if self.count > 1 else None

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def map(self, call: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
        """`call` of each item, in their order. Raises what the first call that fails raises."""
        some = list(items)
        if self._pool is None or len(some) < 2:
            return [call(item) for item in some]
        return list(self._pool.map(call, some))


ALONE: Final = Workers()
