"""`anymask evaluate proposals`: how many true masks everything mode finds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from anymask.cli.evaluate.interactive import finish
from anymask.cli.evaluate.report import Html, check_place, write_page
from anymask.cli.terminal import progress, say

if TYPE_CHECKING:
    from anymask.evaluate.report import Report


def proposals(
    data: Annotated[list[Path], typer.Argument(help="Pictures with true masks: tar shards, files, folders.")],
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model's name, folder or checkpoint; may be repeated.  [default: lite]"),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="demo, paper, objects, parts or dense.")
    ] = None,
    rank: Annotated[
        Literal["mean", "iou", "stability"],
        typer.Option(help="What masks are ranked by: predicted IoU, stability or the mean of both."),
    ] = "mean",
    points_per_side: Annotated[int | None, typer.Option(help="Side of the grid of clicks.")] = None,
    pred_iou_thresh: Annotated[float | None, typer.Option(help="Least score of a mask.")] = None,
    stability_score_thresh: Annotated[float | None, typer.Option(help="Least stability of a mask.")] = None,
    box_nms_thresh: Annotated[float | None, typer.Option(help="Most IoU of boxes.")] = None,
    crop_n_layers: Annotated[int | None, typer.Option(help="Layers of crops.")] = None,
    min_mask_region_area: Annotated[
        float | None, typer.Option(help="Smaller specks and holes go (pixels).")
    ] = None,
    max_area_share: Annotated[
        float | None, typer.Option(help="Larger masks go (share of the image).")
    ] = None,
    mask_nms_thresh: Annotated[float | None, typer.Option(help="Most IoU of masks.")] = None,
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
        typer.Option(
            "-o", "--out", help="Write the report (JSON) here, and each picture's recall beside it."
        ),
    ] = None,
    html: Html = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again; do not go on with a run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
) -> None:
    """Everything mode as object proposals: average recall of 10, 100 and 1000 masks, by size.

    Settings not given are the preset's. Without a preset no mask is dropped for its score or stability, and
    of two boxes with an IoU above 0.9 one goes. With -o a run that was stopped goes on where it was.
    """
    from anymask.evaluate.datasets import open_samples
    from anymask.evaluate.predictors import open_predictor
    from anymask.evaluate.proposals import (
        ProposalsSettings,
        check_predictors,
        evaluate_sample,
        summarise,
    )
    from anymask.evaluate.run import PictureRun
    from anymask.evaluate.samples import Problems

    given = {
        "points_per_side": points_per_side,
        "pred_iou_thresh": pred_iou_thresh,
        "stability_score_thresh": stability_score_thresh,
        "box_nms_thresh": box_nms_thresh,
        "crop_n_layers": crop_n_layers,
        "min_mask_region_area": min_mask_region_area,
        "max_area_share": max_area_share,
        "mask_nms_thresh": mask_nms_thresh,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    settings = ProposalsSettings(preset, changes, rank)
    check_place(html)
    source = open_samples(data, layout, pictures=images)
    predictors = [open_predictor(name, precision=precision, backend=backend) for name in model or ["lite"]]
    check_predictors(predictors)
    with PictureRun(
        "proposals",
        source,
        predictors,
        settings={**settings.to_json(), "precision": precision, "backend": backend},
        every=every,
        problems=Problems(on_error),
        out=out,
        fresh=fresh,
    ) as run:
        if run.finished and not quiet:
            say(f"anymask: {run.finished} of {run.total} pictures are done already")
        steps = run.steps(lambda _, one, sample: [evaluate_sample(one, sample, settings)])
        for _ in progress(steps, total=run.total - run.finished, label="evaluating", quiet=quiet):
            pass
        report = run.report(summarise)
    finish(report, out, as_json=as_json, quiet=quiet)
    write_page(html, report, run, source, quiet=quiet)
    if not quiet and not as_json:
        tell(report)


def tell(report: Report) -> None:
    """The figures of every predictor for people."""
    for name, summary in report.summary.items():
        say(
            f"{name}: {summary['masks']} true masks, {summary['pictures']} pictures with "
            f"{summary['proposals_per_picture']:.0f} masks each"
        )
        recall = summary["recall"]
        say(f"{'':10}{'all':>8}{'small':>8}{'medium':>8}{'large':>8}")
        for limit in (10, 100, 1000):
            row = [recall[f"AR@{limit}{size}"] for size in ("", "_small", "_medium", "_large")]
            say(f"AR@{limit:<7}" + "".join(f"{_percent(value):>8}" for value in row))


def _percent(value: Any) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
