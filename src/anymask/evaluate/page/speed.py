"""The page of a speed report: what each task takes, and how much that varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anymask.evaluate.page.common import about_the_run, quoted
from anymask.evaluate.page.layout import Range, document, ranges, section, table
from anymask.evaluate.page.markup import Markup, tag
from anymask.evaluate.page.plots import legend
from anymask.evaluate.report import Report
from anymask.evaluate.speed import BUSY

_NAMES = {
    "open": "open a picture",
    "first_mask": "open, and one click",
    "click": "one click",
    "box": "one box",
    "everything": "everything",
}


def speed_page(report: Report) -> str:
    """The whole page as HTML."""
    names = [predictor.name for predictor in report.predictors]
    summaries = [report.summary[name] for name in names]
    note = (
        "Milliseconds per picture. Quiet half: median of the samples that other processes disturbed least, "
        "the number to quote; the other times are of all. Others: cores that other processes used meanwhile."
    )
    return document(
        f"Speed: {', '.join(names)}",
        tag("p", _lead(report), class_="lead"),
        section("Times", note, _times(names, summaries)),
        section(
            "Spread",
            "Line: from the 10 % to the 90 % quantile of all samples; mark: the quiet half. Each step of the "
            "scale is ten times the one before.",
            legend(names),
            ranges(_ranges(summaries)),
        ),
        quoted("speed"),
        about_the_run(report),
    )


def _lead(report: Report) -> str:
    text = f"{report.data.name}: {report.settings['sizes']} pixels, {report.settings['rounds']} rounds."
    load = report.machine.get("load_of_others")
    if load is None:
        return text
    text += f" Other processes used {load:.2f} of {report.machine['cores']} cores meanwhile"
    return text + (", so the times are too long." if load > BUSY else ".")


def _times(names: Sequence[str], summaries: Sequence[Mapping[str, Any]]) -> Markup:
    rows: list[list[object]] = []
    for name, summary in zip(names, summaries, strict=True):
        peak = summary["peak_mb"]
        rows.append([name if peak is None else f"{name}: {peak:.0f} MB of memory at most, in a new process"])
        rows += [_row(task, figures) for task, figures in summary["tasks"].items()]
    return table(["", "quiet half", "median", "10 %", "90 %", "best", "others"], rows)


def _row(task: str, figures: Mapping[str, Any]) -> list[object]:
    times = [_ms(figures[key]) for key in ("ms", "median_ms", "p10_ms", "p90_ms", "best_ms")]
    foreign = figures["foreign"]
    return [_title(task), *times, "–" if foreign is None else f"{foreign:.2f}"]


def _ranges(summaries: Sequence[Mapping[str, Any]]) -> list[Range]:
    tasks = dict.fromkeys(task for summary in summaries for task in summary["tasks"])
    return [
        Range(_title(task), found["p10_ms"], found["ms"], found["p90_ms"], f"{_ms(found['ms'])} ms", i)
        for task in tasks
        for i, summary in enumerate(summaries)
        if (found := summary["tasks"].get(task)) is not None
    ]


def _title(task: str) -> str:
    if task.startswith("prompts"):
        return f"{task.removeprefix('prompts')} clicks at once"
    return _NAMES.get(task, task)


def _ms(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
