"""`anymask evaluate boxes`: masks from the true masks' boxes or a detector's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anymask.cli.evaluate.job import carry_out, finish, percent
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

_COCO = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR")


def boxes(
    data: Data,
    model: Models = None,
    baseline: Baselines = None,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A detector's boxes as COCO results (JSON); else the true boxes."),
    ] = None,
    class_agnostic: Annotated[
        bool, typer.Option("--class-agnostic", help="Labels do not count in AP.")
    ] = False,
    layout: Layout = "auto",
    images: Images = None,
    every: Every = 1,
    precision: Precision = "fast",
    backend: Backend = "auto",
    on_error: OnError = "skip",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Write the report (JSON) here, and each picture's masks beside it."),
    ] = None,
    html: Html = None,
    fresh: Fresh = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Masks from boxes: COCO's mask AP and AR, and the mean IoU.

    With a detector's boxes its scores and classes are kept. With the true boxes the predictor's own guess of
    the IoU ranks the masks. With -o a run that was stopped goes on where it was.
    """
    from anymask.evaluate.baselines import checked_baseline
    from anymask.evaluate.boxes import BoxesSettings, evaluate_sample, summarise
    from anymask.evaluate.datasets import open_samples
    from anymask.evaluate.detections import read_detections
    from anymask.evaluate.predictors import open_predictor
    from anymask.evaluate.run import PictureRun
    from anymask.evaluate.samples import Problems

    check_place(html)
    source = open_samples(data, layout, pictures=images)
    problems = Problems(on_error)
    found = None if boxes is None else read_detections(boxes, source, problems, class_agnostic=class_agnostic)
    settings = BoxesSettings(found, class_agnostic)
    names = [*(model or ["lite"]), *map(checked_baseline, baseline or [])]
    with PictureRun(
        "boxes",
        source,
        [open_predictor(name, precision=precision, backend=backend) for name in names],
        settings={**settings.to_json(), "precision": precision, "backend": backend},
        every=every,
        problems=problems,
        out=out,
        fresh=fresh,
    ) as run:
        carry_out(run, lambda _, one, sample: [evaluate_sample(one, sample, settings)], quiet=quiet)
        report = run.report(lambda lines: summarise(lines, class_agnostic=class_agnostic))
    finish(report, out, tell, as_json=as_json, quiet=quiet)
    write_page(html, report, run, source, quiet=quiet)


def tell(report: Report) -> None:
    """The figures of every predictor for people."""
    whose = "the true boxes" if report.settings["boxes"] == "true" else "a detector's boxes"
    for name, summary in report.summary.items():
        say(f"{name}: {summary['masks']} masks, {summary['boxes']} boxes, {summary['pictures']} pictures")
        say("".join(f"{column:>8}" for column in _COCO) + f"   from {whose}")
        say("".join(f"{percent(summary['coco'][column]):>8}" for column in _COCO))
        over_masks, over_sources = summary["mean_over_masks"]["box"], summary["mean_over_sources"]["box"]
        say(f"mean IoU over masks {over_masks:.3f}, over {summary['sources']} sources {over_sources:.3f}")
