"""`anymask synthesize`: new pictures with exact masks from few real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def synthesize(
    objects: Annotated[
        list[Path],
        typer.Argument(
            metavar="OBJECTS...",
            help="Pictures with masks, as `anymask evaluate` reads them, or transparent PNG.",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The folder to make.")],
    count: Annotated[int, typer.Option("-n", "--count", help="How many pictures.")] = 100,
    backgrounds: Annotated[
        list[Path] | None,
        typer.Option("--onto", metavar="PATH", help="Backgrounds: a folder of pictures, or data with masks."),
    ] = None,
    region: Annotated[
        bool,
        typer.Option("--region", help="The masks of --onto say where objects may lie: defects on a part."),
    ] = False,
    labels: Annotated[str, typer.Option(help="Only objects with these labels, with commas.")] = "",
    keys: Annotated[str, typer.Option(help="Only pictures whose names match this regular expression.")] = "",
    onto_keys: Annotated[str, typer.Option(help="The same for --onto.")] = "",
    cut_off: Annotated[
        bool, typer.Option(help="Take objects that the picture's edge cuts off, too.")
    ] = False,
    long_side: Annotated[int, typer.Option(min=16, help="Most pixels of a background's longer side.")] = 1024,
    lossless: Annotated[bool, typer.Option(help="PNG rather than JPEG.")] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting, e.g. objects=[1,6] or blend=ratio."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, other pictures.")] = 0,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Paste real objects onto real backgrounds: pictures and a COCO file of exact masks.

    Without --onto, objects go onto the pictures they are from, whose own masks are kept. A run that was
    stopped goes on when it is started again.
    """
    from anymask.cli.synthesize_job import run_synthesis

    run_synthesis(
        objects, output, count, backgrounds or [], set_ or [], seed=seed, region=region, keys=keys,
        onto_keys=onto_keys, labels=[name.strip() for name in labels.split(",") if name.strip()],
        whole=not cut_off, long_side=long_side, lossless=lossless, quiet=quiet,
    )  # fmt: skip
