"""Hovering asks faster than anybody can answer: of one client's requests only the latest counts."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any, TypeVar

from anymask.server.problems import Problem

T = TypeVar("T")
_CLIENTS = 4096
"""How many clients are remembered; the one that was quiet longest is forgotten."""


class Turn:
    """One request of a client, until a later one takes its place."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self._over = asyncio.Event()

    def end(self) -> None:
        """A later request has come."""
        self._over.set()

    async def race(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, unless a later request comes first.

        Then `work` is cancelled: what still waits for a thread never runs. Raises Problem (409).
        """
        task = asyncio.ensure_future(work)
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise superseded()
        finally:
            task.cancel()
            over.cancel()


class Turns:
    """The latest request of every client. For one event loop."""

    def __init__(self, clients: int = _CLIENTS) -> None:
        self._limit = clients
        self._latest: OrderedDict[str, Turn] = OrderedDict()

    def take(self, client: str, sequence: int) -> Turn:
        """Begin a client's request and end its earlier one.

        Raises Problem (409) if a request with this sequence or a higher one has come before.
        """
        earlier = self._latest.get(client)
        if earlier is not None:
            if earlier.sequence >= sequence:
                raise superseded()
            earlier.end()
        turn = self._latest[client] = Turn(sequence)
        self._latest.move_to_end(client)
        if len(self._latest) > self._limit:
            self._latest.popitem(last=False)
        return turn


def superseded() -> Problem:
    """409 for a request whose answer nobody waits for any more."""
    return Problem(409, "superseded", "a later request of this client has taken this one's place")
