"""What a picture file is, from its header: nothing is decoded, so that a scan goes through thousands."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import BinaryIO

from anymask.core.deep_colour import orientation_of
from anymask.core.images import own_size_guard
from anymask.server.inspection import inspect
from anymask.studio import dicom

_PNG = b"\x89PNG\r\n\x1a\n"
_TURNED = (5, 6, 7, 8)
"""EXIF orientations that exchange width and height."""

SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/tiff": ".tif",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    dicom.MEDIA_TYPE: ".dcm",
}
"""Media type -> ending of the server's own file names."""


@dataclass(frozen=True)
class PictureHeader:
    """width, height: upright, as people see the picture, pixels. orientation: EXIF's, 1 to 8."""

    media_type: str
    width: int
    height: int
    orientation: int


def read_header(file: BinaryIO, max_pixels: int) -> PictureHeader:
    """Read the header of a seekable file.

    Raises Problem: 415 for what is no picture of a known kind, 422 for a damaged one, 413 for more than
    `max_pixels`.
    """
    if dicom.is_dicom(file):
        height, width = dicom.image_hw(file, max_pixels)
        return PictureHeader(dicom.MEDIA_TYPE, width, height, 1)
    file.seek(0)
    header = inspect(file, max_pixels)
    height, width = header.stored_hw
    orientation = _orientation(file)
    if orientation in _TURNED:
        height, width = width, height
    return PictureHeader(header.media_type, width, height, orientation)


def _orientation(file: BinaryIO) -> int:
    from PIL import Image

    if not _may_have_exif(file):
        return 1
    file.seek(0)
    with own_size_guard():
        image = Image.open(file)
    return orientation_of(image)


def _may_have_exif(file: BinaryIO) -> bool:
    """False for a PNG without the chunk `eXIf`: to be sure itself, Pillow would decode all pixels."""
    file.seek(0)
    if file.read(len(_PNG)) != _PNG:
        return True
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind in (b"eXIf", b"zTXt", b"tEXt", b"iTXt"):  # older writers put it into a text
            return True
        file.seek(length + 4, io.SEEK_CUR)
    return False
