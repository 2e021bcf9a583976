"""`anymask evaluate interactive`: simulated clicks, boxes and strokes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from anymask.cli.evaluate.job import carry_out, finish
from anymask.cli.evaluate.options import (
    AsJson,
    Backend,
    Baselines,
    Data,
    Every,
    Fresh,
    Html,
    Images,
    Layout,
    Models,
    OnError,
    Precision,
    Quiet,
)
from anymask.cli.evaluate.report import check_place, write_page
from anymask.cli.terminal import say

if TYPE_CHECKING:
    from anymask.evaluate.report import Report

_ROWS = ("mean_over_sources", "mean_over_trained_sources", "mean_over_zero_shot_sources", "mean_over_masks")
_COLUMNS = (
    "click1", "oracle1", "click2", "click3", "click5", "click9", "noc85", "noc90", "box", "box_click1",
    "box_click3", "scribble", "random1", "click1_boundary", "box_boundary",
)  # fmt: skip


def interactive(
    data: Data,
    model: Models = None,
    baseline: Baselines = None,
    protocols: Annotated[
        str,
        typer.Option(help="Some of clicks, box, box-clicks, scribble, random-click, noc, with commas."),
    ] = "clicks,box",
    most_clicks: Annotated[int, typer.Option(help="Clicks on each mask, 1 to 20.")] = 9,
    first_click: Annotated[
        Literal["centre", "random"], typer.Option(help="Where the first click lies.")
    ] = "centre",
    seed: Annotated[int, typer.Option(help="Of random clicks and strokes.")] = 0,
    layout: Layout = "auto",
    images: Images = None,
    every: Every = 1,
    precision: Precision = "fast",
    backend: Backend = "auto",
    corrections: Annotated[
        Literal["auto", "local", "free"],
        typer.Option(help="Whether clicks change a mask only near themselves; auto: as the model says."),
    ] = "auto",
    on_error: OnError = "skip",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Write the report (JSON) here, and the outcomes beside it."),
    ] = None,
    html: Html = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Simulated clicks and boxes: IoU after 1 to 9 clicks, best of the candidates, box.

    The first click lies at the centre of the object, each next one at the centre of the largest error. With
    -o a run that was stopped goes on where it was.
    """
    from anymask.evaluate.baselines import checked_baseline
    from anymask.evaluate.datasets import open_samples
    from anymask.evaluate.interactive import InteractiveSettings, evaluate_sample
    from anymask.evaluate.predictors import open_predictor
    from anymask.evaluate.report import Outcome
    from anymask.evaluate.run import PictureRun
    from anymask.evaluate.samples import Problems
    from anymask.evaluate.summary import summarise

    settings = InteractiveSettings(_words(protocols), most_clicks, first_click, seed)  # type: ignore[arg-type]
    check_place(html)
    source = open_samples(data, layout, pictures=images)
    names = [*(model or ["lite"]), *map(checked_baseline, baseline or [])]
    local = None if corrections == "auto" else corrections == "local"
    predictors = [
        open_predictor(name, precision=precision, backend=backend, local_corrections=local) for name in names
    ]
    problems = Problems(on_error)
    about = {**settings.to_json(), "precision": precision, "backend": backend, "corrections": corrections}
    with PictureRun(
        "interactive",
        source,
        predictors,
        settings=about,
        every=every,
        problems=problems,
        out=out,
        fresh=fresh,
    ) as run:
        carry_out(
            run,
            lambda name, one, sample: [
                outcome.to_json() for outcome in evaluate_sample(one, sample, settings, name=name)
            ],
            quiet=quiet,
        )
        report = run.report(lambda lines: summarise(map(Outcome.from_json, lines)))
    finish(report, out, tell, as_json=as_json, quiet=quiet)
    write_page(html, report, run, source, quiet=quiet)


def tell(report: Report) -> None:
    """The headline figures of every predictor as a table for people."""
    for name, summary in report.summary.items():
        say(f"{name}: {summary['masks']} masks from {summary['sources']} sources")
        columns = [column for column in _COLUMNS if column in summary["mean_over_masks"]]
        for part in (columns[:8], columns[8:]):
            if part:
                _table(part, summary)
        worse, ece = summary["share_of_extra_clicks_that_made_it_worse"], summary["predicted_iou_ece"]
        if summary["worse_by_click"]:
            say(f"extra clicks, up to the fifth, that lowered IoU by more than 0.05: {100 * worse:.1f} %")
        if ece is not None:
            say(f"expected calibration error of predicted IoU: {ece:.3f}")


def _table(columns: Iterable[str], summary: Mapping[str, Any]) -> None:
    widths = {column: max(9, len(column) + 2) for column in columns}
    say(f"{'':24}" + "".join(f"{column:>{width}}" for column, width in widths.items()))
    for row in _ROWS:
        if summary[row]:
            values = "".join(f"{summary[row][column]:>{width}.3f}" for column, width in widths.items())
            say(f"{row.removeprefix('mean_').replace('_', ' '):<24}{values}")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
