"""Going through a data set picture by picture with one predictor or several, so that it can go on later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from anymask._version import __version__
from anymask.core.errors import InputError
from anymask.evaluate.environment import machine, versions
from anymask.evaluate.journal import Journal
from anymask.evaluate.predictors import Predictor
from anymask.evaluate.report import DataInfo, PredictorInfo, Report, outcomes_path
from anymask.evaluate.samples import Problems, Sample, SampleSource

JOURNAL_FORMAT = 1

Measure = Callable[[str, Predictor, Sample], Sequence[Mapping[str, Any]]]
"""(the predictor's name in the report, the predictor, a sample) -> its lines, JSON values, one per mask."""


class PictureRun:
    """One protocol over one data set. Use it in a `with` statement: `steps`, then `report`.

    All predictors see the same masks: a picture that one of them cannot take is left out for all.
    """

    def __init__(
        self,
        protocol: str,
        source: SampleSource,
        predictors: Sequence[Predictor],
        *,
        settings: Mapping[str, Any],
        every: int = 1,
        problems: Problems | None = None,
        out: Path | None = None,
        fresh: bool = False,
    ) -> None:
        """Begin a run, or take up one that was stopped.

        settings: what the lines depend on, JSON values. every: only each `every`-th picture.
        out: the report's file; the journal lies beside it (`outcomes_path`). None: nothing is written.
        fresh: forget what an earlier run did.
        Raises InputError if a predictor is given twice or the journal is of another run, OutputError if it
        cannot be written.
        """
        self._protocol, self._source, self._every = protocol, source, every
        self._predictors = named(predictors)
        self._problems = problems or Problems()
        self._settings = {**settings, "every": every}
        infos = [PredictorInfo(name, one.sha256) for name, one in self._predictors.items()]
        self._about: dict[str, Any] = {
            "predictors": tuple(infos),
            "data": DataInfo(source.name, self.total),
        }
        header = {
            "anymask_outcomes": JOURNAL_FORMAT,
            "protocol": protocol,
            "settings": self._settings,
            "predictors": [{"name": info.name, "sha256": info.sha256} for info in infos],
            "data": {"name": source.name, "pictures": self.total},
            "versions": {"anymask": __version__},
        }
        self._journal = Journal(outcomes_path(out) if out is not None else None, header, fresh=fresh)

    @property
    def total(self) -> int:
        """How many pictures the run looks at, broken ones included."""
        return -(-len(self._source) // self._every)

    @property
    def finished(self) -> int:
        """How many pictures all predictors have done already."""
        return len(set.intersection(*self._keys().values()))

    def steps(self, measure: Measure) -> Iterator[str]:
        """Measure what is not done yet; gives the key of each picture when its lines are written.

        Raises FormatError at the first unusable file if the problems are to be refused.
        """
        noted = len(self._problems.lines)
        keys = self._keys()
        done = set.intersection(*keys.values())
        for sample in self._source.samples(self._problems, every=self._every, done=done):
            # A run may have been stopped between the lines of two predictors.
            left = {name: one for name, one in self._predictors.items() if sample.key not in keys[name]}
            try:
                found = {name: measure(name, one, sample) for name, one in left.items()}
            except (InputError, MemoryError) as error:
                self._problems.add(sample.key, str(error) or "not enough memory")
                continue
            for name, lines in found.items():
                self._journal.add(
                    {
                        "key": sample.key,
                        "predictor": name,
                        "problems": self._problems.lines[noted:],
                        "masks": list(lines),
                    }
                )
            noted = len(self._problems.lines)
            yield sample.key

    def lines(self, predictor: str) -> list[dict[str, Any]]:
        """All lines of one predictor, in the order of the data set."""
        return [
            mask
            for entry in self._journal.entries
            if entry["predictor"] == predictor
            for mask in entry["masks"]
        ]

    def report(self, summarise: Callable[[list[dict[str, Any]]], Mapping[str, Any]]) -> Report:
        """The report of all that is done, this time and before. summarise: a predictor's lines -> figures."""
        skipped = {line for entry in self._journal.entries for line in entry["problems"]}
        return Report(
            protocol=self._protocol,
            settings=self._settings,
            summary={name: summarise(self.lines(name)) for name in self._predictors},
            skipped=tuple(sorted(skipped | set(self._problems.lines))),
            versions=versions(),
            machine=machine(),
            **self._about,
        )

    def __enter__(self) -> PictureRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.__exit__(kind, error, trace)

    def _keys(self) -> dict[str, set[str]]:
        """The pictures that each predictor has done."""
        keys: dict[str, set[str]] = {name: set() for name in self._predictors}
        for entry in self._journal.entries:
            keys[entry["predictor"]].add(entry["key"])
        return keys


def named(predictors: Sequence[Predictor]) -> dict[str, Predictor]:
    """Predictors by a name that is unique: of two with one name each gets the start of its weights' hash.

    Raises InputError if there is none, or one is given twice.
    """
    if not predictors:
        raise InputError("nothing is to be measured; give a model or a baseline")
    names = [one.name for one in predictors]
    found: dict[str, Predictor] = {}
    for one in predictors:
        name = one.name if names.count(one.name) == 1 else f"{one.name} ({one.sha256[:8]})"
        if name in found:
            raise InputError(f"{one.name} is given twice; give different models or baselines")
        found[name] = one
    return found
