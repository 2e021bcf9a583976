"""`anymask evaluate edges`: zero-shot edge detection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from anymask.cli.evaluate.report import Html, check_place, write_page
from anymask.cli.terminal import progress, say
from anymask.core.errors import InputError

if TYPE_CHECKING:
    from anymask.evaluate.report import Report


def edges(
    data: Annotated[list[Path], typer.Argument(help="BSDS500, or pictures whose masks are a partition.")],
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model's name, folder or checkpoint; may be repeated.  [default: lite]"),
    ] = None,
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
    layout: Annotated[str, typer.Option(help="How the data lies, if it is not seen by itself.")] = "auto",
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The pictures, where the data is an annotation file.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Only every N-th picture.")] = 1,
    precision: Annotated[Literal["fast", "exact"], typer.Option(help="Arithmetic.")] = "fast",
    backend: Annotated[Literal["auto", "openvino", "onnx", "torch"], typer.Option(help="Runtime.")] = "auto",
    on_error: Annotated[
        Literal["skip", "refuse"], typer.Option(help="What to do about a file that cannot be used.")
    ] = "skip",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Write the report (JSON) here, and the pictures' counts beside it."),
    ] = None,
    html: Html = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again; do not go on with a run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
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
        if run.finished and not quiet:
            say(f"anymask: {run.finished} of {run.total} pictures are done already")
        steps = run.steps(lambda _, one, sample: evaluate_sample(one, sample, settings))
        for _ in progress(steps, total=run.total - run.finished, label="evaluating", quiet=quiet):
            pass
        report = run.report(lambda lines: summarise_lines(lines, settings))
    for line in report.skipped if not quiet else ():
        say(f"anymask: skipped {line}")
    if not any(summary["pictures"] for summary in report.summary.values()):
        raise InputError(
            f"{source.name}: no picture with true edges; give BSDS500, or masks that are a partition"
        )
    if out is not None:
        report.save(out)
    write_page(html, report, run, source, quiet=quiet)
    if as_json:
        print(json.dumps(report.to_json(), indent=1))
    elif not quiet:
        tell(report)


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
