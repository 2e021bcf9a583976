"""`anymask evaluate boxes`: masks from the true masks' boxes or a detector's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from anymask.cli.evaluate.interactive import finish
from anymask.cli.evaluate.report import Html, check_place, write_page
from anymask.cli.terminal import progress, say

if TYPE_CHECKING:
    from anymask.evaluate.report import Report

_COCO = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR")


def boxes(
    data: Annotated[list[Path], typer.Argument(help="Pictures with true masks: tar shards, files, folders.")],
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model's name, folder or checkpoint; may be repeated.  [default: lite]"),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(help="A classical method: grabcut, watershed, random-walker; may be repeated."),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A detector's boxes as COCO results (JSON); else the true boxes."),
    ] = None,
    class_agnostic: Annotated[
        bool, typer.Option("--class-agnostic", help="Labels do not count in AP.")
    ] = False,
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
        typer.Option("-o", "--out", help="Write the report (JSON) here, and each picture's masks beside it."),
    ] = None,
    html: Html = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again; do not go on with a run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
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
        if run.finished and not quiet:
            say(f"anymask: {run.finished} of {run.total} pictures are done already")
        steps = run.steps(lambda _, one, sample: [evaluate_sample(one, sample, settings)])
        for _ in progress(steps, total=run.total - run.finished, label="evaluating", quiet=quiet):
            pass
        report = run.report(lambda lines: summarise(lines, class_agnostic=class_agnostic))
    finish(report, out, as_json=as_json, quiet=quiet)
    write_page(html, report, run, source, quiet=quiet)
    if not quiet and not as_json:
        tell(report)


def tell(report: Report) -> None:
    """The figures of every predictor for people."""
    whose = "the true boxes" if report.settings["boxes"] == "true" else "a detector's boxes"
    for name, summary in report.summary.items():
        say(f"{name}: {summary['masks']} masks, {summary['boxes']} boxes, {summary['pictures']} pictures")
        say("".join(f"{column:>8}" for column in _COCO) + f"   from {whose}")
        say("".join(f"{_percent(summary['coco'][column]):>8}" for column in _COCO))
        over_masks, over_sources = summary["mean_over_masks"]["box"], summary["mean_over_sources"]["box"]
        say(f"mean IoU over masks {over_masks:.3f}, over {summary['sources']} sources {over_sources:.3f}")


def _percent(value: Any) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
