"""Overlays and cut-outs as files: which endings there are, and their bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from anymask.core.arrays import UInt8Array
from anymask.core.errors import InputError

_SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 92, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 92, "subsampling": 0}),
    ".webp": ("WEBP", {"quality": 92}),
}
_WITH_ALPHA = (".png", ".webp")


def require_picture_format(path: Path) -> None:
    """Raise InputError unless the file's ending is a picture format that is written."""
    if path.suffix.lower() not in _SETTINGS:
        raise InputError(
            f"{str(path)!r}: unknown picture ending {path.suffix!r}; give {', '.join(_SETTINGS)}."
        )


def require_alpha(path: Path) -> None:
    """Raise InputError unless the file's format can hold transparency."""
    if path.suffix.lower() not in _WITH_ALPHA:
        raise InputError(
            f"{str(path)!r}: {path.suffix} holds no transparency, which a cut-out needs; "
            f"give {' or '.join(_WITH_ALPHA)}."
        )


def encode_picture(pixels: UInt8Array, path: Path) -> bytes:
    """(H, W, 3) RGB or (H, W, 4) RGBA pixels as the bytes of a file that ends like `path`."""
    from PIL import Image

    format, settings = _SETTINGS[path.suffix.lower()]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **settings)
    return file.getvalue()
