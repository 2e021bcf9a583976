"""Masks in files: one module per format, reader and writer side by side; docs/formats.md describes them all.

`read` and `write` are about one image, `read_images` and `write_images` about any number.
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
from anymask.formats import registry
from anymask.formats.contents import Contents, contents_of
from anymask.formats.datasets import encode_images, read_images, write_images
from anymask.formats.kinds import FolderFormat
from anymask.formats.losses import Loss, losses_of

if TYPE_CHECKING:
    from anymask.core.images import Picture

FORMATS = tuple(registry.ALL)
"""Names of all formats."""

FILE_FORMATS = tuple(name for name, format in registry.ALL.items() if not isinstance(format, FolderFormat))
"""Names of those whose masks of one image are one file."""

Masks = Iterable[MaskRecord] | MaskRecord | Candidate | Prediction

__all__ = [
    "FILE_FORMATS",
    "FORMATS",
    "Contents",
    "Loss",
    "encode",
    "format_of",
    "losses",
    "read",
    "read_images",
    "write",
    "write_images",
]


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
    format: one of `FILE_FORMATS`; by default the file name's ending says it.
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
    chosen = registry.known(format)
    return encode_images(chosen, [contents_of(records, picture, image_name)])


def read(
    path: str | os.PathLike[str], format: str | None = None, *, image_name: str | None = None
) -> list[MaskRecord]:
    """Read the masks of one image from a file.

    format: one of `FORMATS`; by default the file name's ending and content say it.
    image_name: which image, where a file holds several.

    Raises FormatError if the file is missing, damaged, of another format, or holds several images and
    `image_name` does not say which.
    """
    images = read_images(path, format)
    names = [image.image_name for image in images]
    some = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    if image_name is None:
        if len(images) != 1:
            raise FormatError(f"'{path}': {len(images)} images ({some}); say which by image_name")
        return list(images[0].records)
    if image_name not in names:
        raise FormatError(f"'{path}': there is no image '{image_name}'; there are {some}")
    return list(images[names.index(image_name)].records)


def losses(records: Masks, format: str, *, picture: Picture | None = None) -> tuple[Loss, ...]:
    """What `write` would lose of these masks in this format."""
    return losses_of([contents_of(records, picture, None)], registry.known(format).keeps)


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file name's ending stands for. Raises FormatError if there is none."""
    return registry.by_ending(Path(path)).name
