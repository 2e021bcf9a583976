"""Threads for the work on masks. NumPy, OpenCV and the runtimes let others run while they compute.

Whatever their number, the results are the same and come in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

_END: Final = object()


class Workers:
    """A number of threads, the caller's own among them; to be closed, best by `with`."""

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

    def ahead(self, items: Iterator[In]) -> Iterator[In]:
        """The items, each made while the caller works on the one before it."""
        if self._pool is None:
            yield from items
            return
        coming = self._pool.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = self._pool.submit(next, items, _END)
            yield item  # type: ignore[misc]  # next gives an item or _END


ALONE: Final = Workers()
