"""The page of an edges report: ODS, OIS, AP, R50 and the curve of precision over recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anymask.evaluate.page.common import about_the_run, quoted, skipped
from anymask.evaluate.page.layout import Bar, bars, document, figure, section, table
from anymask.evaluate.page.markup import Markup, tag
from anymask.evaluate.page.plots import Curve, legend, precision_recall
from anymask.evaluate.report import Report


def edges_page(report: Report) -> str:
    """The whole page as HTML."""
    summaries = {
        about.name: report.summary[about.name]
        for about in report.predictors
        if report.summary[about.name]["pictures"]
    }
    names = list(summaries)
    note = (
        "F is the harmonic mean of precision and recall. ODS: the best F at one threshold for all pictures; "
        "OIS: at each picture's own best; AP: mean precision over recall; R50: recall at precision 0.5."
    )
    return document(
        f"Edges: {', '.join(names)}",
        tag("p", _lead(report, list(summaries.values())), class_="lead"),
        section("Results", note, _results(summaries)),
        section("Precision over recall", None, tag("div", _curve(summaries), class_="plots")),
        _by_source(names, list(summaries.values())),
        quoted("edges"),
        about_the_run(report),
        skipped(report),
    )


def _lead(report: Report, summaries: Sequence[Mapping[str, Any]]) -> str:
    if not summaries:
        return f"{report.data.name}: no picture with true edges."
    first = summaries[0]
    return (
        f"{report.data.name}: {first['pictures']} pictures with {first['drawings']} drawings of their edges."
    )


def _results(summaries: Mapping[str, Mapping[str, Any]]) -> Markup:
    rows = [
        [
            name,
            f"{one['ods']['f']:.3f}",
            f"{one['ois']['f']:.3f}",
            f"{one['ap']:.3f}",
            f"{one['r50']:.3f}",
            f"{one['ods']['precision']:.3f}",
            f"{one['ods']['recall']:.3f}",
            f"{one['ods']['threshold']:.3f}",
        ]
        for name, one in summaries.items()
    ]
    head = ["", "ODS", "OIS", "AP", "R50", "precision at ODS", "recall at ODS", "threshold of ODS"]
    return table(head, rows)


def _curve(summaries: Mapping[str, Mapping[str, Any]]) -> Markup | None:
    if not summaries:
        return None
    series = [
        Curve(
            name,
            one["curve"]["recall"],
            one["curve"]["precision"],
            (one["ods"]["recall"], one["ods"]["precision"]),
        )
        for name, one in summaries.items()
    ]
    about = "; ".join(f"{name}: ODS {one['ods']['f']:.3f}" for name, one in summaries.items())
    note = "Dot: the threshold of ODS. Dashed: places of equal F, 0.2, 0.4, 0.6, 0.8."
    plot = precision_recall(series, about=f"Precision over recall. {about}")
    return figure("All pictures", plot, note, names=list(summaries))


def _by_source(names: Sequence[str], summaries: Sequence[Mapping[str, Any]]) -> Markup | None:
    if not summaries or len(summaries[0]["by_source"]) < 2:
        return None
    rows = [
        Bar(name, tuple(_f(s["by_source"].get(name)) for s in summaries), found["pictures"])
        for name, found in sorted(summaries[0]["by_source"].items(), key=lambda item: -item[1]["ods"]["f"])
    ]
    note = "ODS of every source, with the number of its pictures."
    return section("Sources", note, legend(names), bars(rows, columns=True))


def _f(found: Mapping[str, Any] | None) -> float | None:
    return None if found is None else float(found["ods"]["f"])
