"""Two reports of the same data, mask by mask: what differs, how surely, and where.

Both predictors met the same masks with the same prompts, so their differences are taken per mask before
anything is averaged: what makes a mask hard for both drops out, and the intervals are of the difference.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from anymask.core.errors import InputError
from anymask.evaluate.outcomes import outcomes_of, read_lines
from anymask.evaluate.report import Outcome, PredictorInfo, Report
from anymask.evaluate.summary import grouped, mean_of, means, picture_interval, source_interval

FORMAT = 1
MARGIN = 0.01
"""A difference of at most this is counted as neither a win nor a loss."""

_SAME = ("first_click", "seed", "boxes", "class_agnostic")  # settings without which prompts are not the same


@dataclass(frozen=True)
class Pair:
    """One mask as both sides found it."""

    a: Outcome
    b: Outcome

    def difference(self, figure: str) -> float:
        """b minus a."""
        return self.b.figures[figure] - self.a.figures[figure]


@dataclass(frozen=True)
class Difference:
    """One figure on both sides, averaged in one way.

    a, b: the averages. difference: b - a. interval_95: its bootstrap interval. wins, losses: of how many
    units (sources or masks) b is better or worse than a by more than MARGIN; equal: the others.
    """

    a: float
    b: float
    difference: float
    interval_95: tuple[float, float]
    wins: int
    losses: int
    equal: int

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.interval_95[0] > 0 or self.interval_95[1] < 0

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**vars(self), "interval_95": list(self.interval_95)}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything that was found.

    protocol, data: of both reports. pairs: the masks that both have. only_a, only_b: masks of one alone.
    over_sources, over_masks: figure -> difference, for figures that all pairs have on both sides.
    by_source: source -> figure -> (a, b), means over its masks. left_out: figures that one side lacks.
    """

    protocol: str
    data: tuple[str, str]
    a: PredictorInfo
    b: PredictorInfo
    pairs: tuple[Pair, ...]
    only_a: int
    only_b: int
    over_sources: Mapping[str, Difference]
    over_masks: Mapping[str, Difference]
    by_source: Mapping[str, Mapping[str, tuple[float, float]]]
    left_out: tuple[str, ...]

    @property
    def pictures(self) -> int:
        """Of how many pictures the pairs are."""
        return len({pair.a.key for pair in self.pairs})

    def to_json(self) -> dict[str, Any]:
        """As JSON values, without the single masks."""
        counts = grouped([pair.a for pair in self.pairs], lambda row: row.source)
        return {
            "anymask_comparison": FORMAT,
            "protocol": self.protocol,
            "a": {**vars(self.a), "data": self.data[0]},
            "b": {**vars(self.b), "data": self.data[1]},
            "masks": len(self.pairs),
            "pictures": self.pictures,
            "sources": len(self.by_source),
            "only_a": self.only_a,
            "only_b": self.only_b,
            "figures_of_one_side": list(self.left_out),
            "margin": MARGIN,
            "over_sources": {name: found.to_json() for name, found in self.over_sources.items()},
            "over_masks": {name: found.to_json() for name, found in self.over_masks.items()},
            "by_source": {
                source: {"masks": len(counts[source]), **{n: list(ends) for n, ends in figures.items()}}
                for source, figures in self.by_source.items()
            },
        }


def better(figure: str, difference: float) -> float:
    """`difference` with the sign that makes more better: of numbers of clicks less is better."""
    return -difference if figure.startswith("noc") else difference


def compare_files(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    *,
    a_name: str | None = None,
    b_name: str | None = None,
) -> Comparison:
    """Compare two reports on disk, or two predictors of one report.

    a, b: the reports, with their outcomes beside them. a_name, b_name: which of a report's predictors; the
    first if not given, except that two of one report differ.
    Raises FormatError if a file is missing or damaged, InputError if the two cannot be paired.
    """
    one, other = Report.load(a), Report.load(b)
    _check_settings(one, other)
    first = _choose(one, a_name, "--a")
    second = _choose(other, b_name, "--b", but=first if os.fspath(a) == os.fspath(b) else None)
    rows_a = outcomes_of(one, read_lines(a))[first.name]
    rows_b = outcomes_of(other, read_lines(b))[second.name]
    return compare(one.protocol, (one.data.name, other.data.name), first, rows_a, second, rows_b)


