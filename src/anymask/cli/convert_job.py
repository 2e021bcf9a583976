"""The work of `anymask convert`, and what it tells."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from anymask.core.errors import InputError
from anymask.formats import Loss, read_images, write_images
from anymask.formats.losses import merged


@dataclass(frozen=True)
class Conversion:
    """What was converted. left_out: things in the source that are no masks. lost: what the target lacks."""

    images: int
    masks: int
    left_out: tuple[Loss, ...]
    lost: tuple[Loss, ...]

    def lines(self, target: str) -> Iterator[str]:
        """What to tell, line by line."""
        yield f"{target}: {_counted(self.masks, 'mask')} of {_counted(self.images, 'image')}"
        for loss in self.left_out:
            yield f"not read: {loss}"
        for loss in self.lost:
            yield f"not kept: {loss}"


def run_conversion(
    source: Path, target: str, from_: str | None, to: str | None, pictures: Path | None, *, overwrite: bool
) -> Conversion:
    """Read, write, and count what got lost.

    Raises InputError if the target is the source or holds it, FormatError and OutputError as reading and
    writing do.
    """
    _check_apart(target, [source, *([pictures] if pictures else [])])
    images = read_images(source, from_, pictures=pictures)
    lost = write_images(target, images, to, pictures=pictures, overwrite=overwrite)
    left_out = merged(loss for image in images for loss in image.left_out)
    return Conversion(len(images), sum(len(image.records) for image in images), left_out, lost)


def _check_apart(target: str, sources: list[Path]) -> None:
    """A folder is replaced as a whole, so nothing that is read may lie in it."""
    place = os.path.realpath(target)
    for source in sources:
        read_from = os.path.realpath(source)
        if read_from == place or read_from.startswith(place + os.sep):
            raise InputError(f"writing '{target}' would replace '{source}'; give another place for OUT")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
