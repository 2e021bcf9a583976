"""`anymask evaluate proposals`: how many true masks everything mode finds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from anymask.cli.crop_layers import CropLayersOption, read_crop_layers
from anymask.cli.evaluate.job import carry_out, finish, percent
from anymask.cli.evaluate.options import (
    AsJson,
    Backend,
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


def proposals(
    data: Data,
    model: Models = None,
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
    crop_n_layers: CropLayersOption = None,
    min_mask_region_area: Annotated[
        float | None, typer.Option(help="Smaller specks and holes go (pixels).")
    ] = None,
    max_area_share: Annotated[
        float | None, typer.Option(help="Larger masks go (share of the image).")
    ] = None,
    mask_nms_thresh: Annotated[float | None, typer.Option(help="Most IoU of masks.")] = None,
    layout: Layout = "auto",
    images: Images = None,
    every: Every = 1,
    precision: Precision = "fast",
    backend: Backend = "auto",
    on_error: OnError = "skip",
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="Write the report (JSON) here, and each picture's recall beside it."
        ),
    ] = None,
    html: Html = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
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
        "crop_n_layers": read_crop_layers(crop_n_layers),
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
        carry_out(run, lambda _, one, sample: [evaluate_sample(one, sample, settings)], quiet=quiet)
        report = run.report(summarise)
    finish(report, out, tell, as_json=as_json, quiet=quiet)
    write_page(html, report, run, source, quiet=quiet)


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
            say(f"AR@{limit:<7}" + "".join(f"{percent(value):>8}" for value in row))
