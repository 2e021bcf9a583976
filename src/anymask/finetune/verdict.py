"""Better or not: the judged figures before and after, mask by mask, and how surely they differ.

For every held-out mask the judged figures (IoU after 1, 3, 5 clicks and for the box, if nothing else is said)
are averaged, after minus before. The mean of these differences gets a 95 % bootstrap interval, pictures (or
groups of pictures) drawn with replacement. The new model is better if the whole interval lies above 0, worse
if it lies below. Fewer than `LEAST_UNITS` pictures or groups prove nothing: that all of them improve happens
by chance once in 2 ** LEAST_UNITS times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from anymask.evaluate.compare import Comparison, Difference
from anymask.evaluate.summary import mean_of, means, picture_interval

LEAST_UNITS = 6
FORGOTTEN = 0.005
"""A loss of mean IoU on the guard below this is not worth a warning, however sure it is."""

Word = Literal["better", "worse", "not shown to be better", "too little data to tell"]
_JUDGED = "judged"


@dataclass(frozen=True)
class Verdict:
    """What the comparison proves.

    judge: figures. before, after: their mean over masks. difference, interval_95: after - before and its
    interval. units: how many pictures or groups were drawn. masks: how many were compared.
    """

    word: Word
    judge: tuple[str, ...]
    before: float
    after: float
    difference: float
    interval_95: tuple[float, float]
    units: int
    masks: int

    @property
    def better(self) -> bool:
        """Whether the new model may be called better."""
        return self.word == "better"

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**vars(self), "judge": list(self.judge), "interval_95": list(self.interval_95)}

    def sentence(self) -> str:
        """The verdict for people, on one line."""
        low, high = self.interval_95
        figures = f"{self.before:.3f} -> {self.after:.3f} ({self.difference:+.3f}, {low:+.3f} to {high:+.3f})"
        return f"{self.word}: mean IoU of {', '.join(self.judge)} {figures} on {self.masks} masks"


def judge(found: Comparison, figures: Sequence[str], groups: Mapping[str, str] | None = None) -> Verdict:
    """Judge a comparison of before (a) and after (b).

    figures: what is judged. groups: a picture's key -> its group; pictures without one stand for themselves.
    """
    of = groups or {}
    rows = [
        replace(
            pair.a,
            key=of.get(pair.a.key, pair.a.key),
            figures={_JUDGED: sum(pair.difference(name) for name in figures) / len(figures)},
        )
        for pair in found.pairs
    ]
    units = len({row.key for row in rows})
    low, high = picture_interval(rows)[_JUDGED]
    before, after = (
        means([replace(row, figures={_JUDGED: _mean(row.figures, figures)}) for row in side])[_JUDGED]
        for side in ([pair.a for pair in found.pairs], [pair.b for pair in found.pairs])
    )
    return Verdict(
        _word(low, high, units), tuple(figures), before, after, after - before, (low, high), units, len(rows)
    )


def forgotten(found: Comparison, figures: Sequence[str]) -> Difference | None:
    """The judged figure that fell most on the guard, if it surely fell by more than FORGOTTEN."""
    lost = [
        one
        for one in (found.over_masks[name] for name in figures)
        if one.interval_95[1] < 0 and one.difference < -FORGOTTEN
    ]
    return min(lost, key=lambda one: one.difference, default=None)


def _mean(values: Mapping[str, float], figures: Sequence[str]) -> float:
    return mean_of([{"it": sum(values[name] for name in figures) / len(figures)}])["it"]


def _word(low: float, high: float, units: int) -> Word:
    if units < LEAST_UNITS:
        return "too little data to tell"
    if low > 0:
        return "better"
    return "worse" if high < 0 else "not shown to be better"
