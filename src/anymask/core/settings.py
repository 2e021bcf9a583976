"""Settings given as `name=value` on a command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from anymask.core.errors import InputError

_KINDS: Final[Mapping[type, tuple[str, tuple[type, ...]]]] = {
    bool: ("true or false", (bool,)),
    int: ("a whole number", (int,)),
    float: ("a number", (int, float)),
    str: ("a word", (str,)),
}


def read_settings(entries: Sequence[str], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What `--set NAME=VALUE` says, later ones counting: values are JSON, or else plain words.

    defaults: the settings there are, by name. A value must be of its default's kind where that is a number, a
    word, true or false; anything else is left to whoever uses it.
    Raises InputError for an entry that is no pair, an unknown name and a value of another kind.
    """
    values: dict[str, Any] = {}
    for entry in entries:
        name, is_pair, text = entry.partition("=")
        if not is_pair or name not in defaults:
            raise InputError(f"--set {entry!r}: give NAME=VALUE, NAME one of {', '.join(sorted(defaults))}")
        values[name] = _of_kind(entry, _value(text), defaults[name])
    return values


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _of_kind(entry: str, value: Any, default: Any) -> Any:
    expected, kinds = _KINDS.get(type(default), ("", ()))
    if kinds and type(value) not in kinds:  # exactly: to isinstance, true is a whole number
        raise InputError(f"--set {entry!r}: the value must be {expected}")
    return value
