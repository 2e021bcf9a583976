"""A huge image, read window by window as 8-bit RGB: straight from a tiled file, or from a copy on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anymask.automatic.huge.sources import Affine, Source, open_source
from anymask.automatic.huge.tones import Tones, tones_of
from anymask.core.arrays import AnyArray, UInt8Array
from anymask.core.errors import OutputError
from anymask.core.upscale import Window


@dataclass(frozen=True, eq=False)
class Raster:
    """An image of any size.

    name: the file's. affine: from pixels to map coordinates (a, b, c, d, e, f), where the file says so.
    """

    name: str
    affine: Affine | None
    _file_hw: tuple[int, int]
    _orientation: int
    _read: Callable[[Window], UInt8Array]
    _close: Callable[[], None]

    @property
    def image_hw(self) -> tuple[int, int]:
        """Height and width, pixels, upright."""
        height, width = self._file_hw
        return (width, height) if self._orientation in (5, 6, 7, 8) else (height, width)

    def read(self, window: Window) -> UInt8Array:
        """(h, w, 3) uint8 RGB of a window inside the image. Raises ImageError if the file is damaged."""
        y0, y1, x0, x1 = window
        height, width = self.image_hw
        if self._orientation in (3, 4, 7, 8):
            y0, y1 = height - y1, height - y0
        if self._orientation in (2, 3, 6, 7):
            x0, x1 = width - x1, width - x0
        if self._orientation in (5, 6, 7, 8):
            y0, y1, x0, x1 = x0, x1, y0, y1
        return np.ascontiguousarray(_upright(self._read(Window(y0, y1, x0, x1)), self._orientation))

    def sha256(self) -> str:
        """As `Picture.sha256` of the whole image, read strip by strip.

        A JPEG with reduced colour differs a little from what `load_image` makes of it, and so does its sum.
        """
        digest = hashlib.sha256(f"{self.image_hw[0]} {self.image_hw[1]}\n".encode())
        for strip in _strips(self.image_hw, 256):
            digest.update(self.read(strip).data)
        return digest.hexdigest()

    def close(self) -> None:
        """Let go of the file."""
        self._close()


def open_raster(path: Path, folder: Path) -> Raster:
    """Open an image of any size.

    path: TIFF, BigTIFF, JPEG, PNG, JPEG 2000 through the extra `huge`; without it, and for other formats,
        what `load_image` reads, up to 268 million pixels. Values of more than 8 bits are scaled by the rules
        of `load_image` over the whole image; of more than three bands the first three count.
    folder: takes a copy of the pixels where the file has no tiles (3 bytes a pixel); a copy that is complete
        is used again.

    Raises ImageError if the file cannot be read, OutputError if the copy cannot be written.
    """
    source = open_source(path)
    if source.parts:
        tones = tones_of(
            (source.colour(strip) for strip in _strips(source.size_hw, source.rows)), source.values
        )
        return Raster(
            path.name,
            source.affine,
            source.size_hw,
            source.orientation,
            lambda part: _rgb(source, part, tones),
            source.close,
        )
    try:
        facts = path.stat()  # the copy of a file that has changed since is none
        copy = folder / f"pixels-{facts.st_size}-{facts.st_mtime_ns}.raw"
        if not _is_complete(copy, source.size_hw):
            _copy_pixels(source, copy)
        shape = (*source.size_hw, 3)
    finally:
        source.close()
    return Raster(
        path.name,
        source.affine,
        source.size_hw,
        source.orientation,
        lambda part: np.array(np.memmap(copy, np.uint8, "r", shape=shape)[part.slices]),
        lambda: None,
    )


def _copy_pixels(source: Source, copy: Path) -> None:
    """Write the image as rows of RGB, then give the file its name."""
    strips = list(_strips(source.size_hw, source.rows))
    tones = tones_of((source.colour(strip) for strip in strips), source.values)
    unfinished = copy.with_suffix(".unfinished")
    try:
        with unfinished.open("wb") as file:
            for strip in strips:
                file.write(_rgb(source, strip, tones).data)
        unfinished.replace(copy)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        size = 3 * source.size_hw[0] * source.size_hw[1]
        raise OutputError(
            f"cannot write '{copy}': {error.strerror}; the pixels need {size:,} bytes: free some space, "
            "or choose another place for the results"
        ) from error


def _is_complete(copy: Path, size_hw: tuple[int, int]) -> bool:
    return copy.is_file() and copy.stat().st_size == 3 * size_hw[0] * size_hw[1]


def _strips(size_hw: tuple[int, int], rows: int) -> Iterator[Window]:
    for top in range(0, size_hw[0], rows):
        yield Window(top, min(top + rows, size_hw[0]), 0, size_hw[1])


def _rgb(source: Source, part: Window, tones: Tones) -> UInt8Array:
    """(h, w, 3) uint8, what is transparent over white."""
    colour = tones.apply(source.colour(part))
    if colour.shape[2] == 1:
        colour = np.repeat(colour, 3, axis=2)
    alpha = source.opacity(part)
    if alpha is None:
        return colour
    opaque = {"f": 1.0, "b": 1.0}.get(alpha.dtype.kind, 255.0 if alpha.dtype.itemsize == 1 else 65535.0)
    share = np.clip(np.nan_to_num(alpha.astype(np.float32)) / np.float32(opaque), 0, 1)[..., None]
    blended: UInt8Array = np.rint(colour * share + 255 * (1 - share)).astype(np.uint8)
    return blended


def _upright(pixels: AnyArray, orientation: int) -> AnyArray:
    turned = pixels.transpose(1, 0, 2) if orientation in (5, 6, 7, 8) else pixels
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    return turned[:, ::-1] if orientation in (2, 3, 6, 7) else turned
