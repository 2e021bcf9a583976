"""Reading an image from whatever a caller has: one function branches on the source, one value comes out."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np

from anymask.core.arrays import UInt8Array, read_only, sealed
from anymask.core.deep_colour import decode_deep_colour, is_deep_colour, orientation_of
from anymask.core.errors import ImageError
from anymask.core.pixels import array_to_rgb, check_pixel_count

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFile import ImageFile

DEFAULT_MAX_PIXELS = 200_000_000  # 600 MB as RGB
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "JPEG2000", "PPM")
_FORMATS_TEXT = "JPEG, PNG, WebP, AVIF, TIFF, GIF or BMP"
_header_lock = threading.Lock()

ImageSource: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | Any"
)


@dataclass(frozen=True, eq=False)
class Picture:
    """An image as every other part of anymask sees it.

    pixels: (H, W, 3) uint8, RGB, read-only.
    name: the file's name, or what else tells a person which image it is; may be empty.

    Raises ImageError if `pixels` has another shape or type.
    """

    pixels: UInt8Array
    name: str = ""

    def __post_init__(self) -> None:
        pixels = np.asarray(self.pixels)
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.size == 0 or pixels.dtype != np.uint8:
            raise ImageError(
                f"pixels are {pixels.dtype} {pixels.shape}; a Picture holds uint8 (height, width, 3). "
                "Use load_image, which converts"
            )
        object.__setattr__(self, "pixels", read_only(pixels))

    @property
    def image_hw(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @cached_property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 over "height width" and the pixels: the same for any file it came from."""
        digest = hashlib.sha256(f"{self.image_hw[0]} {self.image_hw[1]}\n".encode())
        digest.update(self.pixels.data)
        return digest.hexdigest()


