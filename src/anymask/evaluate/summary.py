"""From outcomes to the figures of a report: means over sources and masks, groups, intervals, calibration."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from anymask.core.arrays import Float64Array
from anymask.evaluate.interactive import worse_clicks
from anymask.evaluate.report import Outcome

DRAWS = 2000
BINS = 10
SHARES = (0.01, 0.05, 0.2)
"""Limits between classes of size by the mask's share of its picture."""

Means = dict[str, float]
Group = TypeVar("Group", bound=Hashable)


def summarise(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Everything a report says about one predictor.

    Means over sources come first: the mean of a source's masks, then the mean of the sources, so that every
    collection counts alike. Intervals are 95 % bootstrap intervals of 2000 draws: of the mean over sources,
    sources drawn with replacement; of the mean over masks, pictures drawn with all their masks (masks of one
    picture are not independent).
    """
    rows = list(outcomes)
    by_source = grouped(rows, lambda row: row.source)
    sources = {name: means(found) for name, found in sorted(by_source.items())}
    zero_shot = {name for name, found in by_source.items() if found[0].zero_shot}
    return {
        "masks": len(rows),
        "pictures": len({row.key for row in rows}),
        "sources": len(sources),
        "zero_shot_sources": sorted(zero_shot),
        "mean_over_sources": mean_of(sources.values()),
        "interval_95": source_interval(sources.values()),
        "mean_over_trained_sources": mean_of(v for name, v in sources.items() if name not in zero_shot),
        "mean_over_zero_shot_sources": mean_of(v for name, v in sources.items() if name in zero_shot),
        "mean_over_masks": means(rows),
        "interval_95_over_masks": picture_interval(rows),
        "share_of_extra_clicks_that_made_it_worse": _share_worse(rows),
        "worse_by_click": worse_by_click(rows),
        "predicted_iou_ece": expected_calibration_error(rows),
        "reliability": reliability(rows),
        "by_source": {name: {"masks": len(by_source[name]), **value} for name, value in sources.items()},
        "by_kind": _groups(rows, lambda row: row.kind or "unknown"),
        "by_size": _groups(rows, lambda row: row.size, order=("small", "medium", "large")),
        "by_share": _groups(rows, share_class, order=SHARE_NAMES),
    }


def means(rows: Sequence[Outcome]) -> Means:
    """Figure -> its mean over masks; {} for no masks."""
    return {name: float(np.mean([row.figures[name] for row in rows])) for name in figure_names(rows)}


def figure_names(rows: Sequence[Outcome]) -> list[str]:
    """The figures that all masks have, in the order of the first."""
    return [name for name in (rows[0].figures if rows else {}) if all(name in row.figures for row in rows)]


def mean_of(rows: Iterable[Mapping[str, float]]) -> Means:
    """Figure -> its mean over groups that count alike; {} for no groups."""
    groups = list(rows)
    return {name: float(np.mean([row[name] for row in groups])) for name in (groups[0] if groups else {})}


def source_interval(rows: Iterable[Mapping[str, float]], draws: int = DRAWS) -> dict[str, list[float]]:
    """95 % bootstrap interval of the mean over sources, sources drawn with replacement."""
    groups = list(rows)
    if not groups:
        return {}
    chosen = np.random.default_rng(0).integers(len(groups), size=(draws, len(groups)))
    columns = {name: np.array([row[name] for row in groups]) for name in groups[0]}
    return {name: _quantiles(values[chosen].mean(1)) for name, values in columns.items()}


def picture_interval(rows: Sequence[Outcome], draws: int = DRAWS) -> dict[str, list[float]]:
    """95 % bootstrap interval of the mean over masks, pictures drawn with replacement, masks and all."""
    names = figure_names(rows)
    pictures = grouped(rows, lambda row: row.key).values()
    if not names:
        return {}
    sums = np.array([[sum(row.figures[name] for row in found) for name in names] for found in pictures])
    counts = np.array([len(found) for found in pictures])
    rng = np.random.default_rng(0)
    times = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=draws)
    drawn = (times @ sums) / (times @ counts)[:, None]
    return {name: _quantiles(column) for name, column in zip(names, drawn.T, strict=True)}


def worse_by_click(rows: Sequence[Outcome]) -> Means:
    """Click number ("2", "3", ...) -> share of masks whose IoU it lowered by more than 0.05."""
    courses = [course(row) for row in rows]
    harm = np.array([worse_clicks(c) for c in courses]) if courses and courses[0] else np.zeros((0, 0))
    return {str(number): float(share) for number, share in enumerate(harm.mean(0), 2)} if harm.size else {}


def course(row: Outcome) -> list[float]:
    """IoU after each click of the "clicks" protocol."""
    clicks = [name for name in row.figures if name.startswith("click") and name[5:].isdigit()]
    return [row.figures[name] for name in sorted(clicks, key=lambda name: int(name[5:]))]


def expected_calibration_error(rows: Sequence[Outcome]) -> float | None:
    """Mean gap between predicted and true IoU of the first click, over `reliability`'s bins weighted by size.

    None if the predictor makes no guess.
    """
    bins = reliability(rows)
    total = sum(each["masks"] for each in bins)
    if not total:
        return None
    return float(sum(abs(each["predicted"] - each["true"]) * each["masks"] / total for each in bins))


def reliability(rows: Sequence[Outcome], bins: int = BINS) -> list[dict[str, Any]]:
    """Ten equal bins of the predicted IoU of the first click, empty ones left out.

    Each: from, to (of the bin), masks (how many), predicted and true (their mean IoU).
    """
    known = [row for row in rows if row.predicted is not None and "click1" in row.figures]
    predicted = np.array([row.predicted for row in known], np.float64)
    true = np.array([row.figures["click1"] for row in known])
    which = np.clip((predicted * bins).astype(int), 0, bins - 1)
    return [
        {
            "from": b / bins,
            "to": (b + 1) / bins,
            "masks": int((which == b).sum()),
            "predicted": float(predicted[which == b].mean()),
            "true": float(true[which == b].mean()),
        }
        for b in range(bins)
        if (which == b).any()
    ]


def share_class(row: Outcome) -> str:
    """The class of a mask by its share of the picture's area."""
    return SHARE_NAMES[int(np.searchsorted(SHARES, row.area_share, side="right"))]


def grouped(rows: Iterable[Outcome], by: Callable[[Outcome], Group]) -> dict[Group, list[Outcome]]:
    """Outcomes by what `by` says of them, groups in the order of their first."""
    groups: dict[Group, list[Outcome]] = {}
    for row in rows:
        groups.setdefault(by(row), []).append(row)
    return groups


def _share_names() -> tuple[str, ...]:
    limits = [f"{100 * share:g} %" for share in SHARES]
    between = [f"{a} to {b}" for a, b in pairwise(limits)]
    return (f"below {limits[0]}", *between, f"from {limits[-1]}")


SHARE_NAMES = _share_names()


def _groups(
    rows: Sequence[Outcome], by: Callable[[Outcome], str], order: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """Per group: masks, sources, mean over its sources and over its masks."""
    found = grouped(rows, by)
    names = [name for name in order if name in found] if order else sorted(found)
    return {name: _group(found[name]) for name in names}


def _group(rows: Sequence[Outcome]) -> dict[str, Any]:
    sources = grouped(rows, lambda row: row.source)
    return {
        "masks": len(rows),
        "sources": len(sources),
        "mean_over_sources": mean_of(means(found) for found in sources.values()),
        "mean_over_masks": means(rows),
    }


def _share_worse(rows: Sequence[Outcome]) -> float:
    extra = sum(row.extra_clicks for row in rows)
    return sum(row.worse for row in rows) / extra if extra else 0.0


def _quantiles(values: Float64Array) -> list[float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return [float(low), float(high)]
