"""What an uploaded file is, from its own first bytes: neither its name nor its declared type is believed."""

from __future__ import annotations

import io
from typing import BinaryIO, NamedTuple

from anymask.core.images import own_size_guard
from anymask.server.problems import Problem

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "TIFF": "image/tiff",
    "GIF": "image/gif",
    "BMP": "image/bmp",
}
"""Kinds of pictures that are taken; SVG, HTML and whatever else can carry a script are not among them."""


class Header(NamedTuple):
    """media_type: from the content. stored_hw: height and width as stored, before any turning, pixels."""

    media_type: str
    stored_hw: tuple[int, int]


def inspect(data: bytes | BinaryIO, max_pixels: int) -> Header:
    """Read the header of an image, given as bytes or as a file at its beginning.

    Raises Problem: 415 for what is no picture of a known kind, 422 for a damaged one, 413 for more than
    `max_pixels`.
    """
    from PIL import Image, UnidentifiedImageError

    source = io.BytesIO(data) if isinstance(data, bytes) else data
    try:
        with own_size_guard(), Image.open(source, formats=list(MEDIA_TYPES)) as image:
            # What opens as JPEG may turn out to be MPO, several JPEGs in one file.
            media_type = MEDIA_TYPES.get(image.format or "", "image/jpeg")
            header = Header(media_type, (image.height, image.width))
    except UnidentifiedImageError:
        raise Problem(
            415,
            "not_an_image",
            "the file is no image of a kind that is taken; send JPEG, PNG, WebP, AVIF, TIFF, GIF or BMP",
        ) from None
    except Exception as error:  # Pillow lets many kinds out for damaged headers
        raise Problem(422, "unusable", "the image's header is damaged; send another copy") from error
    height, width = header.stored_hw
    if height * width > max_pixels:
        raise Problem(
            413,
            "too_many_pixels",
            f"the image has {width} x {height} = {height * width:,} pixels, more than the limit of "
            f"{max_pixels:,}; make it smaller",
        )
    return header
