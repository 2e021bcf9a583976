"""`anymask learn`: a better model from what a team corrected in the studio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def learn(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The studio's folder.")],
    project: Annotated[str, typer.Option(metavar="NAME", help="The project, where there are several.")] = "",
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL", envvar="ANYMASK_DATABASE", help="PostgreSQL in place of FOLDER/.anymask/studio.db."
        ),
    ] = None,
    least: Annotated[
        int, typer.Option(min=1, metavar="N", help="Pictures that must be new or corrected since last time.")
    ] = 8,
    switch: Annotated[bool, typer.Option(help="Use a model that is better from now on.")] = True,
    anew: Annotated[
        bool, typer.Option(help="Then predict anew what nobody has touched, and order the queue.")
    ] = True,
    guard: Annotated[
        list[Path] | None, typer.Option(metavar="DATA", help="Show what was forgotten on these.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Training steps at most.")] = 200,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another setting of the training, e.g. train=all."),
    ] = None,
    backend: Annotated[
        Literal["auto", "openvino", "onnx", "torch"], typer.Option(help="What computes.")
    ] = "auto",
    revert: Annotated[
        bool, typer.Option("--revert", help="Train nothing: go back to the model before.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="What came of it as JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Train on the finished pictures, compare on those marked as gold, switch if it is better.

    The old model stays: `--revert` leads back to it. A run that was stopped goes on when it is started again.
    """
    from anymask.cli.learn_job import run_learning, run_revert

    if revert:
        run_revert(folder, database, project)
        return
    run_learning(
        folder, database, project, steps, set_ or [], least=least, switch=switch, anew=anew,
        guard=tuple(guard or ()), backend=backend, as_json=as_json, quiet=quiet,
    )  # fmt: skip
