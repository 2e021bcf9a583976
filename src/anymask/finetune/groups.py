"""Which pictures train, which validate, which are held out; pictures of one group stay together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from anymask.core.errors import InputError

GROUPS = "folder, part:N (a folder of the name, from 0), regex:PATTERN or attribute:NAME"


def group_key(given: str) -> Callable[[str, Mapping[str, Any]], str]:
    """(a picture's key, its attributes) -> its group, as `--group` says.

    "": every picture is its own group. "folder": the folders it lies in. "part:N": the N-th part of its key,
    from 0, of the end if negative. "regex:P": what P's first group (or P) finds in the key.
    "attribute:NAME": what the data says of the picture ("source", "kind", a field of COCO's image row).
    Raises InputError for anything else, and when called on a picture that has no such part.
    """
    kind, _, value = given.partition(":")
    if not given:
        return lambda key, _: key
    if kind == "folder" and not value:
        return lambda key, _: str(PurePosixPath(key).parent)
    if kind == "part" and re.fullmatch(r"-?\d+", value):
        return lambda key, _: _part(key, int(value))
    if kind == "attribute" and value:
        return lambda key, about: _attribute(key, about, value)
    if kind == "regex" and value:
        try:
            pattern = re.compile(value)
        except re.error as error:
            raise InputError(f"--group {given}: no regular expression ({error})") from error
        return lambda key, _: _found(key, pattern)
    raise InputError(f"--group {given!r} is not known; give {GROUPS}")


def needs_attributes(given: str) -> bool:
    """Whether groups depend on more than the pictures' keys."""
    return given.startswith("attribute:")


@dataclass(frozen=True)
class Split:
    """Keys of the pictures, in the order of the data, and the group of each."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    held_out: tuple[str, ...]
    groups: Mapping[str, str]


def split(
    groups: Mapping[str, str], *, held_out: float, validation: float, shots: int = 0, seed: int = 0
) -> Split:
    """Draw the held-out pictures, then those to train on, a share of which validates.

    groups: key -> group. held_out: share of the pictures; 0 holds none out (there is other data for that).
    shots: how many of the others are used at all; 0 all. Groups are never divided, except by `shots`.
    Raises InputError if there are too few groups.
    """
    members: dict[str, list[str]] = {}
    for key, group in groups.items():
        members.setdefault(group, []).append(key)
    sides = 3 if held_out else 2
    if len(members) < sides:
        raise InputError(_too_few(len(groups), len(members), sides))
    rng = np.random.default_rng(seed)
    order = [sorted(members)[i] for i in rng.permutation(len(members))]
    away = _take(order, members, held_out * len(groups), leave=2) if held_out else []
    rest = [name for name in order if name not in set(away)]
    used = _shots(rest, members, shots) if shots else {name: members[name] for name in rest}
    judges = _take(list(used), used, validation * sum(map(len, used.values())), leave=1)
    sides_of = (
        {key for name, keys in used.items() if name not in judges for key in keys},
        {key for name in judges for key in used[name]},
        {key for name in away for key in members[name]},
    )
    train, check, held = (tuple(key for key in groups if key in side) for side in sides_of)
    return Split(train, check, held, groups)


def _take(
    order: Sequence[str], members: Mapping[str, Sequence[str]], wanted: float, *, leave: int
) -> list[str]:
    """Whole groups, until they have about as many pictures as wanted; at least one, and `leave` stay."""
    taken: list[str] = []
    count = 0
    for name in order[: len(order) - leave]:
        size = len(members[name])
        if taken and count + size / 2 > wanted:
            break
        taken.append(name)
        count += size
    return taken


def _shots(order: Sequence[str], members: Mapping[str, Sequence[str]], shots: int) -> dict[str, list[str]]:
    """One picture of each group in turn, until there are `shots`: few pictures should differ."""
    chosen: dict[str, list[str]] = {name: [] for name in order}
    for turn in range(max(len(members[name]) for name in order)):
        for name in order:
            if sum(map(len, chosen.values())) < shots and turn < len(members[name]):
                chosen[name].append(members[name][turn])
    return {name: keys for name, keys in chosen.items() if keys}


def _too_few(pictures: int, groups: int, sides: int) -> str:
    what = f"{pictures} pictures" if pictures != 1 else "1 picture"
    what += "" if groups == pictures else f" in {groups} groups"
    if sides == 3:
        return (
            f"{what}: too few to train on one, validate on another and hold out a third; give at least 3, or "
            "--val with pictures of their own"
        )
    return f"{what}: too few to train on one and validate on another; give at least 2"


def _part(key: str, number: int) -> str:
    parts = PurePosixPath(key).parts
    try:
        return parts[number]
    except IndexError:
        raise InputError(
            f"--group part:{number}: '{key}' has {len(parts)} parts; give a smaller number"
        ) from None


def _found(key: str, pattern: re.Pattern[str]) -> str:
    match = pattern.search(key)
    if match is None:
        raise InputError(
            f"--group regex:{pattern.pattern} finds nothing in '{key}'; give one that always does"
        )
    return match[1] if match.re.groups else match[0]


def _attribute(key: str, about: Mapping[str, Any], name: str) -> str:
    if about.get(name) in (None, ""):
        known = ", ".join(sorted(n for n, value in about.items() if value not in (None, ""))) or "none"
        raise InputError(f"--group attribute:{name}: '{key}' has no such attribute; it has {known}")
    return str(about[name])
