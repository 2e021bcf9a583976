"""What all layouts become: pictures that are read one by one, so that one broken file harms no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from anymask.core.arrays import BoolArray
from anymask.core.errors import AnymaskError, FormatError, MissingExtraError
from anymask.core.images import Picture
from anymask.evaluate.samples import Problems, Sample, TrueMask


@dataclass(frozen=True)
class Entry:
    """One picture of a data set, not yet read.

    key: names it, as in `Sample`. read: reads the picture of a key; raises AnymaskError if nothing of it can
    be used.
    """

    key: str
    read: Callable[[str], Found]


class Found(NamedTuple):
    """A sample, and what is wrong with those of its masks that were left out."""

    sample: Sample
    complaints: tuple[str, ...]


@dataclass(frozen=True)
class DataSet:
    """Pictures with their true masks, whatever layout they lie in: a `SampleSource`.

    name: of the file or folder. entries: its pictures, in order.
    unpaired: (file name, what is wrong) of files that belong to no picture.
    image_keys: ids that other files (detections) use for pictures, with the pictures' keys.
    categories: ids that they use for classes, with the classes' names.
    """

    name: str
    entries: tuple[Entry, ...]
    unpaired: tuple[tuple[str, str], ...] = ()
    image_keys: Mapping[Any, str] = field(default_factory=dict)
    categories: Mapping[Any, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.entries)

    def samples(self, problems: Problems, *, every: int = 1, done: Container[str] = ()) -> Iterator[Sample]:
        """Read one picture after the other; see `SampleSource.samples`.

        Raises MissingExtraError if the layout needs a package that is not installed.
        """
        for name, what in self.unpaired:
            problems.add(name, what)
        for entry in self.entries[::every]:
            if entry.key in done:
                continue
            try:
                sample, complaints = entry.read(entry.key)
            except MissingExtraError:
                raise
            except (AnymaskError, MemoryError) as error:
                problems.add(entry.key, str(error) or "not enough memory")
                continue
            for complaint in complaints:
                problems.add(entry.key, complaint)
            yield sample


MOST_BYTES = 4 << 30
"""Memory that the masks of one picture may take, a byte a pixel."""


class Drawn(NamedTuple):
    """A mask as its file holds it, or why it cannot be read.

    what: names it inside its picture ("mask 3", "a_mask.png"). area: pixels, as the data states it.
    """

    what: str
    mask: BoolArray | FormatError
    label: str | None = None
    ignore: BoolArray | None = None
    crowd: bool = False
    area: float | None = None


def sample_of(key: str, picture: Picture, drawn: Iterable[Drawn], **about: Any) -> Found:
    """The picture with those of its masks that can be used, and what is wrong with the others.

    about: further fields of `Sample`. Raises FormatError if there were masks and none can be used.
    """
    masks: list[TrueMask] = []
    wrong: list[str] = []
    height, width = picture.image_hw
    for one in drawn:
        if len(masks) * height * width > MOST_BYTES:
            raise FormatError(
                f"more than {len(masks)} masks of {height} x {width} pixels do not fit into memory together; "
                "cut the picture into parts"
            )
        complaint = _complaint(one, picture.image_hw)
        if complaint is None:
            assert not isinstance(one.mask, FormatError)
            masks.append(TrueMask(one.mask, one.label, one.ignore, one.crowd, one.area))
        else:
            wrong.append(complaint)
    if wrong and not masks:
        more = f"; {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise FormatError(f"no mask can be used: {'; '.join(wrong[:3])}{more}")
    return Found(Sample(key, picture, tuple(masks), **about), tuple(wrong))


def plain_values(row: Mapping[str, Any]) -> dict[str, str | int | float]:
    """The words and numbers among a row's values: what can be an attribute of a picture."""
    return {name: value for name, value in row.items() if isinstance(value, (str, int, float))}


def join(sets: Sequence[DataSet], paths: Sequence[Path]) -> DataSet:
    """One data set of several; keys that occur in two of them get their set's name in front."""
    if len(sets) == 1:
        return sets[0]
    counts = Counter(entry.key for one in sets for entry in one.entries)
    clash = any(count > 1 for count in counts.values())
    names = _different([one.name for one in sets], paths)
    renamed = [_prefixed(one, name) if clash else one for one, name in zip(sets, names, strict=True)]
    ids = Counter(key for one in sets for key in one.image_keys)
    return DataSet(
        name=", ".join(one.name for one in sets),
        entries=tuple(entry for one in renamed for entry in one.entries),
        unpaired=tuple(line for one in renamed for line in one.unpaired),
        # An id that means two pictures means none.
        image_keys={i: key for one in renamed for i, key in one.image_keys.items() if ids[i] == 1},
        categories={i: name for one in renamed for i, name in one.categories.items()},
    )


def unique(entries: Sequence[Entry], unpaired: Sequence[tuple[str, str]]) -> tuple[tuple[Any, ...], ...]:
    """Entries with different keys, and the unpaired with those that came twice."""
    found: dict[str, Entry] = {}
    twice = []
    for entry in entries:
        if entry.key in found:
            twice.append((entry.key, "there are two pictures of this name; give them different ones"))
        else:
            found[entry.key] = entry
    return tuple(found.values()), (*unpaired, *twice)


def _complaint(one: Drawn, image_hw: tuple[int, int]) -> str | None:
    if isinstance(one.mask, FormatError):
        return f"{one.what}: {one.mask}"
    if one.mask.shape != image_hw:
        return f"{one.what} has size {one.mask.shape}, the picture {image_hw} (height, width)"
    if not one.mask.any():
        return f"{one.what} is empty"
    return None


def _different(names: Sequence[str], paths: Sequence[Path]) -> list[str]:
    if len(set(names)) == len(names):
        return list(names)
    return [path.as_posix() for path in paths]


def _prefixed(one: DataSet, name: str) -> DataSet:
    return replace(
        one,
        entries=tuple(replace(entry, key=f"{name}/{entry.key}") for entry in one.entries),
        image_keys={i: f"{name}/{key}" for i, key in one.image_keys.items()},
    )
