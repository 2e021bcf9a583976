"""Masks as a PNG: one mask white on black, or several as numbers, plain or in colours.

`png`: one record is 8-bit grey, 255 on the object and 0 off it; several are a label map. `labelmap`: the
pixel's value is the record's id where all ids are different whole numbers from 1 to 65535, else its place in
the list, from 1; 16 bits where a value is above 255. `palette`: the same numbers with a colour each, up to
255.

Where masks overlap the smaller one is on top, so overlaps (and records that are wholly covered) are lost;
JSON and COCO keep them.
"""

from __future__ import annotations

import io

import numpy as np

from anymask.core.arrays import AnyArray, UInt8Array
from anymask.core.draw import palette
from anymask.core.errors import FormatError
from anymask.core.images import own_size_guard
from anymask.core.record import MaskRecord
from anymask.formats.checks import raster_size
from anymask.formats.contents import Contents
from anymask.formats.kinds import ImageFormat
from anymask.formats.label_map import masks_by_value, number_masks
from anymask.formats.losses import Keeps, numbering

_MANY = 65_535
_MANY_COLOURS = 255


def to_bytes(contents: Contents) -> bytes:
    """One mask as 0 and 255, several as a label map. Raises FormatError for more than 65535 masks."""
    if len(contents.records) == 1:
        return encode_png(number_masks(contents, np.array([255], np.uint8)))
    return label_map_to_bytes(contents)


def label_map_to_bytes(contents: Contents) -> bytes:
    """Numbered masks, 8 or 16 bits. Raises FormatError for more than 65535 masks."""
    return encode_png(_numbered(contents))


def palette_to_bytes(contents: Contents) -> bytes:
    """Numbered masks in colours. Raises FormatError for more than 255 masks."""
    numbers = _numbered(contents, _MANY_COLOURS)
    return encode_png(numbers, colours(int(numbers.max(initial=0)) + 1))


def from_bytes(data: bytes, stem: str = "") -> Contents:
    """One record per value that is not 0, in rising order; their `id` is the value where there are several.

    Grey, palette (the index counts) and 16-bit images are read. The image is called as the file is. Raises
    FormatError for anything else.
    """
    values = decode_png(data)
    found = masks_by_value(values)
    records = [MaskRecord.of_rle(rle, id=value if len(found) > 1 else None) for value, rle in found.items()]
    return Contents(tuple(records), (values.shape[0], values.shape[1]), f"{stem}.png" if stem else "")


def label_map_from_bytes(data: bytes, stem: str = "") -> Contents:
    """As `from_bytes`; a single mask has its value as `id`, too."""
    values = decode_png(data)
    records = [MaskRecord.of_rle(rle, id=value) for value, rle in masks_by_value(values).items()]
    return Contents(tuple(records), (values.shape[0], values.shape[1]), f"{stem}.png" if stem else "")


def encode_png(values: AnyArray, colour_table: UInt8Array | None = None) -> bytes:
    """(H, W) of uint8 or uint16 as the bytes of a PNG; with (N, 3) colours, a palette image."""
    from PIL import Image

    image = Image.fromarray(values)
    if colour_table is not None:
        image = image.convert("L")
        image.putpalette(colour_table.tobytes())
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def decode_png(data: bytes, modes: tuple[str, ...] = ("1", "L", "P", "I;16", "I")) -> AnyArray:
    """The values of a grey or palette PNG, (H, W), or of another of Pillow's modes that is asked for.

    Raises FormatError if it is none of them, no PNG, too large or damaged.
    """
    from PIL import Image

    try:
        with own_size_guard():
            image = Image.open(io.BytesIO(data), formats=("PNG",))
        with image:
            if image.mode not in modes:
                raise FormatError(
                    f"a PNG of mode {image.mode} is no mask; one of mode {', '.join(modes)} is expected"
                )
            raster_size((image.height, image.width))
            return np.asarray(image)
    except FormatError:
        raise
    except Exception as error:  # Pillow lets many kinds out for damaged files
        raise FormatError(
            f"not a PNG, too large or damaged ({' '.join(str(error).split())[:100]})"
        ) from error


def colours(count: int) -> UInt8Array:
    """(count, 3) RGB: black for 0, then a colour each."""
    return np.array([(0, 0, 0), *palette(max(count - 1, 0))], np.uint8)


def _numbered(contents: Contents, most: int = _MANY) -> AnyArray:
    if len(contents.records) > most:
        raise FormatError(
            f"{len(contents.records)} masks do not fit into this PNG ({most} at most); write "
            + ("'labelmap'" if most < _MANY else "JSON or COCO")
        )
    values = np.array(numbering(contents.records, most), np.int64)
    return number_masks(contents, values.astype(np.uint8 if values.max(initial=0) < 256 else np.uint16))


def _keeps(*fields: str, most: int | None = None) -> Keeps:
    return Keeps(frozenset(fields), most_id=most, overlap=False, empty=False)


FORMAT = ImageFormat(
    "png", "one mask white on black, several numbered", ".png", _keeps(), to_bytes, from_bytes
)
LABEL_MAP = ImageFormat(
    "labelmap",
    "a PNG of ids, 8 or 16 bits",
    ".png",
    _keeps("id", most=_MANY),
    label_map_to_bytes,
    label_map_from_bytes,
)
PALETTE = ImageFormat(
    "palette",
    "a PNG of ids in colours",
    ".png",
    _keeps("id", most=_MANY_COLOURS),
    palette_to_bytes,
    label_map_from_bytes,
)
