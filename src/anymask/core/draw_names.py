"""Masks with their names on the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anymask.core.arrays import UInt8Array
from anymask.core.draw import Colour, overlay, palette
from anymask.core.record import MaskRecord

_DARK: Colour = (20, 20, 20)
_WHITE: Colour = (255, 255, 255)
_LONGEST = 40


def overlay_with_names(pixels: UInt8Array, records: Sequence[MaskRecord]) -> UInt8Array:
    """The picture with each mask tinted; masks with a label carry it, and those of one label its colour.

    pixels: (H, W, 3) uint8. Raises InputError if a mask is of another size.
    """
    labels = list(dict.fromkeys(record.label for record in records if record.label is not None))
    if not labels:
        return overlay(pixels, [record.mask for record in records])
    colours = palette(len(labels) + sum(record.label is None for record in records))
    unnamed = iter(colours[len(labels) :])
    own = [next(unnamed) if r.label is None else colours[labels.index(r.label)] for r in records]
    return _with_tags(overlay(pixels, [record.mask for record in records], colours=own), records, own)


def _with_tags(image: UInt8Array, records: Sequence[MaskRecord], colours: Sequence[Colour]) -> UInt8Array:
    """Small masks' tags last: they have the least room of their own."""
    from PIL import Image, ImageDraw, ImageFont

    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(max(11, round(max(image.shape[:2]) / 45)))
    for place in sorted(range(len(records)), key=lambda i: -records[i].area):
        label = records[place].label
        if label is None:
            continue
        words = label if len(label) <= _LONGEST else label[: _LONGEST - 1] + "…"
        left, top, right, bottom = draw.textbbox((0, 0), words, font=font)
        width, height = right - left + 6, bottom - top + 6
        x, y, box_width, box_height = records[place].box_xywh
        x = min(max(x + (box_width - width) / 2, 0), max(image.shape[1] - width, 0))
        y = min(max(y + (box_height - height) / 2, 0), max(image.shape[0] - height, 0))
        draw.rectangle((x, y, x + width, y + height), fill=colours[place])
        ink = _DARK if sum(colours[place]) > 384 else _WHITE
        draw.text((x + 3 - left, y + 3 - top), words, font=font, fill=ink)
    return np.asarray(canvas)
