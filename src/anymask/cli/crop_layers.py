"""`--crop-n-layers`: a number, or the rule."""

from __future__ import annotations

from typing import Annotated

import typer

from anymask.core.errors import InputError

CropLayersOption = Annotated[
    str | None, typer.Option(metavar="N", help="Layers of crops; auto: by the image's size.")
]


def read_crop_layers(given: str | None) -> int | str | None:
    """As settings take it. Raises InputError."""
    if given is None or given == "auto":
        return given
    if not given.isascii() or not given.isdigit():
        raise InputError(f"--crop-n-layers is {given!r}; give a whole number from 0, or auto")
    return int(given)
