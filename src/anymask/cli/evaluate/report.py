"""`anymask evaluate report`: the page of a report that lies on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anymask.cli.evaluate.options import Images, Layout, Quiet
from anymask.cli.terminal import say
from anymask.core.errors import OutputError

if TYPE_CHECKING:
    from anymask.evaluate.report import Report
    from anymask.evaluate.run import PictureRun
    from anymask.evaluate.samples import SampleSource


def check_place(html: Path | None) -> None:
    """Raise OutputError before a long run if the page's folder is missing."""
    if html is not None and not html.parent.is_dir():
        raise OutputError(
            f"cannot write '{html}': the folder '{html.parent}' does not exist; create it first"
        )


def write_page(
    html: Path | None,
    report: Report,
    run: PictureRun | None = None,
    data: SampleSource | None = None,
    *,
    quiet: bool,
) -> None:
    """Write the page of a report that was just made, if one was asked for, with the lines of its run."""
    from anymask.evaluate.page.write import save_page

    if html is None:
        return
    lines = {name: run.lines(name) for name in report.summary} if run is not None else {}
    save_page(html, report, lines, data)
    if not quiet:
        say(f"anymask: wrote {html}")


def report(
    report: Annotated[Path, typer.Argument(help="A report of `anymask evaluate`, as -o wrote it.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Write the page (HTML) here.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="What the report was made on, for pictures of cases; may be repeated."),
    ] = None,
    layout: Layout = "auto",
    images: Images = None,
    quiet: Quiet = False,
) -> None:
    """One HTML file with a report's tables, plots and cases.

    It loads nothing from anywhere. The best, median and worst cases are shown as pictures if --data is given.
    """
    from anymask.evaluate.datasets import open_samples
    from anymask.evaluate.outcomes import WITH_MASKS, read_lines
    from anymask.evaluate.page.write import save_page
    from anymask.evaluate.report import Report

    found = Report.load(report)
    lines = read_lines(report) if found.protocol in WITH_MASKS else {}
    samples = open_samples(data, layout, pictures=images) if data else None
    save_page(out, found, lines, samples)
    if not quiet:
        say(f"anymask: wrote {out}")