def load_image(source: ImageSource, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Picture:
    """Read an image from a path, bytes, a binary file object, a PIL image or a NumPy array.

    Files: JPEG, PNG, WebP, AVIF, TIFF, GIF, BMP (also JPEG 2000 and PPM); of several frames or pages, the
    first. The EXIF orientation is applied. Palette, grey, CMYK and other colour modes become RGB; transparent
    pixels are laid over white. Embedded colour profiles are not applied.

    Arrays: (H, W), (H, W, 1), (H, W, 3) RGB or (H, W, 4) RGBA of bool, integers or floats. An OpenCV image is
    BGR and cannot be told from RGB: turn it round first (`image[..., ::-1]`).

    Values (arrays and 16-bit, 32-bit or float files): bool becomes 0 and 255; 8-bit values stay; whole
    numbers that all lie in 0..255 stay; floats that all lie in 0..1 are multiplied by 255; everything else is
    stretched so that the 0.1 and 99.9 percentiles become 0 and 255 (16-bit images rarely use their range).
    NaN and -inf count as the lowest finite value, +inf as the highest. Alpha is
    opaque at 1 (bool, floats up to 1), else at 255 or 65535, whichever it stays within.

    max_pixels: images with more pixels are refused from the file's header, before decoding (decompression
        bombs).

    Raises ImageError if there is no image, it is broken or too large; the message says what to do.
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, np.ndarray):
        return Picture(array_to_rgb(source, max_pixels))
    if isinstance(source, (str, os.PathLike)):
        return _from_path(source, max_pixels)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _from_bytes(bytes(source), "", max_pixels)
    if hasattr(source, "read"):
        return _from_file(source, max_pixels)
    return _from_object(source, max_pixels)


def _from_object(source: Any, max_pixels: int) -> Picture:
    from PIL import Image

    if isinstance(source, Image.Image):
        name = Path(os.fsdecode(getattr(source, "filename", "") or "")).name
        return _from_pil(source, name, max_pixels)
    if hasattr(source, "__array__"):  # tensors and array-likes of other libraries
        return Picture(array_to_rgb(np.asarray(source), max_pixels))
    raise ImageError(
        f"cannot read an image from {type(source).__name__}; "
        "give a path, bytes, a binary file, a PIL image or a NumPy array"
    )


def _from_path(source: str | os.PathLike[str], max_pixels: int) -> Picture:
    text = os.fsdecode(source)
    if text.lower().startswith(("http://", "https://", "data:")):
        raise ImageError(f"'{_brief(text)}' is a web address; download the image first and give the file")
    path = Path(text)
    try:
        if path.is_dir():
            raise ImageError(f"'{path}' is a folder; give an image file")
        data = path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"'{path}' does not exist; check the path (now in '{Path.cwd()}')") from None
    except (OSError, ValueError) as error:
        raise ImageError(
            f"cannot read '{_brief(text)}': {getattr(error, 'strerror', None) or error}"
        ) from error
    return _from_bytes(data, path.name, max_pixels)


def _from_file(source: Any, max_pixels: int) -> Picture:
    try:
        data = source.read()
    except (OSError, ValueError) as error:  # closed, not readable, not UTF-8 in a text file
        raise ImageError(f"cannot read the image from the given file object: {error}") from error
    if not isinstance(data, bytes):
        raise ImageError("the file object gives text; open it in binary mode: open(path, 'rb')")
    name = getattr(source, "name", "")
    return _from_bytes(data, Path(name).name if isinstance(name, str) else "", max_pixels)


def _from_bytes(data: bytes, name: str, max_pixels: int) -> Picture:
    from PIL import Image, UnidentifiedImageError

    what = f"'{name}'" if name else "the given image"
    if not data:
        raise ImageError(f"{what} is empty (0 bytes); was it copied or downloaded completely?")
    try:
        with own_size_guard():
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError:
        raise ImageError(f"{what} is {_kind_of(data)}; give {_FORMATS_TEXT}") from None
    except Exception as error:  # Pillow lets many kinds out for damaged headers
        raise ImageError(f"{what} is damaged ({_brief(str(error))}); give another copy") from error
    with image:
        if is_deep_colour(image):
            return _from_deep_colour(image, data, name, max_pixels)
        return _from_pil(image, name, max_pixels)


def _from_deep_colour(image: ImageFile, data: bytes, name: str, max_pixels: int) -> Picture:
    orientation = orientation_of(image)
    _from_pil(
        image, name, max_pixels
    )  # the same checks: OpenCV gives half an image for a file that is cut off
    return Picture(array_to_rgb(decode_deep_colour(data, orientation), max_pixels), name)


def _from_pil(image: Image.Image, name: str, max_pixels: int) -> Picture:
    what = f"'{name}'" if name else "the given image"
    check_pixel_count((image.height, image.width), max_pixels, what)
    try:
        image.load()
        upright = _upright(image)
        pixels = _pil_to_rgb(upright, max_pixels)
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(
            f"{what} ({image.width} x {image.height} pixels) does not fit into memory; make it smaller first"
        ) from error
    except Exception as error:  # Pillow lets many kinds out for damaged files
        raise ImageError(f"{what} is damaged or cut off ({_brief(str(error))}); give another copy") from error
    return Picture(pixels, name)


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; EXIF that cannot be read says nothing, and the image stays as it is."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def _pil_to_rgb(image: Image.Image, max_pixels: int) -> UInt8Array:
    if image.mode.startswith(("I", "F")):  # 16-bit and 32-bit grey, float
        return array_to_rgb(np.asarray(image), max_pixels)
    if image.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        return array_to_rgb(np.asarray(image.convert("RGBA")), max_pixels)
    return sealed(np.array(image.convert("RGB")))


@contextlib.contextmanager
def own_size_guard() -> Iterator[None]:
    """Let Pillow read a header whatever size it states: our limit is checked next, and it is the caller's."""
    from PIL import Image

    with _header_lock:
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _kind_of(data: bytes) -> str:
    """What the file seems to be, from its first bytes, for the error message."""
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"hevc", b"msf1"):
        return "a HEIC photo, which is not supported: export it as JPEG or AVIF first"
    known = {
        b"%PDF": "a PDF document",
        b"PK\x03\x04": "a zip archive",
        b"\x1f\x8b": "a gzip archive",
        b"<svg": "an SVG drawing",
        b"<?xml": "an XML or SVG text",
        b"<!DOCTYPE": "a web page",
        b"<html": "a web page",
    }
    for start, kind in known.items():
        if data.lstrip()[: len(start)].lower() == start.lower():
            return f"{kind}, not an image"
    printable = sum(byte in b"\t\n\r" or 32 <= byte < 127 for byte in data[:512])
    if printable >= 0.95 * len(data[:512]):
        return "a text, not an image"
    return "not an image in a known format, or its beginning is damaged"


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:117] + "..."
