"""The page of a proposals report: average recall by number of masks and size of object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anymask.evaluate.page.common import about_the_run, quoted, skipped
from anymask.evaluate.page.groups import by_source
from anymask.evaluate.page.layout import document, figure, section, table, with_interval
from anymask.evaluate.page.markup import Markup, tag
from anymask.evaluate.page.plots import Axis, Line, lines
from anymask.evaluate.report import Report

_SIZES = (("", "all"), ("_small", "small"), ("_medium", "medium"), ("_large", "large"))


def proposals_page(report: Report) -> str:
    """The whole page as HTML."""
    names = [predictor.name for predictor in report.predictors]
    summaries = [report.summary[name] for name in names]
    first = summaries[0]
    limits = sorted({int(name[3:]) for name in first["mean_over_sources"]})
    lead = (
        f"{report.data.name}: {first['masks']} masks in {first['pictures']} pictures of {first['sources']} "
        f"sources; {first['proposals_per_picture']:.0f} proposals per picture."
    )
    note = (
        "Share of the true masks that are among the first 10, 100 or 1000 proposals, averaged over the IoU "
        "thresholds 0.5 to 0.95. Small numbers: 95 % bootstrap intervals, pictures drawn with replacement."
    )
    return document(
        f"Object proposals: {', '.join(names)}",
        tag("p", lead, class_="lead"),
        section(
            "Average recall",
            note,
            table(["", *(size for _, size in _SIZES)], _recall(names, summaries, limits)),
        ),
        tag("div", _by_number(names, summaries, limits), class_="plots"),
        by_source(names, summaries, f"AR@{limits[-1]}") if limits else None,
        quoted("proposals"),
        about_the_run(report),
        skipped(report),
    )


def _recall(
    names: Sequence[str], summaries: Sequence[Mapping[str, Any]], limits: Sequence[int]
) -> list[list[object]]:
    rows: list[list[object]] = []
    for name, summary in zip(names, summaries, strict=True):
        if len(names) > 1:
            rows.append([name])
        rows += [
            [f"AR@{limit}", *(_cell(summary, f"AR@{limit}{suffix}") for suffix, _ in _SIZES)]
            for limit in limits
        ]
    return rows


def _cell(summary: Mapping[str, Any], name: str) -> Markup | str:
    value = summary["recall"].get(name)
    return "–" if value is None else with_interval(f"{value:.3f}", summary["interval_95"].get(name))


def _by_number(
    names: Sequence[str], summaries: Sequence[Mapping[str, Any]], limits: Sequence[int]
) -> Markup | None:
    if len(limits) < 2:
        return None
    places = list(range(len(limits)))
    series = [
        Line(name, places, [summary["recall"][f"AR@{limit}"] or 0.0 for limit in limits])
        for name, summary in zip(names, summaries, strict=True)
    ]
    x = Axis("proposals", 0, places[-1], tuple(places), 0, tuple(map(str, limits)))
    about = "; ".join(f"{s.name}: {', '.join(f'{v:.3f}' for v in s.y)}" for s in series)
    plot = lines(series, x, Axis.share("average recall"), about=f"Average recall, {about}")
    return figure("Recall over the number of proposals", plot, names=names)
