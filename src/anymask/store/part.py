"""What the parts of the store have in common."""

from __future__ import annotations

from anymask.store.database import Database


class Part:
    """Operations on some of the tables; every public method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
