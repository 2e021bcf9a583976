"""The pictures that masks belong to: their sizes, where a format does not say them, and their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from anymask.core.errors import FormatError
from anymask.core.images import own_size_guard
from anymask.formats.checks import safe_name

_ORIENTATION = 0x0112  # EXIF
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".jp2")


@dataclass(frozen=True)
class Pictures:
    """Pictures in a folder, or none at all (`root` None)."""

    root: Path | None = None

    def find(self, name: str) -> Path | None:
        """The file of this image name, below the folder or directly in it; None if there is none."""
        if self.root is None:
            return None
        inside = safe_name(name)
        for place in (self.root / inside, self.root / PurePosixPath(inside).name):
            if place.is_file():
                return place
        return None

    def with_stem(self, stem: str) -> str | None:
        """The name of the picture whose name without its ending is this; None if there is none."""
        for ending in ENDINGS:
            for written in (ending, ending.upper()):
                if self.find(stem + written) is not None:
                    return stem + written
        return None

    def size_hw(self, name: str) -> tuple[int, int]:
        """Height and width from the picture's header. Raises FormatError if there is no such picture."""
        path = self.find(name)
        if path is None:
            where = "give the folder of the pictures" if self.root is None else f"it is not in '{self.root}'"
            raise FormatError(f"the size of '{name}' is not known without the picture; {where}")
        with path.open("rb") as file:
            return size_of(file, name)


def size_of(file: BinaryIO, name: str) -> tuple[int, int]:
    """Height and width of the picture in a file, upright, from its header.

    Raises FormatError if it is no picture.
    """
    from PIL import Image

    try:
        with own_size_guard():  # it is not decoded here
            image = Image.open(file)
        with image:
            turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
            return (image.width, image.height) if turned else (image.height, image.width)
    except Exception as error:  # Pillow lets many kinds out for damaged headers
        raise FormatError(f"'{name}' is no picture ({' '.join(str(error).split())[:100]})") from error
