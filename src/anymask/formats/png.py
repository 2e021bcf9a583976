"""Masks as a PNG: one mask is white on black; several are numbered.

One record: 8-bit grey, 255 on the object and 0 off it. Several: the pixel's value is the record's place in
the list, from 1; 8 bits up to 254 records, else 16. Where masks overlap the smaller one is on top, so
overlaps (and records that are wholly covered) are lost; JSON and COCO keep them.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import AnyArray
from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle, decode_window, encode_window
from anymask.core.upscale import Window
from anymask.formats.contents import Contents

_MANY = 65_535


def to_bytes(contents: Contents) -> bytes:
    """The file's bytes. Raises FormatError for more than 65535 masks."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(_numbered(contents)).save(file, "PNG")
    return file.getvalue()


def from_bytes(data: bytes) -> list[MaskRecord]:
    """One record per value that is not 0, in rising order; their `id` is the value where there are several.

    Grey, palette (the index counts) and 16-bit images are read. Raises FormatError for anything else.
    """
    values = _decode(data)
    places = np.flatnonzero(values)
    present = values.ravel()[places]
    by_value = places[np.argsort(present, kind="stable")]
    found, counts = np.unique(present, return_counts=True)
    if not len(found):
        return []
    each = np.split(by_value, np.cumsum(counts)[:-1])
    several = len(found) > 1
    return [
        MaskRecord.of_rle(_rle(pixels, values.shape), id=int(value) if several else None)
        for value, pixels in zip(found, each, strict=True)
    ]


def _rle(places: npt.NDArray[np.intp], size_hw: tuple[int, ...]) -> Rle:
    """The mask of the pixels at these places (row by row), encoded in its own box."""
    rows, columns = np.divmod(places, size_hw[1])
    window = Window(int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1)
    inside = np.zeros(window.size_hw, np.bool_)
    inside[rows - window.y0, columns - window.x0] = True
    return encode_window(inside, window, (size_hw[0], size_hw[1]))


def _numbered(contents: Contents) -> AnyArray:
    records = contents.records
    if len(records) > _MANY:
        raise FormatError(f"{len(records)} masks do not fit into a PNG (65535 at most); write JSON or COCO")
    numbers = np.zeros(contents.image_hw, np.uint8 if len(records) < 255 else np.uint16)
    for place in sorted(range(len(records)), key=lambda i: -records[i].area):
        found = decode_window(records[place].rle)
        if found is not None:
            numbers[found[0].slices][found[1]] = 255 if len(records) == 1 else place + 1
    return numbers


def _decode(data: bytes) -> AnyArray:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a decompression bomb is a warning to Pillow
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if image.mode not in ("1", "L", "P", "I;16", "I"):
                    raise FormatError(
                        f"a PNG of mode {image.mode} is no mask; a grey or palette image is expected"
                    )
                return np.asarray(image)
    except FormatError:
        raise
    except Exception as error:  # Pillow lets many kinds out for damaged files
        raise FormatError(
            f"not a PNG, too large or damaged ({' '.join(str(error).split())[:100]})"
        ) from error
