"""Passwords and tokens: what is kept of them lets nobody in."""

from __future__ import annotations

import functools
import hashlib
import secrets
from typing import TYPE_CHECKING

from anymask.core.errors import InputError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST, MOST = 10, 1000


def check_password(password: str) -> None:
    """Raise InputError for a password that is too short or too long (which would cost hours of hashing)."""
    if not isinstance(password, str) or not LEAST <= len(password) <= MOST:
        raise InputError(f"the password is not of {LEAST} to {MOST} characters; choose another")


def hash_password(password: str) -> str:
    """argon2id with a salt of its own."""
    check_password(password)
    return _hasher().hash(password)


def is_password(stored: str | None, password: str) -> bool:
    """Whether it is the password behind `stored`; the same work where there is none to compare with."""
    from argon2.exceptions import InvalidHashError, VerificationError

    if not isinstance(password, str) or len(password) > MOST:
        return False
    try:
        fits = _hasher().verify(stored or _of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return fits and stored is not None


def new_token() -> str:
    """256 bits that cannot be guessed, as text for a URL or cookie."""
    return secrets.token_urlsafe(32)


def token_sha256(token: str) -> str:
    """What is kept of a token. Tokens are random, so one plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


@functools.cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@functools.cache
def _of_nobody() -> str:
    """A hash to compare with where there is no such user."""
    return _hasher().hash(secrets.token_urlsafe(32))
