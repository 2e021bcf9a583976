"""The same thing asked by several at once is worked out once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Joins those who ask for a key to the work that is under way for it. For one event loop."""

    def __init__(self) -> None:
        self._flights: dict[K, asyncio.Future[V]] = {}

    async def get(self, key: K, work: Callable[[], Awaitable[V]]) -> V:
        """The result of `work`, or of the same work begun by another; raises what it raises.

        Whoever stops waiting does not stop the work for the others.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.ensure_future(work())
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(flight)

    def _landed(self, key: K, flight: asyncio.Future[V]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # looked at, so that asyncio does not complain if nobody waits any more
