"""`anymask stats`: what masks in files are like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def stats(
    results: Annotated[
        list[Path], typer.Argument(metavar="RESULTS...", help="Files of masks, folders, .tar or .zip.")
    ],
    plots: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The figures on one page: .png or .svg.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="All figures as JSON.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="FORMAT", help="What RESULTS are, where they don't say.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The pictures, for formats without image sizes.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON on stdout.")] = False,
) -> None:
    """Count masks: how many per image, how large, how concave, where.

    The figures are those of the SA-1B paper (arXiv 2304.02643, section 5). Any format that `anymask convert`
    reads; several RESULTS are counted together.
    """
    from anymask.cli.stats_job import run_stats

    run_stats(results, from_, images, plots=plots, output=output, as_json=as_json)
