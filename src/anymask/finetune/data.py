"""The user's data: opened, chosen, decoded once."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anymask.core.errors import InputError, OutputError
from anymask.core.rle import encode
from anymask.evaluate.datasets import open_samples
from anymask.evaluate.datasets.dataset import DataSet
from anymask.evaluate.samples import Problems, Sample
from anymask.finetune.groups import Split, group_key, needs_attributes, split
from anymask.finetune.settings import Settings
from anymask.train.shards import Sample as CachedSample
from anymask.train.shards import ShardCache, write_cache

Progress = Callable[[str, int, int], None]
"""(what is being done, how much of it is done, how much there is)"""


@dataclass(frozen=True)
class Layout:
    """How the data lies, where that is not seen by itself: see `open_samples`."""

    name: str = "auto"
    pictures: Path | None = None


def open_chosen(paths: Sequence[Path], layout: Layout, keys: str) -> DataSet:
    """The pictures of some data whose keys match. Raises InputError if none does."""
    found = open_samples(paths, layout.name, pictures=layout.pictures)
    if not keys:
        return found
    chosen = only(found, [entry.key for entry in found.entries if re.search(keys, entry.key)])
    if not chosen.entries:
        example = found.entries[0].key if found.entries else "nothing"
        raise InputError(
            f"--keys {keys!r} matches no picture of {found.name}; its names are like '{example}'"
        )
    return replace(chosen, name=f"{found.name} ({keys})", unpaired=())


def only(data: DataSet, keys: Sequence[str]) -> DataSet:
    """The part of a data set with these keys, in its own order."""
    wanted = set(keys)
    return replace(data, entries=tuple(entry for entry in data.entries if entry.key in wanted))


def divide(data: DataSet, settings: Settings, *, hold_out: bool, problems: Problems) -> Split:
    """Train, validation and held-out pictures of a data set. Raises InputError for too few."""
    of = group_key(settings.group)
    if needs_attributes(settings.group):
        groups = {s.key: of(s.key, attributes_of(s)) for s in data.samples(problems)}
    else:
        groups = {entry.key: of(entry.key, {}) for entry in data.entries}
    return split(
        groups,
        held_out=settings.held_out if hold_out else 0.0,
        validation=settings.validation,
        shots=settings.shots,
        seed=settings.seed,
    )


def attributes_of(sample: Sample) -> dict[str, Any]:
    """What the data says of a picture as a whole."""
    return {**sample.attributes, "source": sample.source, "kind": sample.kind}


def fingerprint(data: DataSet, paths: Sequence[Path]) -> str:
    """SHA-256 of the names of a data set's pictures and of its files' names, lengths and times."""
    digest = hashlib.sha256("\n".join(entry.key for entry in data.entries).encode())
    for path in paths:
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            facts = file.stat()
            digest.update(f"{file.name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Facts:
    """What was found in the pictures that are trained on, for people and the manifest.

    sizes: smallest and largest (height, width). sources: name -> pictures. labels: name -> masks.
    sha256: of the pictures' pixels, by key.
    """

    pictures: int
    masks: int
    twice: int
    overlapping: int
    sizes: tuple[tuple[int, int], tuple[int, int]]
    sources: Mapping[str, int]
    labels: Mapping[str, int]
    sha256: Mapping[str, str]


class Gathered:
    """The training and validation pictures in a cache of pixels, and what was found in them."""

    def __init__(self, cache: ShardCache, facts: Facts) -> None:
        self.cache, self.facts = cache, facts

    def rows(self, keys: Sequence[str]) -> list[int]:
        """Where the pictures with these keys lie in the cache; those that could not be used are missing."""
        wanted = set(keys)
        return [i for i, sample in enumerate(self.cache.samples) if sample.key in wanted]


def gather(data: DataSet, folder: Path, input_size: int, problems: Problems, progress: Progress) -> Gathered:
    """Decode pictures and masks into a folder, long sides at most 1.5 times the network's input.

    Crowds, masks without a scored pixel and masks that a picture holds twice are left out; pictures without
    a usable mask are problems. Raises InputError if no picture is left, OutputError for a full disk.
    """
    counter: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    sizes: list[tuple[int, int]] = []
    hashes: dict[str, str] = {}

    def rows() -> Iterator[tuple[NDArray[np.uint8], CachedSample]]:
        for number, sample in enumerate(data.samples(problems), 1):
            progress("reading pictures", number, len(data))
            masks, twice = _different([t.mask for t in sample.masks if _scored(t)])
            if not masks:
                problems.add(sample.key, "no mask in it can be trained on")
                continue
            counter.update(masks=len(masks), twice=twice, overlapping=_overlapping(masks))
            sources[sample.source] += 1
            labels.update(true.label or "no label" for true in sample.masks)
            sizes.append(sample.picture.image_hw)
            hashes[sample.key] = sample.picture.sha256
            yield _cached(sample, masks, round(1.5 * input_size))

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_cache(rows(), folder)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"cannot write '{folder}': {error.strerror or error}; free some space and run it again"
        ) from error
    if not sizes:
        raise InputError(f"{data.name}: no picture with a usable mask{_why(problems)}")
    facts = Facts(
        len(sizes), counter["masks"], counter["twice"], counter["overlapping"], (min(sizes), max(sizes)),
        dict(sources), dict(labels), hashes,
    )  # fmt: skip
    return Gathered(ShardCache(folder), facts)


def refuse_shared(gathered: Facts, held_out: DataSet, problems: Problems) -> None:
    """Raise InputError if a held-out picture is also trained on: the comparison would be worthless."""
    known = {sha256: key for key, sha256 in gathered.sha256.items()}
    for sample in held_out.samples(problems):
        twin = known.get(sample.picture.sha256)
        if twin is not None:
            raise InputError(
                f"the held-out picture '{sample.key}' is also trained on ('{twin}'); remove one of them, or "
                "keep copies together with --group"
            )


@dataclass(frozen=True)
class Unseen:
    """A data set without the pictures that were trained on, which would flatter: a `SampleSource`.

    known: SHA-256 of their pixels.
    """

    data: DataSet
    known: frozenset[str]

    @property
    def name(self) -> str:
        """The data set's."""
        return self.data.name

    def __len__(self) -> int:
        return len(self.data)

    def samples(self, problems: Problems, *, every: int = 1, done: Container[str] = ()) -> Iterator[Sample]:
        """See `SampleSource.samples`."""
        found = self.data.samples(problems, every=every, done=done)
        return (sample for sample in found if sample.picture.sha256 not in self.known)


