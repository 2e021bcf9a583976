"""Pictures as every browser shows them: upright, 8 bits, RGB; and small ones for the gallery."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from anymask.core.deep_colour import is_deep_colour
from anymask.core.images import own_size_guard
from anymask.server.config import MIB
from anymask.store import Image
from anymask.studio.file_cache import FileCache
from anymask.studio.headers import PictureHeader, read_header
from anymask.studio.pictures import load_picture
from anymask.studio.workspace import Workspace

if TYPE_CHECKING:
    from PIL.Image import Image as PilImageType

_SHOWN_BYTES, _SMALL_BYTES = 4096 * MIB, 1024 * MIB
_AT_ONCE = 2
"""Pictures decoded at a time: a gallery asks for many, and each takes its pixels' memory."""
_SHOWN_AS_THEY_ARE = {"image/jpeg": ("RGB", "L"), "image/png": ("RGB", "L", "P", "1"), "image/webp": ("RGB",)}
"""Media types that browsers show, and Pillow's modes in which they mean the same to them and to us."""
_LOSSLESS_PIXELS = 4_000_000
"""Converted pictures up to this size are sent as PNG, larger ones as JPEG."""


@dataclass(frozen=True)
class Rendition:
    """A picture's bytes, to be sent as this type."""

    data: bytes
    media_type: str


class Renditions:
    """Made when they are asked for, kept in the workspace's cache. For any thread."""

    def __init__(self, workspace: Workspace, max_pixels: int) -> None:
        self._workspace, self._max_pixels = workspace, max_pixels
        self._shown = FileCache(workspace.cache / "shown", _SHOWN_BYTES)
        self._small = FileCache(workspace.cache / "thumbnails", _SMALL_BYTES)
        self._decoding = threading.Semaphore(_AT_ONCE)

    def full(self, image: Image) -> Rendition:
        """The whole picture with the pixels that the model sees; large ones that must be converted as JPEG.

        Raises Problem (404) if the file has gone, ImageError or Problem (413, 415, 422) if it cannot be read.
        """
        path = self._workspace.picture(image)
        with path.open("rb") as file:
            header = read_header(file, self._max_pixels)
        if _is_shown_as_it_is(path, header):
            return Rendition(path.read_bytes(), header.media_type)
        suffix, media_type = ("png", "image/png") if _is_small(header) else ("jpg", "image/jpeg")
        data = self._shown.get(f"{image.sha256}.{suffix}", lambda: self._encoded(path, suffix))
        return Rendition(data, media_type)

    def thumbnail(self, image: Image, size: int) -> Rendition:
        """The picture scaled down so that its long side has `size` pixels; WebP. Raises as `full`."""
        path = self._workspace.picture(image)
        data = self._small.get(f"{image.sha256}.{size}.webp", lambda: self._scaled(path, size))
        return Rendition(data, "image/webp")

    def forget(self, image: Image) -> None:
        """Remove what was made of a picture."""
        for cache in (self._shown, self._small):
            cache.forget(f"{image.sha256}.")

    def _encoded(self, path: Path, suffix: str) -> bytes:
        from PIL import Image as PilImage

        file = io.BytesIO()
        with self._decoding:
            picture = load_picture(path, self._max_pixels)
            if suffix == "png":
                PilImage.fromarray(picture.pixels).save(file, "PNG", compress_level=3)
            else:
                PilImage.fromarray(picture.pixels).save(file, "JPEG", quality=95, subsampling=0)
        return file.getvalue()

    def _scaled(self, path: Path, size: int) -> bytes:
        from PIL import Image as PilImage

        file = io.BytesIO()
        with self._decoding:
            small = _draft(path, size)
            if small is None:
                small = PilImage.fromarray(np.asarray(load_picture(path, self._max_pixels).pixels))
            small.thumbnail((size, size), PilImage.Resampling.BICUBIC)
        small.convert("RGB").save(file, "WEBP", quality=80, method=2)
        return file.getvalue()


def _is_small(header: PictureHeader) -> bool:
    return header.width * header.height <= _LOSSLESS_PIXELS


def _is_shown_as_it_is(path: Path, header: PictureHeader) -> bool:
    from PIL import Image as PilImage

    modes = _SHOWN_AS_THEY_ARE.get(header.media_type, ())
    if not modes or header.orientation != 1:
        return False
    with own_size_guard():
        image = PilImage.open(path)
    with image:
        return (
            image.mode in modes
            and "transparency" not in image.info
            # of several JPEGs in one file (phones' extra pictures) browsers show the first, as we do
            and (header.media_type == "image/jpeg" or getattr(image, "n_frames", 1) == 1)
            and not is_deep_colour(image)
        )


def _draft(path: Path, size: int) -> PilImageType | None:
    """A JPEG decoded at a fraction of its size, upright: many times faster.

    None for everything else, and for what cannot be read: the slow way says why.
    """
    from PIL import Image as PilImage
    from PIL import ImageOps

    try:
        with own_size_guard():
            image = PilImage.open(path, formats=["JPEG"])
        with image:
            if image.mode not in ("RGB", "L"):
                return None
            image.draft("RGB", (2 * size, 2 * size))
            return ImageOps.exif_transpose(image.convert("RGB"))
    except Exception:  # Pillow lets many kinds out for damaged files
        return None
