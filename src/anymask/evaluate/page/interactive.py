"""The page of an interactive report: clicks, boxes, calibration, groups, and cases as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from anymask.core.arrays import Float64Array
from anymask.evaluate.page import figures
from anymask.evaluate.page.common import about_the_run, quoted, skipped
from anymask.evaluate.page.gallery import gallery, main_figure
from anymask.evaluate.page.groups import Summary, by_group, by_source
from anymask.evaluate.page.layout import document, figure, keys, section, table, with_interval
from anymask.evaluate.page.markup import Markup, join, tag
from anymask.evaluate.page.plots import Axis, Line, bubbles, histogram, lines
from anymask.evaluate.report import Outcome, Report
from anymask.evaluate.samples import Sample

_AVERAGES = (
    ("mean_over_sources", "all sources", "interval_95"),
    ("mean_over_trained_sources", "sources trained on", None),
    ("mean_over_zero_shot_sources", "zero-shot sources", None),
    ("mean_over_masks", "masks", "interval_95_over_masks"),
)
_GROUPS = (("by_size", "By size"), ("by_share", "By share of the picture"), ("by_kind", "By kind"))
_BINS = 20


def interactive_page(
    report: Report, outcomes: Mapping[str, Sequence[Outcome]], samples: Mapping[str, Sample]
) -> str:
    """The whole page as HTML.

    outcomes: of each predictor. samples: key -> picture with masks, for the cases; what is not there is not
    shown. Raises FormatError if the samples are not those of the report.
    """
    names = [predictor.name for predictor in report.predictors]
    summaries = [report.summary[name] for name in names]
    rows = [outcomes.get(name, ()) for name in names]
    first = summaries[0]
    main = main_figure(list(first["mean_over_masks"]))
    return document(
        f"Interactive segmentation: {', '.join(names)}",
        join(tag("p", _lead(report, first), class_="lead"), keys(*_key_numbers(first))),
        section("Results", _results_note(first), results(names, summaries)),
        section(
            "Plots",
            "Means over sources; bands are 95 % bootstrap intervals, sources drawn with replacement.",
            _plots(names, summaries, rows),
        ),
        by_group(names, summaries, main, _GROUPS),
        by_source(names, summaries, main, first["zero_shot_sources"]),
        gallery(names[0], rows[0], samples),
        quoted("interactive"),
        about_the_run(report),
        skipped(report),
    )


def _lead(report: Report, first: Summary) -> str:
    sizes = f"{first['masks']} masks in {first['pictures']} pictures of {first['sources']} sources"
    text = f"{report.data.name}: {sizes}. IoU of the found mask with the true one, at the picture's own size."
    if len(report.predictors) > 1:
        text += f" The numbers in large type are those of {report.predictors[0].name}."
    return text


def _key_numbers(first: Summary) -> list[tuple[str, str, str]]:
    found = []
    for name in ("click1", "oracle1", "click5", "box"):
        if name in first["mean_over_sources"]:
            low, high = first["interval_95"][name]
            found.append(
                (
                    figures.title(name),
                    f"{first['mean_over_sources'][name]:.3f}",
                    f"95 %: {low:.3f}–{high:.3f}",
                )
            )
    if first["worse_by_click"]:
        worse = first["share_of_extra_clicks_that_made_it_worse"]
        found.append(("clicks that worsen it", f"{worse:.1%}", "by more than 0.05, up to the fifth"))
    if first["predicted_iou_ece"] is not None:
        found.append(("calibration error", f"{first['predicted_iou_ece']:.3f}", "of the predicted IoU, ECE"))
    return found


def _results_note(first: Summary) -> str:
    note = (
        "Averaged within each source first, then over sources, so that every collection counts alike; "
        "the last line of each counts every mask alike. Small numbers: 95 % bootstrap intervals, over "
        "sources and over pictures."
    )
    if any(figures.counts_clicks(name) for name in first["mean_over_masks"]):
        note += " NoC: clicks until that IoU, less is better, 20 if it is never reached."
    return note


def results(names: Sequence[str], summaries: Sequence[Summary]) -> Markup:
    """The table of every figure of every predictor, averaged over sources and over masks."""
    columns = figures.headline(dict.fromkeys(n for s in summaries for n in s["mean_over_masks"]))
    rows: list[list[object]] = []
    for name, summary in zip(names, summaries, strict=True):
        if len(names) > 1:
            rows.append([name])
        for key, label, interval in _AVERAGES:
            if summary[key]:
                ends = summary[interval] if interval else {}
                rows.append([label, *(_cell(c, summary[key].get(c), ends.get(c)) for c in columns)])
    return table(["averaged over", *map(figures.title, columns)], rows, full=len(columns) > 4)


def _cell(name: str, value: float | None, ends: Sequence[float] | None) -> Markup:
    places = 2 if figures.counts_clicks(name) else 3
    return with_interval(figures.text(name, value), ends if value is not None else None, places)


def _plots(
    names: Sequence[str], summaries: Sequence[Summary], by_name: Sequence[Sequence[Outcome]]
) -> Markup:
    found = [
        _click_curve(names, summaries),
        _worse_curve(names, summaries),
        _reliability(names, summaries),
        spread(names, by_name, "click1", "IoU after one click"),
        spread(names, by_name, "box", "IoU for the box"),
    ]
    return tag("div", *found, class_="plots")


def _click_curve(names: Sequence[str], summaries: Sequence[Summary]) -> Markup | None:
    series, most = [], 0
    for name, summary in zip(names, summaries, strict=True):
        curve = figures.clicks(summary["mean_over_sources"])
        ends = np.array([summary["interval_95"][f] for f in curve.values()]).reshape(-1, 2)
        values = [summary["mean_over_sources"][f] for f in curve.values()]
        series.append(Line(name, list(curve), values, list(ends[:, 0]), list(ends[:, 1])))
        most = max(most, *curve, 0)
    if most < 2:
        return None
    x = Axis("clicks", 1, most, figures.click_ticks(1, most), 0)
    about = f"Mean IoU over clicks: {_spoken(series)}"
    return figure("IoU over clicks", lines(series, x, Axis.share("mean IoU"), about=about), names=names)


def _worse_curve(names: Sequence[str], summaries: Sequence[Summary]) -> Markup | None:
    series = [
        Line(name, [int(n) for n in s["worse_by_click"]], [100 * v for v in s["worse_by_click"].values()])
        for name, s in zip(names, summaries, strict=True)
    ]
    most = max((int(click) for line in series for click in line.x), default=0)
    if most < 3:
        return None
    x = Axis("click", 2, most, figures.click_ticks(2, most), 0)
    y = Axis.upwards("% of masks", max(1.0, *(value for line in series for value in line.y)))
    plot = lines(series, x, y, about=f"Masks made worse in per cent: {_spoken(series)}")
    note = "Correct clicks that lower the IoU by more than 0.05, share of all masks."
    return figure("Clicks that make it worse", plot, note, names=_present(series))


def _reliability(names: Sequence[str], summaries: Sequence[Summary]) -> Markup | None:
    series = []
    for name, summary in zip(names, summaries, strict=True):
        bins = summary["reliability"]
        masks = np.array([b["masks"] for b in bins], float)
        line = Line(name, [b["predicted"] for b in bins], [b["true"] for b in bins])
        series.append((line, masks / max(masks.sum(), 1.0)))
    errors = [
        f"{name}: ECE {summary['predicted_iou_ece']:.3f}"
        for name, summary in zip(names, summaries, strict=True)
        if summary["predicted_iou_ece"] is not None
    ]
    if not errors:
        return None
    note = f"First click, ten bins; area of a dot: share of masks. {'; '.join(errors)}."
    x, y = Axis.share("predicted IoU"), Axis.share("true IoU")
    plot = bubbles(series, x, y, about=f"Reliability diagram. {note}")
    return figure("Is the predicted IoU right?", plot, note, names=_present([line for line, _ in series]))


def _present(series: Sequence[Line]) -> list[str | None]:
    return [line.name if line.x else None for line in series]


def spread(
    names: Sequence[str], by_name: Sequence[Sequence[Outcome]], name: str, heading: str
) -> Markup | None:
    """Histogram of a figure over masks, of every predictor that has it; None if none has."""
    series = [(label, 100 * shares(_values(rows, name))) for label, rows in zip(names, by_name, strict=True)]
    if not any(values.any() for _, values in series):
        return None
    plot = histogram(series, Axis.share("IoU"), "% of masks", about=f"Histogram of the {heading} over masks")
    shown = [label if values.any() else None for label, values in series]
    return figure(heading, plot, f"Share of masks in bins of {1 / _BINS:g}.", names=shown)


def shares(numbers: Float64Array, bins: int = _BINS) -> Float64Array:
    """Histogram of numbers in [0, 1]: (bins,) float64, shares of all; zeros if there are none."""
    counts, _ = np.histogram(numbers, bins, (0.0, 1.0))
    return np.asarray(counts / max(len(numbers), 1), np.float64)


def _values(rows: Sequence[Outcome], name: str) -> Float64Array:
    return np.array([row.figures[name] for row in rows if name in row.figures], np.float64)


def _spoken(series: Sequence[Line]) -> str:
    return "; ".join(f"{s.name} from {s.y[0]:.3f} to {s.y[-1]:.3f}" for s in series if s.y)
