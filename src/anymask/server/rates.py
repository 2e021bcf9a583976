"""How often a client may ask: a bucket of tokens that fills at a steady rate."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from anymask.server.problems import Problem

_CLIENTS = 10_000


class Rates:
    """One bucket per client.

    per_second: how fast it fills, or None for no limit. clock: seconds. burst: what it holds; two seconds'
    worth unless given. Only the clients seen last are remembered, so that strangers cannot fill the memory.
    """

    def __init__(
        self, per_second: float | None, clock: Callable[[], float], *, burst: float | None = None
    ) -> None:
        self._rate, self._clock = per_second, clock
        self._burst = burst or max(1.0, 2 * (per_second or 1))
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, when

    def check(self, client: str) -> None:
        """Raise Problem (429) if the client has nothing left."""
        if self._rate is None:
            return
        left = self._left(client)
        if left < 1:
            seconds = math.ceil((1 - left) / self._rate)
            raise Problem(
                429,
                "too_often",
                f"too many requests from this address; try again in {seconds} s",
                {"Retry-After": str(seconds)},
            )

    def take(self, client: str) -> None:
        """Count one request. Raises Problem (429) if the client has nothing left."""
        self.check(client)
        if self._rate is not None:
            self._buckets[client] = self._left(client) - 1, self._clock()
            self._buckets.move_to_end(client)
            if len(self._buckets) > _CLIENTS:
                self._buckets.popitem(last=False)

    def _left(self, client: str) -> float:
        tokens, when = self._buckets.get(client, (self._burst, self._clock()))
        return min(self._burst, tokens + (self._clock() - when) * (self._rate or 0))
