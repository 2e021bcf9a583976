"""Passwords hashed with little work: it is slow by design, and would take most of the tests' time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from anymask.store import passwords


@contextlib.contextmanager
def cheap_passwords() -> Iterator[None]:
    """In this block passwords are hashed by the same function with the least work it can do."""
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: hasher)
        passwords._of_nobody.cache_clear()
        yield
    passwords._of_nobody.cache_clear()
