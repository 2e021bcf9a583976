"""`anymask evaluate`: how well a model segments, measured on data with true masks; one file per protocol."""

from __future__ import annotations

import typer

from anymask.cli.evaluate.boxes import boxes
from anymask.cli.evaluate.compare import compare
from anymask.cli.evaluate.edges import edges
from anymask.cli.evaluate.interactive import interactive
from anymask.cli.evaluate.proposals import proposals
from anymask.cli.evaluate.report import report
from anymask.cli.evaluate.speed import speed
from anymask.cli.evaluate.text import text

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.callback()
def _evaluate() -> None:
    """Measure how well a model segments."""


app.command()(interactive)
app.command()(boxes)
app.command()(proposals)
app.command()(edges)
app.command()(speed)
app.command()(text)
app.command()(report)
app.command()(compare)
