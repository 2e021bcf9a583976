"""Masks as a PNG: one mask is white on black; several are numbered.

One record: 8-bit grey, 255 on the object and 0 off it. Several: the pixel's value is the record's place in
the list, from 1; 8 bits up to 254 records, else 16. Where masks overlap the smaller one is on top, so
overlaps (and records that are wholly covered) are lost; JSON and COCO keep them.
"""

from __future__ import annotations

import io
import warnings

import numpy as np

from anymask.core.arrays import AnyArray
from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
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
    found = [int(value) for value in np.unique(values) if value != 0]
    if len(found) <= 1:
        return [MaskRecord.of_mask(values == value) for value in found]
    return [MaskRecord.of_mask(values == value, id=value) for value in found]


def _numbered(contents: Contents) -> AnyArray:
    records = contents.records
    if len(records) > _MANY:
        raise FormatError(f"{len(records)} masks do not fit into a PNG (65535 at most); write JSON or COCO")
    numbers = np.zeros(contents.image_hw, np.uint8 if len(records) < 255 else np.uint16)
    if len(records) == 1:
        numbers[records[0].mask] = 255
        return numbers
    for place in sorted(range(len(records)), key=lambda i: -records[i].area):
        numbers[records[place].mask] = place + 1
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