def _why(problems: Problems) -> str:
    return f" ({problems.lines[0]})" if problems.lines else ""


def _scored(true: Any) -> bool:
    return not true.crowd and (true.ignore is None or bool((true.mask & ~true.ignore).any()))


def _different(masks: Sequence[NDArray[np.bool_]]) -> tuple[list[NDArray[np.bool_]], int]:
    """The masks without repetitions, and how many there were."""
    found = {mask.tobytes(): mask for mask in masks}
    return list(found.values()), len(masks) - len(found)


def _overlapping(masks: Sequence[NDArray[np.bool_]]) -> int:
    """How many masks share pixels with another one of their picture."""
    if len(masks) < 2:
        return 0
    cover = np.zeros(masks[0].shape, np.uint16)
    for mask in masks:
        cover += mask
    return sum(bool((cover[mask] > 1).any()) for mask in masks)


def _cached(
    sample: Sample, masks: Sequence[NDArray[np.bool_]], most: int
) -> tuple[NDArray[np.uint8], CachedSample]:
    import cv2

    pixels = sample.picture.pixels
    height, width = sample.picture.image_hw
    scale = most / max(height, width)
    stored: list[NDArray[np.bool_]] = list(masks)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        shrunk = [cv2.resize(m.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0 for m in masks]
        stored = [mask for mask in shrunk if mask.any()] or shrunk[:1]
    about = CachedSample(
        sample.key, 0, pixels.shape[0], pixels.shape[1], sample.source, sample.kind or "other",
        sample.zero_shot, sample.exhaustive, tuple(encode(mask).to_coco() for mask in stored),
        (None,) * len(stored),
    )  # fmt: skip
    return np.ascontiguousarray(pixels), about
