"""Tar shards: pairs `<key>.<image extension>` and `<key>.json`, as `formats/shards.py` describes them."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from anymask.core.errors import FormatError
from anymask.core.images import load_image
from anymask.core.rle import Rle, decode
from anymask.evaluate.datasets.dataset import DataSet, Drawn, Entry, Found, plain_values, sample_of, unique
from anymask.formats.checks import listing, mapping
from anymask.formats.parsing import parse_json


def open_shard(path: Path) -> DataSet:
    """The pictures of one shard. Raises FormatError if it is missing or no tar."""
    entries: list[Entry] = []
    unpaired: list[tuple[str, str]] = []
    waiting: dict[str, tarfile.TarInfo] = {}
    for member in _members(path, unpaired):
        key, _, _ = member.name.rpartition(".")
        other = waiting.pop(key, None)
        if other is None:
            waiting[key] = member
        elif _is_json(other) == _is_json(member):
            unpaired.append((member.name, "there are two such files of this name in the shard"))
            waiting[key] = other
        else:
            picture, about = (other, member) if _is_json(member) else (member, other)
            entries.append(Entry(key, _reader(path, picture, about)))
    for member in waiting.values():
        missing = "picture" if _is_json(member) else "JSON"
        unpaired.append((member.name, f"its {missing} is not in the shard"))
    found, lines = unique(entries, unpaired)
    return DataSet(path.name, found, lines)


def _members(path: Path, unpaired: list[tuple[str, str]]) -> Iterator[tarfile.TarInfo]:
    """The files of a shard; where it is cut off, those before that place."""
    try:
        with tarfile.open(path, "r:") as tar:
            try:
                yield from (member for member in tar if member.isreg() and "." in member.name)
            except tarfile.TarError as error:
                unpaired.append((path.name, f"the shard is damaged or cut off: {error}"))
    except (tarfile.TarError, OSError) as error:
        raise FormatError(f"'{path}' is no shard (a tar of images and JSON): {error}") from error


def _is_json(member: tarfile.TarInfo) -> bool:
    return member.name.endswith(".json")


def _reader(path: Path, picture: tarfile.TarInfo, about: tarfile.TarInfo) -> Callable[[str], Found]:
    def read(key: str) -> Found:
        facts = mapping(parse_json(_bytes(path, about)), about.name)
        return sample_of(
            key,
            load_image(_bytes(path, picture)),
            _drawn(facts),
            source=str(facts.get("source", "unknown")),
            kind=str(facts["kind"]) if facts.get("kind") else None,
            zero_shot=bool(facts.get("zero_shot", False)),
            exhaustive=bool(facts.get("exhaustive", False)),
            attributes=plain_values(facts),
        )

    return read


def _bytes(path: Path, member: tarfile.TarInfo) -> bytes:
    """The content of a file, read at its place: the table of contents is known already."""
    try:
        with path.open("rb") as file:
            file.seek(member.offset_data)
            data = file.read(member.size)
    except OSError as error:
        raise FormatError(f"cannot read '{path}': {error.strerror or error}") from error
    if len(data) < member.size:
        raise FormatError(f"{member.name} is cut off in the shard")
    return data


def _drawn(facts: Mapping[str, Any]) -> Iterator[Drawn]:
    rows = listing(facts.get("masks", []), "'masks'")
    if not rows:
        raise FormatError("there are no masks in its JSON")
    for number, row in enumerate(rows):
        try:
            entry = mapping(row, "the entry")
            label = entry.get("label")
            yield Drawn(f"mask {number}", decode(Rle.from_coco(entry.get("rle"))), label and str(label))
        except FormatError as error:
            yield Drawn(f"mask {number}", error)
