"""Options that several subcommands of `anymask evaluate` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Data = Annotated[
    list[Path],
    typer.Argument(help="Pictures with true masks: tar shards, files, folders."),
]
Models = Annotated[
    list[str] | None,
    typer.Option(help="A model's name, folder or checkpoint; may be repeated.  [default: lite]"),
]
Baselines = Annotated[
    list[str] | None,
    typer.Option(help="A classical method: grabcut, watershed, random-walker; may be repeated."),
]
Layout = Annotated[str, typer.Option(help="How the data lies, if it is not seen by itself.")]
Images = Annotated[
    Path | None, typer.Option(metavar="DIR", help="The pictures, where the data is an annotation file.")
]
Every = Annotated[int, typer.Option(min=1, help="Only every N-th picture.")]
Precision = Annotated[Literal["fast", "exact"], typer.Option(help="Arithmetic.")]
Backend = Annotated[Literal["auto", "openvino", "onnx", "torch"], typer.Option(help="Runtime.")]
OnError = Annotated[
    Literal["skip", "refuse"], typer.Option(help="What to do about a file that cannot be used.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin again; do not go on with a run.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write the report as a page (one HTML file) here."),
]
