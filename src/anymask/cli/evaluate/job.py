"""What the subcommands of `anymask evaluate` do alike: go through a run, hand over its report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from anymask.cli.terminal import progress, say
from anymask.core.errors import InputError

if TYPE_CHECKING:
    from anymask.evaluate.report import Report
    from anymask.evaluate.run import Measure, PictureRun


def carry_out(run: PictureRun, measure: Measure, *, quiet: bool) -> None:
    """Measure picture after picture, with a progress bar; what an earlier run finished is not done again."""
    if run.finished and not quiet:
        say(f"anymask: {run.finished} of {run.total} pictures are done already")
    steps = run.steps(measure)
    for _ in progress(steps, total=run.total - run.finished, label="evaluating", quiet=quiet):
        pass


def finish(
    report: Report,
    out: Path | None,
    tell: Callable[[Report], None],
    *,
    counted: str = "masks",
    nothing: str = "no picture with a usable mask",
    as_json: bool,
    quiet: bool,
) -> None:
    """Name what was skipped, refuse a report about nothing, write and print it.

    counted: the figure of a summary that is 0 when there was nothing; nothing: how to say so.
    """
    for line in report.skipped if not quiet else ():
        say(f"anymask: skipped {line}")
    if not any(summary.get(counted) for summary in report.summary.values()):
        raise InputError(f"{report.data.name}: {nothing}")
    if out is not None:
        report.save(out)
    if as_json:
        print(json.dumps(report.to_json(), indent=1))
    elif not quiet:
        tell(report)


def percent(value: float | None) -> str:
    """A share as people read it; a dash where there is none."""
    return "-" if value is None else f"{100 * value:.1f}"
