"""`anymask evaluate speed`: how long a model needs on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anymask.cli.evaluate.options import AsJson, Backend, Baselines, Html, Models, Precision, Quiet
from anymask.cli.evaluate.report import check_place, write_page
from anymask.cli.terminal import say
from anymask.core.errors import InputError

if TYPE_CHECKING:
    from anymask.evaluate.report import Report


def speed(
    images: Annotated[
        list[Path] | None, typer.Argument(help="Pictures to measure on.  [default: a drawn one]")
    ] = None,
    model: Models = None,
    baseline: Baselines = None,
    size: Annotated[str, typer.Option(metavar="WxH", help="Of the drawn picture, pixels.")] = "1024x768",
    rounds: Annotated[int, typer.Option(help="Samples of each task.")] = 7,
    prompts: Annotated[
        str, typer.Option(metavar="N,...", help="How many clicks are answered at once.")
    ] = "16,64",
    points_per_side: Annotated[
        int, typer.Option(help="Side of everything mode's grid; 0 leaves it out.")
    ] = 32,
    memory: Annotated[
        bool, typer.Option("--memory/--no-memory", help="Measure the memory of a new process, too.")
    ] = True,
    patience: Annotated[
        float, typer.Option(help="Seconds to wait before a round for a quiet machine.")
    ] = 3.0,
    precision: Precision = "fast",
    backend: Backend = "auto",
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write the report (JSON) here.")] = None,
    html: Html = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Milliseconds to embed, to answer a click, a box and many prompts, and to segment everything.

    Everything takes turns within each round; what other processes used meanwhile is measured and said.
    """
    from anymask.core.images import load_image
    from anymask.evaluate.baselines import checked_baseline
    from anymask.evaluate.predictors import open_predictor
    from anymask.evaluate.run import named
    from anymask.evaluate.speed import SpeedSettings, drawn_picture, peak_memory, speed_report

    check_place(html)
    settings = SpeedSettings(rounds, _counts(prompts), points_per_side, patience)
    width, height = _size(size)
    pictures = [load_image(path) for path in images or []] or [drawn_picture(height, width)]
    names = [*(model or ["lite"]), *map(checked_baseline, baseline or [])]
    predictors = [open_predictor(name, precision=precision, backend=backend) for name in names]
    peaks = {
        shown: peak_memory(name, pictures[0].image_hw, precision=precision, backend=backend)
        for shown, name in zip(named(predictors), names, strict=True)
        if memory
    }
    about = {"precision": precision, "backend": backend}
    report = speed_report(predictors, pictures, settings, about=about, peak_mb=peaks)
    if out is not None:
        report.save(out)
    write_page(html, report, quiet=quiet)
    if as_json:
        print(json.dumps(report.to_json(), indent=1))
    elif not quiet:
        tell(report)


def tell(report: Report) -> None:
    """The times of every predictor for people, and whether the machine was quiet."""
    from anymask.evaluate.speed import BUSY

    for name, summary in report.summary.items():
        peak = summary["peak_mb"]
        memory = "" if peak is None else f", {peak:.0f} MB at most in a new process"
        say(f"{name}: {report.settings['sizes']} pixels{memory}")
        say(f"{'ms':12}{'quiet half':>12}{'median':>10}{'10 %':>10}{'90 %':>10}{'best':>10}{'others':>10}")
        for task, figures in summary["tasks"].items():
            times = "".join(f"{figures[key]:>10.1f}" for key in ("median_ms", "p10_ms", "p90_ms", "best_ms"))
            others = figures["foreign"]
            shown = "-" if others is None else f"{others:.2f}"
            say(f"{task:12}{figures['ms']:>12.1f}{times}{shown:>10}")
    load = report.machine["load_of_others"]
    if load is None:
        say("the system does not tell what other processes used")
    else:
        busy = "; measure again on a quiet machine: times are too long" if load > BUSY else ""
        say(f"others used {load:.2f} of {report.machine['cores']} cores meanwhile{busy}")


def _counts(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(",") if word.strip())
    except ValueError:
        raise InputError(f"--prompts is '{text}'; give whole numbers with commas, as 16,64") from None


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    try:
        return int(width), int(height)
    except ValueError:
        raise InputError(f"--size is '{text}'; give width and height in pixels, as 1024x768") from None
