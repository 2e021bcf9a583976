"""Values read from files, checked: each function returns the value or raises FormatError in one line."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from anymask.core.errors import FormatError

MAX_RASTER_PIXELS = 500_000_000
"""Images of formats that are made of pixels are refused beyond this: 20,000 x 20,000 fits."""

_MAX_PIXELS = 2**31 - 1  # as in core.rle
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def brief(value: Any) -> str:
    """`value` for an error message: its repr on one line, cut to 60 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, Mapping):
        raise FormatError(f"{what} is {brief(value)}; expected an object")
    return value


def listing(value: Any, what: str) -> list[Any]:
    """A JSON list."""
    if not isinstance(value, list):
        raise FormatError(f"{what} is {brief(value)}; expected a list")
    return value


def text(value: Any, what: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise FormatError(f"{what} is {brief(value)}; expected text")
    return value


def number(value: Any, what: str) -> float:
    """A finite number, or text that is one (XML and CSV hold nothing else)."""
    try:
        found = (
            float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
        )
    except (ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise FormatError(f"{what} is {brief(value)}; expected a finite number")
    return found


def whole(value: Any, what: str, low: int = 0) -> int:
    """A whole number of at least `low`, or text that is one."""
    found = number(value, what)
    if found != int(found) or found < low:
        raise FormatError(f"{what} is {brief(value)}; expected a whole number from {low}")
    return int(found)


def size_hw(height: Any, width: Any, what: str = "the image") -> tuple[int, int]:
    """Height and width of an image, pixels."""
    size = whole(height, f"the height of {what}", 1), whole(width, f"the width of {what}", 1)
    if size[0] * size[1] > _MAX_PIXELS:
        raise FormatError(f"{what} has {brief(size)} pixels, which is more than {_MAX_PIXELS} in all")
    return size


def raster_size(size: tuple[int, int]) -> tuple[int, int]:
    """`size` itself, unless an image of this height and width is too large to be unrolled into pixels."""
    if size[0] * size[1] > MAX_RASTER_PIXELS:
        raise FormatError(
            f"an image of {size[0]} x {size[1]} pixels is too large for a format made of pixels "
            f"({MAX_RASTER_PIXELS} at most); JSON and COCO hold it"
        )
    return size


def safe_name(value: Any, what: str = "the image's name") -> str:
    """A file name that stays inside its folder, with forward slashes.

    Refused are absolute names, drive letters, '..', control characters and nothing at all: a file that was
    made elsewhere must not reach out of the folder it is unpacked or exported to.
    """
    name = text(value, what).replace("\\", "/")
    if name.startswith("/") or _DRIVE.match(name) or _CONTROL.search(name):
        raise FormatError(f"{what} is {brief(value)}; expected a relative path without control characters")
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts:
        raise FormatError(f"{what} is {brief(value)}; expected a file name inside the folder")
    if any(len(part.encode(errors="surrogatepass")) > 255 for part in parts):
        raise FormatError(f"{what} is {brief(value)}; a file name has at most 255 bytes")
    return "/".join(parts)
