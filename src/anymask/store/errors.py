"""What can go wrong in the store beside wrong input (InputError, which a caller could have known).

StoreError (AnymaskError)
├── Conflict     somebody else was first; carries the present head of the object
├── LeaseLost    the task or job is no longer held by who says so
└── NotFound     no row of this id
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from anymask.core.errors import AnymaskError

if TYPE_CHECKING:
    from anymask.store.values import Mask


class StoreError(AnymaskError):
    """The store cannot do what was asked in its present state."""


class Conflict(StoreError):  # noqa: N818 - what happened, not a mistake
    """Somebody else changed the same thing first.

    head: the present mask of the object that was to be changed, or None where the conflict is about another
        thing.
    """

    def __init__(self, message: str, head: Mask | None = None) -> None:
        super().__init__(message)
        self.head = head


class LeaseLost(StoreError):  # noqa: N818 - what happened, not a mistake
    """A task or job is held by somebody else by now, or by nobody."""


class NotFound(StoreError):  # noqa: N818 - what happened, not a mistake
    """There is no row of this id."""
