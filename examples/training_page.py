"""One page of how `lite` was trained: learning curves of its runs, and what a sweep of short runs found.

    python examples/training_page.py page.html --runs NAME=RUN ... --sweep TITLE=FOLDER ...

A run is a folder of `anymask.train` (its metrics.jsonl is read); a sweep one of `examples/sweep_lite.py`,
whose arms are compared with one of them, mask by mask: CONTROLS says which.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from anymask.core.files import write_atomically
from anymask.evaluate.compare import Comparison, compare_files
from anymask.evaluate.page.layout import document, figure, section, signed, table
from anymask.evaluate.page.markup import Markup, join, tag
from anymask.evaluate.page.plots import Axis, Line, lines

CONTROLS = ("control", "lite2_128")
SMOOTH = 200  # steps that a point of a curve is the mean of
FIGURES = {
    "click1": "1 click",
    "oracle1": "best of 3",
    "click3": "3 clicks",
    "click5": "5 clicks",
    "box": "box",
}
CURVES = {"iou_click": "one click", "iou_box": "box", "iou_round3": "after two corrections"}


def curve(run: Path, key: str, start: int) -> tuple[list[float], list[float]]:
    """Steps (thousands, from `start` on) and the means of a metric over SMOOTH steps."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["kind"] == "train" and key in row]
    last = rows[-1]["step"]
    ends = range(SMOOTH, last + 1, SMOOTH)
    means = [np.mean([r[key] for r in rows if end - SMOOTH < r["step"] <= end]) for end in ends]
    return [(start + end - SMOOTH / 2) / 1000 for end in ends], [float(mean) for mean in means]


def last_step(run: Path) -> int:
    """What the last checkpoint says; metrics are logged every 20 steps only."""
    known = run / "checkpoint.json"
    if known.is_file():
        return int(json.loads(known.read_text())["step"])
    return int(json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["step"])


def curves(runs: dict[str, Path]) -> Markup:
    """All runs one after the other on one axis of steps."""
    plots = []
    total = sum(last_step(run) for run in runs.values()) / 1000
    for key, title in CURVES.items():
        start, series = 0, []
        for name, run in runs.items():
            series.append(Line(name, *curve(run, key, start)))
            start += last_step(run)
        x = Axis.upwards("thousand steps", total)
        chart = lines(series, x, Axis.share("IoU on training views"), about=f"{title} by step")
        plots.append(figure(title, chart, names=list(runs)))
    return section(
        "Learning curves",
        f"Means over {SMOOTH} steps of 8 pictures and 32 masks, on augmented training views. Each run starts "
        "from averaged weights of those before it; the learning rate falls towards the end of each.",
        tag("div", *plots, class_="plots"),
    )


def cell(found: Comparison, key: str) -> Markup:
    """The arm's figure and its difference from the control's, with the interval of the mean over masks."""
    over = found.over_masks[key]
    low, high = (signed(end) for end in over.interval_95)
    change = f"{signed(over.difference)} ({low} to {high})"
    return join(f"{over.b:.3f}", tag("small", change))


def sweep(title: str, folder: Path) -> Markup:
    """Every arm against the control on the same masks."""
    arms = sorted(path.parent for path in folder.glob("*/report.json"))
    control = next((arm for arm in arms if arm.name in CONTROLS), arms[0])
    rows = []
    for arm in [control, *(arm for arm in arms if arm != control)]:
        found = (
            compare_files(control / "report.json", arm / "report.json", b_name=None)
            if arm != control
            else None
        )
        report = json.loads((arm / "report.json").read_text())
        (summary,) = report["summary"].values()
        worse = f"{100 * summary['share_of_extra_clicks_that_made_it_worse']:.1f} %"
        cells = [cell(found, key) if found else f"{summary['mean_over_masks'][key]:.3f}" for key in FIGURES]
        rows.append([arm.name, last_step(arm), *cells, worse])
    pictures = summary["pictures"]
    return section(
        title,
        f"IoU over the masks of {pictures} pictures; below it the difference from {control.name} "
        "on the same masks, with its 95 % bootstrap interval. Corrections free; worse: "
        "extra clicks that lose more than 0.05.",
        table(["arm", "steps", *FIGURES.values(), "worse clicks"], rows, full=True),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path)
    parser.add_argument("--runs", nargs="+", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--sweep", nargs="*", default=[], metavar="TITLE=FOLDER")
    options = parser.parse_args()
    runs = {name: Path(path) for name, _, path in (entry.partition("=") for entry in options.runs)}
    parts = [sweep(title, Path(path)) for title, _, path in (entry.partition("=") for entry in options.sweep)]
    lead = "What the runs of lite learned step by step, and short runs that differ in one setting."
    write_atomically(options.page, document("Training lite", lead, curves(runs), *parts).encode())


if __name__ == "__main__":
    main()
