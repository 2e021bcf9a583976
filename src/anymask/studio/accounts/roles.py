"""The three roles; each may do what the ones before it may."""

from __future__ import annotations

from anymask.store import User

ROLES = ("annotator", "reviewer", "admin")


def has_role(user: User, least: str) -> bool:
    """Whether a person's role is `least` or above."""
    return ROLES.index(user.role) >= ROLES.index(least)
