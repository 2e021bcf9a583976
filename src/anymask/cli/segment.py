"""`anymask segment`: masks for the things that are pointed at, in one picture or many."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def segment(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGES...", help="Image files, glob patterns, or - for stdin.")
    ],
    point: Annotated[
        list[str],
        typer.Option(metavar="X,Y[:0]", help="A click on the object; with :0, a place to leave out."),
    ] = [],  # noqa: B006 (typer copies it)
    box: Annotated[
        list[str],
        typer.Option(metavar="X0,Y0,X1,Y1", help="A box round the object; several: one object each."),
    ] = [],  # noqa: B006
    mask: Annotated[Path | None, typer.Option(metavar="FILE", help="A mask of the image's size.")] = None,
    scribble: Annotated[
        str | None, typer.Option(metavar='"X,Y X,Y ..."', help="A brush stroke on the object.")
    ] = None,
    polygon: Annotated[
        str | None, typer.Option(metavar='"X,Y X,Y ..."', help="A lasso round the object.")
    ] = None,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Write every candidate, best first.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="The result: .png, .json, .coco.json, ...; a folder; a name with {name}; or - for stdout.",
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="Where OUT does not say: png, json, coco, labelme, cvat, ..."),
    ] = None,
    cutout: Annotated[
        str | None, typer.Option(metavar="FILE", help="The object alone on a transparent ground (PNG, WebP).")
    ] = None,
    overlay: Annotated[
        str | None, typer.Option(metavar="FILE", help="The mask drawn on the picture.")
    ] = None,
    min_region: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="PIXELS", help="Smaller specks and holes go; 0: leave masks as they are."
        ),
    ] = None,
    label: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the object is; kept in records.")
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="A model's name or folder.")] = "lite",
    precision: Annotated[Literal["fast", "exact"], typer.Option(help="exact: float32 throughout.")] = "fast",
    backend: Annotated[
        Literal["auto", "openvino", "onnx", "torch"], typer.Option(help="What computes.")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless given.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per image on stdout: files and records.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Cut out what you point at: one object per run, or one per box.

    Coordinates are pixels of the picture as it is shown, x from the left and y from the top. Without -o,
    --cutout, --overlay or --json the mask goes to NAME-mask.png. With several images each gets its own
    results; a bad one is named and the rest is done.
    """
    from anymask.cli.prompts import parse_prompts

    prompts = parse_prompts(point, box, mask, scribble, polygon)
    from anymask.cli.segment_job import Outputs, SegmentJob  # after the words are understood: this takes time

    outputs = Outputs.plan(
        images, output=output, format=format, cutout=cutout, overlay=overlay, as_json=as_json, quiet=quiet
    )
    job = SegmentJob(prompts, outputs, label=label, candidates=candidates, min_region=min_region)
    code = job.run(model, precision=precision, backend=backend, threads=threads)
    raise typer.Exit(code)
