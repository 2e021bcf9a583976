"""`anymask find`: things named by words, in one picture or many."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def find(
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGES... TEXTS...", help="Files, folders, patterns or -; then what to find."
        ),
    ],
    text: Annotated[
        list[str], typer.Option("--text", "-t", metavar="TEXT", help="A text that looks like a file's name.")
    ] = [],  # noqa: B006 (typer copies it)
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Texts, one a line, besides those given.")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Who knows words: an imported CLIP's name or folder, or words (experimental). Unless given, "
            "the first CLIP here, else words.",
        ),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Least score, 0 to 1; the encoder's own unless given.")
    ] = None,
    most: Annotated[int | None, typer.Option(min=1, metavar="N", help="Hits per picture at most.")] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", metavar="OUT", help="A file, a folder, a name with {name}, or - for stdout."
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="json unless OUT says another: coco, labelme, yolo, svg, ..."),
    ] = None,
    overlay: Annotated[
        str | None, typer.Option(metavar="FILE", help="The hits and their names drawn on the picture.")
    ] = None,
    label_map: Annotated[
        str | None, typer.Option(metavar="FILE", help="A PNG of ids: every pixel has one owner.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="How masks are looked for: as in anymask everything.")
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="What finds masks: a name or folder.")] = "lite",
    precision: Annotated[Literal["fast", "exact"], typer.Option(help="exact: float32 throughout.")] = "fast",
    backend: Annotated[
        Literal["auto", "openvino", "onnx", "torch"], typer.Option(help="What computes.")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless given.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Do images again whose results are complete.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per image on stdout: files and records.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Find what texts name: `anymask find photo.jpg "a red bicycle" dog`.

    All masks of a picture are found, and those kept that a text fits; the best fit comes first. What is not
    there is not found: no hit is a result, too. Without -o, --overlay, --label-map or --json hits go to
    NAME-found.json. A folder is a job: run it again and what is complete is skipped.
    """
    from anymask.cli.everything_job import EverythingJob
    from anymask.cli.everything_results import Results
    from anymask.cli.find_job import images_and_texts, words_of

    images, texts = images_and_texts(given, text, labels)
    results = Results.plan(
        images,
        output=output,
        format=format,
        overlay=overlay,
        label_map=label_map,
        save_state=None,
        as_json=as_json,
        quiet=quiet,
        tree=False,
        gaps="leave",
        kind="found",
        hint="none of it is there, or try a lower --threshold",
    )
    words = words_of(texts, encoder, threshold, most, precision=precision, threads=threads)
    job = EverythingJob(preset, {}, results, overwrite, words)
    raise typer.Exit(job.run(model, precision=precision, backend=backend, threads=threads))
