"""`anymask convert`: masks from one file format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anymask.cli.terminal import one_line, say

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def convert(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="A file of masks, a folder, a .tar or a .zip.")
    ],
    target: Annotated[
        str, typer.Argument(metavar="OUT", help="A file, a folder, a .tar or a .zip; its ending says which.")
    ],
    from_: Annotated[
        str | None, typer.Option("--from", metavar="FORMAT", help="What IN is, where it does not say itself.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="What OUT becomes: json, coco, coco-polygons, panoptic, sa1b, yolo, voc, labelme, cvat, "
            "label-studio, png, labelmap, palette, geojson, svg, csv.",
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The pictures: they give sizes that IN lacks, and go along into a folder or archive.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a folder or archive that exists, as a whole.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Convert masks between formats, one image or a whole data set.

    What the new format does not hold (overlaps, scores, ...) is counted on stderr. OUT appears whole or not
    at all.
    """
    from anymask.cli.convert_job import run_conversion

    done = run_conversion(source, target, from_, to, images, overwrite=overwrite)
    if not quiet:
        for line in done.lines(target):
            say(one_line(line))
