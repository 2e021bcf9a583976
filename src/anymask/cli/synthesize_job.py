"""The work of `anymask synthesize`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from anymask.cli.terminal import say
from anymask.core.errors import AnymaskError, InputError
from anymask.core.settings import read_settings
from anymask.evaluate.datasets import open_samples
from anymask.evaluate.datasets.dataset import DataSet
from anymask.evaluate.samples import Problems
from anymask.synthesize import Cutout, SynthesisSettings, cutouts_of, read_cutouts, synthesize
from anymask.synthesize.backgrounds import Backgrounds, DataSetPictures, PictureFolder, samples_of


def run_synthesis(
    objects: Sequence[Path],
    output: Path,
    count: int,
    onto: Sequence[Path],
    settings: Sequence[str],
    *,
    seed: int,
    region: bool,
    keys: str,
    onto_keys: str,
    labels: Sequence[str],
    whole: bool,
    long_side: int,
    lossless: bool,
    quiet: bool,
) -> None:
    """Read, compose, write, and say what was made. Raises InputError, FormatError, OutputError."""
    if region and not onto:
        raise InputError("--region needs --onto: data whose masks say where objects may lie")
    chosen = parsed(settings, seed)
    problems = Problems()
    cutouts = read_objects(objects, keys, labels, problems, whole=whole)
    backgrounds = read_backgrounds(
        onto or objects, onto_keys if onto else keys, long_side, problems, region=region
    )

    def tell(done: int, of: int) -> None:
        if not quiet and done and (done % 50 == 0 or done == of):
            say(f"{done} of {of} pictures")

    made = synthesize(output, cutouts, backgrounds, chosen, count, problems, lossless=lossless, progress=tell)
    for line in dict.fromkeys(problems.lines):
        say(f"left out: {line}")
    nothing = f", {made.without} pictures without a place for an object" if made.without else ""
    say(f"{output}: {made.images} pictures with {made.masks} masks of {len(cutouts)} objects{nothing}")


def parsed(entries: Sequence[str], seed: int) -> SynthesisSettings:
    """`name=value` pairs, values as JSON or plain words. Raises InputError."""
    try:
        values = read_settings(entries, asdict(SynthesisSettings()))
        return SynthesisSettings.from_dict({"seed": seed, **values})
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"--set {' '.join(entries)}: {error}; see docs/synthesize.md") from error


def read_objects(
    paths: Sequence[Path], keys: str, labels: Sequence[str], problems: Problems, *, whole: bool
) -> list[Cutout]:
    """Cut-outs of data sets and of folders of transparent pictures. Raises InputError if there are none."""
    found: list[Cutout] = []
    for path in paths:
        try:
            data = matching(open_samples([path]), keys)
        except AnymaskError as error:
            transparent = list(read_cutouts(path, problems)) if path.is_dir() else []
            if not transparent:
                raise error
            found += [one for one in transparent if not labels or one.label in labels]
            continue
        found += cutouts_of(data.samples(problems), labels=labels, whole=whole)
    if not found:
        wanted = f" labelled {', '.join(labels)}" if labels else ""
        inside = " that lies wholly inside its picture (--cut-off takes others, too)" if whole else ""
        raise InputError(f"the data holds no object{wanted}{inside}; give other data")
    return found


def read_backgrounds(
    paths: Sequence[Path], keys: str, long_side: int, problems: Problems, *, region: bool
) -> Backgrounds:
    """Data sets with masks, or one folder of plain pictures."""
    plain = len(paths) == 1 and paths[0].is_dir() and not region
    try:
        samples = samples_of(matching(open_samples(paths), keys), problems)
    except AnymaskError:
        if not plain:
            raise
        samples = []
    if plain and not samples:  # JSON files beside pictures need not be masks
        return PictureFolder(paths[0], long_side)
    return DataSetPictures(samples, long_side, as_region=region)


def matching(data: DataSet, keys: str) -> DataSet:
    """The pictures whose keys match. Raises InputError if none does."""
    try:
        found = tuple(entry for entry in data.entries if re.search(keys, entry.key))
    except re.error as error:
        raise InputError(f"{keys!r} is no regular expression: {error}") from error
    if not found:
        raise InputError(f"{keys!r} matches no picture of {data.name}")
    return replace(data, entries=found)
