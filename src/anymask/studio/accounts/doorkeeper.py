"""Passwords are checked slowly, one after the other, and not too often for one caller or one name."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from anymask.server.lanes import Lane
from anymask.server.problems import Problem
from anymask.server.rates import Rates
from anymask.store import Store, User

T = TypeVar("T")
_WAITING = 32
_SECONDS = 20.0


class Doorkeeper:
    """For one event loop. clock: seconds.

    A hash of a password takes much time and memory by design: in a lane of its own, strangers cannot make the
    server work on hundreds at a time.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._lane = Lane("logins", waiting=_WAITING, seconds=_SECONDS)
        self._callers = Rates(1 / 3, clock, burst=10)
        # Many callers guessing at one name; generous, so that nobody is locked out by others' guesses.
        self._names = Rates(1.0, clock, burst=60)

    async def check(self, name: str, password: str, client: str) -> User:
        """Whose name and password these are.

        Raises Problem: 401, always after the same work, whether there is such a name or not; 429 after too
        many wrong ones; 503 if too many wait.
        """
        key = name.casefold()
        self._callers.check(client)
        self._names.check(key)
        user = await self._lane.run(partial(self._store.people.check_password, name, password))
        if user is None:
            self._callers.take(client)
            self._names.take(key)
            raise Problem(401, "wrong_login", "this name and password do not go together; try again")
        return user

    async def with_token(self, work: Callable[[], T | None], client: str) -> T:
        """What `work` makes of a one-time token, which also hashes a password; None if the token is wrong.

        Raises Problem: 403 for a wrong token, 429, 503.
        """
        self._callers.check(client)
        made = await self._lane.run(work)
        if made is None:
            self._callers.take(client)
            raise Problem(403, "wrong_token", "this link is wrong, used or too old; ask for a new one")
        return made

    async def hashed(self, work: Callable[[], T]) -> T:
        """The result of work that hashes a password. Raises what it raises, Problem (503)."""
        return await self._lane.run(work)

    def close(self) -> None:
        """Let the thread end."""
        self._lane.close()
