"""Refusing what must not get into the tables; every error is one line for the person who sent it."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from anymask.core.errors import InputError

_ID = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COLOUR = re.compile(r"#[0-9a-f]{6}")


def new_id() -> str:
    """A fresh id."""
    return uuid.uuid4().hex


def check_id(value: Any, name: str) -> None:
    """Raise InputError unless it is 32 hex digits in lower case."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InputError(f"{name} is {brief(value)}; expected 32 hex digits in lower case (a UUID)")


def check_sha256(value: Any, name: str) -> None:
    """Raise InputError unless it is 64 hex digits in lower case."""
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise InputError(f"{name} is {brief(value)}; expected a SHA-256, 64 hex digits in lower case")


def check_text(value: Any, name: str, longest: int = 500) -> None:
    """Raise InputError unless it is text with something in it, without control characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise InputError(f"{name} is {brief(value)}; expected text of 1 to {longest} characters")
    check_characters(value, name)


def check_characters(value: str, name: str) -> None:
    """Raise InputError for characters that no database keeps, or that would disturb a page or a log."""
    if any(ord(character) < 32 and character not in "\n\t" for character in value):
        raise InputError(f"{name} holds control characters; take them out")
    if any(0xD800 <= ord(character) < 0xE000 for character in value):
        raise InputError(f"{name} holds half of a character; give whole Unicode text")


def check_one_of(value: Any, allowed: Collection[str], name: str) -> None:
    """Raise InputError unless it is one of these."""
    if not isinstance(value, str) or value not in allowed:
        raise InputError(f"{name} is {brief(value)}; expected one of {', '.join(allowed)}")


def check_colour(value: Any) -> None:
    """Raise InputError unless it is #rrggbb in lower case."""
    if not isinstance(value, str) or not _COLOUR.fullmatch(value):
        raise InputError(f"colour is {brief(value)}; expected #rrggbb in lower case")


def check_hotkey(value: Any) -> None:
    """Raise InputError unless it is None or a digit."""
    if value is not None and (not isinstance(value, str) or value not in set("0123456789")):
        raise InputError(f"hotkey is {brief(value)}; expected one digit, or none")


def check_number(value: Any, name: str, least: float = -math.inf) -> None:
    """Raise InputError unless it is None or a finite number of at least `least`."""
    if value is None:
        return
    real = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not real or value < least:
        raise InputError(
            f"{name} is {brief(value)}; expected a finite number"
            + (f" of at least {least:g}" if math.isfinite(least) else "")
        )


def check_whole(value: Any, name: str, least: int = 0, most: int = 2**31 - 1) -> None:
    """Raise InputError unless it is a whole number from `least` to `most`."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(f"{name} is {brief(value)}; expected a whole number from {least} to {most}")


def plain_json(value: Any, name: str) -> Any:
    """A copy as JSON would give it back. Raises InputError for what JSON or a database cannot hold."""
    try:
        text = json.dumps(_unfrozen(value), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{name} cannot be kept as JSON ({error}); use text, finite numbers, lists"
        ) from error
    if "\\u0000" in text:
        raise InputError(f"{name} holds a character of number 0; take it out")
    return json.loads(text)


def check_path(path: Any) -> None:
    """Raise InputError unless it is relative, in normal form, and stays below where it starts.

    Parts are separated by `/`; `..`, `.`, empty parts, drive letters and backslashes are refused.
    """
    check_text(path, "path", 4000)
    parts = path.split("/")
    odd = any(part in ("", ".", "..") for part in parts) or "\\" in path
    if odd or re.match(r"[A-Za-z]:", path):
        raise InputError(f"path is {brief(path)}; expected one inside the workspace, as 'folder/picture.jpg'")
    if any(ord(character) < 32 for character in path):
        raise InputError(f"path is {brief(path)}; a path has no line breaks or tabs")


def brief(value: Any) -> str:
    """A value in a message, on one line, not too long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _unfrozen(value: Any) -> Any:
    """Tuples and mappings of any kind as lists and dictionaries, all the way down."""
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("keys have to be text")
        return {key: _unfrozen(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_unfrozen(item) for item in value]
    return value
