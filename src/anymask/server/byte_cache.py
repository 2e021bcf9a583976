"""Values kept as long as they fit into a number of bytes; those not used for longest go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class ByteCache(Generic[K, V]):
    """For one thread, the event loop's.

    budget: bytes in all; the newest value stays even if it alone takes more. size: bytes of a value.
    """

    def __init__(self, budget: int, size: Callable[[V], int]) -> None:
        self._budget, self._size = budget, size
        self._values: OrderedDict[K, V] = OrderedDict()
        self._bytes = 0

    @property
    def nbytes(self) -> int:
        """What all values take together."""
        return self._bytes

    def __contains__(self, key: K) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[K]:
        return iter(tuple(self._values))

    def get(self, key: K) -> V | None:
        """The value, now the last to go; None if it is not here."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key]

    def put(self, key: K, value: V) -> None:
        """Keep a value, and let go what no longer fits."""
        self.drop(key)
        self._values[key] = value
        self._bytes += self._size(value)
        while self._bytes > self._budget and len(self._values) > 1:
            self.drop(next(iter(self._values)))

    def drop(self, key: K) -> None:
        """Forget a value, if it is here."""
        if key in self._values:
            self._bytes -= self._size(self._values.pop(key))
