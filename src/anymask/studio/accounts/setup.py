"""The first administrator: comes in by a link that works once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading

from anymask.store import Store, User
from anymask.studio.config import StudioConfig


class Setup:
    """Holds the token of the link while an administrator is missing; a restart makes a new one."""

    def __init__(self, config: StudioConfig, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._token = secrets.token_urlsafe(24) if config.has_accounts else None

    @property
    def is_open(self) -> bool:
        """Whether the first administrator is missing."""
        return self._token is not None and self._store.people.count() == 0

    def link(self, address: str) -> str | None:
        """The page that makes the first administrator, or None. address: the studio's, without a final /."""
        return f"{address}/#/setup?token={self._token}" if self.is_open else None

    def make_admin(self, token: str, name: str, password: str) -> User | None:
        """The first administrator, or None for a wrong token or one that was used.

        Raises Conflict (the name is taken), InputError.
        """
        known = self._token or secrets.token_urlsafe(24)
        is_right = hmac.compare_digest(_digest(token), _digest(known))  # in constant time
        with self._lock:
            if not is_right or not self.is_open:
                return None
            return self._store.people.create(name, "admin", password=password)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
