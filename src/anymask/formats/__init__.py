"""Masks in files: one module per format, reader and writer side by side.

| name   | file ends in | write | read | holds |
| ------ | ------------ | ----- | ---- | ----- |
| `json` | .json        | yes   | yes  | records with everything known about them; SA-1B files can be read |
| `coco` | .coco.json   | yes   | yes  | COCO instances with RLE masks |
| `png`  | .png         | yes   | yes  | one mask as 0 and 255, or several as numbers 1, 2, 3 ... |
| `svg`  | .svg         | yes   | no   | outlines as paths with holes |
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from anymask.core.errors import FormatError
from anymask.core.files import write_atomically
from anymask.core.prediction import Candidate, Prediction
from anymask.core.record import MaskRecord
from anymask.formats import coco, json, png, svg
from anymask.formats.contents import Contents, contents_of

if TYPE_CHECKING:
    from anymask.core.images import Picture

FORMATS = ("json", "coco", "png", "svg")
_WRITERS = {"json": json.to_bytes, "coco": coco.to_bytes, "png": png.to_bytes, "svg": svg.to_bytes}
_READERS = {"json": json.from_bytes, "coco": coco.from_bytes, "png": png.from_bytes}
_ENDINGS = {".coco.json": "coco", ".json": "json", ".png": "png", ".svg": "svg"}

Masks = Iterable[MaskRecord] | MaskRecord | Candidate | Prediction

__all__ = ["FORMATS", "Contents", "encode", "format_of", "read", "write"]


def write(
    path: str | os.PathLike[str],
    records: Masks,
    *,
    format: str | None = None,
    picture: Picture | None = None,
    image_name: str | None = None,
) -> Path:
    """Write masks of one image to `path`, atomically; an existing file stays as it is if anything fails.

    records: MaskRecords, a Candidate, or a Prediction (its best candidate; list it to write all of them).
    format: one of `FORMATS`; by default the file name's ending says it.
    picture: the image, for its name, size and checksum. image_name: a name to write in place of the
        picture's.

    Returns the path. Raises FormatError for an unknown format, masks of different images, or no masks and no
    picture; OutputError if the file cannot be written.
    """
    data = encode(records, format or format_of(path), picture=picture, image_name=image_name)
    return write_atomically(path, data)


def encode(
    records: Masks, format: str, *, picture: Picture | None = None, image_name: str | None = None
) -> bytes:
    """The bytes that `write` would write; arguments and errors are the same."""
    writer = _WRITERS[_known(format)]
    return writer(contents_of(records, picture, image_name))


def read(
    path: str | os.PathLike[str], format: str | None = None, *, image_name: str | None = None
) -> list[MaskRecord]:
    """Read the masks of one image from a file.

    format: one of `FORMATS`; by default the file name's ending says it, and COCO is recognised inside .json.
    image_name: which image, where a COCO file holds several.

    Raises FormatError if the file is missing, damaged, of another format, or there is no reader.
    """
    source = Path(path)
    name = _known(format) if format else format_of(path)
    if name not in _READERS:
        raise FormatError(f"'{source}' is {name}, which can only be written; read {', '.join(_READERS)}")
    try:
        data = source.read_bytes()
    except (OSError, ValueError) as error:
        raise FormatError(f"cannot read '{source}': {getattr(error, 'strerror', None) or error}") from error
    if name == "json" and format is None and coco.is_coco(data):
        name = "coco"
    try:
        return coco.from_bytes(data, image_name) if name == "coco" else _READERS[name](data)
    except FormatError as error:
        raise FormatError(f"'{source}': {error}") from error


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file name's ending stands for. Raises FormatError if there is none."""
    name = Path(path).name.lower()
    for ending, format_name in _ENDINGS.items():
        if name.endswith(ending):
            return format_name
    raise FormatError(
        f"'{Path(path).name}' has no ending that names a format; known are {', '.join(_ENDINGS)}"
    )


def _known(name: str) -> str:
    if name not in FORMATS:
        raise FormatError(f"format '{name}' is not known; known are {', '.join(FORMATS)}")
    return name
