"""`anymask evaluate edges`: zero-shot edge detection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anymask.cli.evaluate.job import carry_out, finish
from anymask.cli.evaluate.options import (
    AsJson,
    Backend,
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


def edges(
    data: Annotated[list[Path], typer.Argument(help="BSDS500, or pictures whose masks are a partition.")],
    model: Models = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(help="A classical detector: sobel, canny; may be repeated."),
    ] = None,
    points_per_side: Annotated[int, typer.Option(help="Side of the grid of clicks, 1 to 32.")] = 16,
    box_nms_thresh: Annotated[
        float, typer.Option(help="Of masks whose boxes overlap by a higher IoU the best stays.")
    ] = 0.7,
    smoothing: Annotated[
        float, typer.Option(help="Deviation of the Gaussian over the edge map, pixels; 0 for none.")
    ] = 1.0,
    thresholds: Annotated[int, typer.Option(min=1, help="Thresholds of the curve.")] = 99,
    tolerance: Annotated[
        float, typer.Option(help="Farthest pair of pixels that match, share of the diagonal.")
    ] = 0.0075,
    layout: Layout = "auto",
    images: Images = None,
    every: Every = 1,
    precision: Precision = "fast",
    backend: Backend = "auto",
    on_error: OnError = "skip",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Write the report (JSON) here, and the pictures' counts beside it."),
    ] = None,
    html: Html = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Zero-shot edges by clicking everywhere: ODS, OIS, AP and R50 against people's boundaries.

    Pictures without boundaries whose masks are no partition are passed over. With -o a run that was stopped
    goes on where it was.
    """
    from anymask.evaluate.datasets import open_samples
    from anymask.evaluate.edges.detectors import check_detectors, edge_baseline
    from anymask.evaluate.edges.protocol import EdgesSettings, evaluate_sample, summarise_lines
    from anymask.evaluate.edges.strength import EdgeSettings
    from anymask.evaluate.predictors import Predictor, open_predictor
    from anymask.evaluate.run import PictureRun
    from anymask.evaluate.samples import Problems

    settings = EdgesSettings(EdgeSettings(points_per_side, box_nms_thresh, smoothing), thresholds, tolerance)
    check_place(html)
    source = open_samples(data, layout, pictures=images)
    baselines = [edge_baseline(name) for name in baseline or []]
    models = [open_predictor(name, precision=precision, backend=backend) for name in model or ["lite"]]
    detectors: list[Predictor] = [*models, *baselines]
    check_detectors(detectors)
    with PictureRun(
        "edges",
        source,
        detectors,
        settings={**settings.to_json(), "precision": precision, "backend": backend},
        every=every,
        problems=Problems(on_error),
        out=out,
        fresh=fresh,
    ) as run:
        carry_out(run, lambda _, one, sample: evaluate_sample(one, sample, settings), quiet=quiet)
        report = run.report(lambda lines: summarise_lines(lines, settings))
    nothing = "no picture with true edges; give BSDS500, or masks that are a partition"
    finish(report, out, tell, counted="pictures", nothing=nothing, as_json=as_json, quiet=quiet)
    write_page(html, report, run, source, quiet=quiet)


def tell(report: Report) -> None:
    """The figures of every detector for people."""
    for name, summary in report.summary.items():
        say(f"{name}: {summary['pictures']} pictures, {summary['drawings']} drawings")
        say(f"{'':10}{'F':>8}{'prec.':>8}{'recall':>8}{'at':>8}")
        ods, ois = summary["ods"], summary["ois"]
        row = "".join(f"{ods[figure]:>8.3f}" for figure in ("f", "precision", "recall", "threshold"))
        say(f"{'ODS':10}{row}")
        say(f"{'OIS':10}" + "".join(f"{ois[figure]:>8.3f}" for figure in ("f", "precision", "recall")))
        say(f"{'AP':10}{summary['ap']:>8.3f}")
        say(f"{'R50':10}{summary['r50']:>8.3f}")