def compare(
    protocol: str,
    data: tuple[str, str],
    a: PredictorInfo,
    a_rows: Sequence[Outcome],
    b: PredictorInfo,
    b_rows: Sequence[Outcome],
) -> Comparison:
    """Pair the outcomes by picture and mask and compare them.

    Raises InputError if no mask, or no figure, is common, or a mask is not the same on both sides.
    """
    there = {(row.key, row.number): row for row in b_rows}
    pairs = tuple(Pair(row, there[row.key, row.number]) for row in a_rows if (row.key, row.number) in there)
    if not pairs:
        raise InputError(
            f"the reports have no mask in common (one is of '{data[0]}', the other of '{data[1]}'); "
            "give two reports of the same data"
        )
    for pair in pairs:
        _check_pair(pair)
    names = _common([row for pair in pairs for row in (pair.a, pair.b)])
    if not names:
        raise InputError("the reports have no figure in common; run both with the same --protocols")
    everything = dict.fromkeys(n for pair in pairs[:1] for row in (pair.a, pair.b) for n in row.figures)
    by_source = _by_source(pairs, names)
    return Comparison(
        protocol=protocol,
        data=data,
        a=a,
        b=b,
        pairs=pairs,
        only_a=len(a_rows) - len(pairs),
        only_b=len(b_rows) - len(pairs),
        over_sources=_over_sources(by_source, names),
        over_masks=_over_masks(pairs, names),
        by_source=by_source,
        left_out=tuple(name for name in everything if name not in names),
    )


def _check_settings(one: Report, other: Report) -> None:
    if one.protocol != other.protocol:
        raise InputError(
            f"the reports are of `{one.protocol}` and `{other.protocol}`; give two of one protocol"
        )
    for name in _SAME:
        here, there = one.settings.get(name), other.settings.get(name)
        if here != there:
            raise InputError(
                f"the reports differ in {name} ({here!r} and {there!r}), "
                "so their prompts are not the same; run one of them again"
            )


def _choose(report: Report, name: str | None, option: str, but: PredictorInfo | None = None) -> PredictorInfo:
    known = [about for about in report.predictors if name is None or about.name == name]
    if name is None and len(known) > 1:
        known = [about for about in known if about != but]
    if not known:
        names = ", ".join(f"'{about.name}'" for about in report.predictors)
        raise InputError(f"{option} '{name}' is not in the report; give one of {names}")
    return known[0]


def _check_pair(pair: Pair) -> None:
    a, b = pair.a, pair.b
    if (a.image_hw, a.area, a.source) != (b.image_hw, b.area, b.source):
        raise InputError(
            f"mask {a.number} of '{a.key}' is not the same in both reports ({a.area} pixels of "
            f"{a.image_hw[1]} x {a.image_hw[0]}, and {b.area} of {b.image_hw[1]} x {b.image_hw[0]}); "
            "give two reports of the same data"
        )


def _common(rows: Sequence[Outcome]) -> list[str]:
    return [name for name in rows[0].figures if all(name in row.figures for row in rows)]


def _only(row: Outcome, names: Sequence[str]) -> Outcome:
    return replace(row, figures={name: row.figures[name] for name in names})


def _by_source(pairs: Sequence[Pair], names: Sequence[str]) -> dict[str, dict[str, tuple[float, float]]]:
    a, b = (
        {source: means(rows) for source, rows in grouped(side, lambda row: row.source).items()}
        for side in ([_only(p.a, names) for p in pairs], [_only(p.b, names) for p in pairs])
    )
    return {source: {n: (a[source][n], b[source][n]) for n in names} for source in sorted(a)}


def _over_sources(
    by_source: Mapping[str, Mapping[str, tuple[float, float]]], names: Sequence[str]
) -> dict[str, Difference]:
    changes = [{n: b - a for n, (a, b) in figures.items()} for figures in by_source.values()]
    a, b = (mean_of([{n: ends[i] for n, ends in f.items()} for f in by_source.values()]) for i in (0, 1))
    intervals = source_interval(changes)
    return {n: _difference(n, a[n], b[n], intervals[n], [change[n] for change in changes]) for n in names}


def _over_masks(pairs: Sequence[Pair], names: Sequence[str]) -> dict[str, Difference]:
    changes = [replace(p.a, figures={n: p.difference(n) for n in names}) for p in pairs]
    a, b = means([_only(p.a, names) for p in pairs]), means([_only(p.b, names) for p in pairs])
    intervals = picture_interval(changes)
    return {n: _difference(n, a[n], b[n], intervals[n], [row.figures[n] for row in changes]) for n in names}


def _difference(
    name: str, a: float, b: float, interval: Sequence[float], changes: Sequence[float]
) -> Difference:
    wins = sum(better(name, change) > MARGIN for change in changes)
    losses = sum(better(name, change) < -MARGIN for change in changes)
    ends = (float(interval[0]), float(interval[1]))
    return Difference(a, b, b - a, ends, wins, losses, len(changes) - wins - losses)
