"""Masks as an SVG drawing: one path per mask along the pixels' edges, holes by the even-odd rule.

The drawing's unit is the image's pixel, so it lies exactly over the image. Paths use whole numbers,
horizontal and vertical lines only, and give the mask back when they are filled without smoothing.
"""

from __future__ import annotations

from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from anymask.core.arrays import Float64Array
from anymask.core.draw import palette
from anymask.core.polygons import Polygon, mask_to_polygons
from anymask.core.record import MaskRecord
from anymask.core.rle import decode_window
from anymask.formats.contents import Contents

_CONTROL = {code: "\N{REPLACEMENT CHARACTER}" for code in range(32) if code not in (9, 10, 13)}


def to_bytes(contents: Contents) -> bytes:
    """The file's bytes."""
    height, width = contents.image_hw
    colours = palette(len(contents.records))
    paths = [_path(record, colour) for record, colour in zip(contents.records, colours, strict=True)]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">',
        f"<title>{_text(contents.image_name or 'masks')}</title>",
        *paths,
        "</svg>",
    ]
    return ("\n".join(lines) + "\n").encode(errors="replace")


def _path(record: MaskRecord, colour: tuple[int, int, int]) -> str:
    label = f" class={_attribute(record.label)}" if record.label else ""
    score = f' data-score="{record.score:.4f}"' if record.score is not None else ""
    title = f"<title>{_text(record.label)}</title>" if record.label else ""
    paint = f'fill="#{colour[0]:02x}{colour[1]:02x}{colour[2]:02x}" fill-opacity="0.5" fill-rule="evenodd"'
    outlines = "".join(_outline(ring) for polygon in _polygons(record) for ring in polygon.rings)
    return f'<path{label}{score} {paint} d="{outlines}">{title}</path>'


def _polygons(record: MaskRecord) -> list[Polygon]:
    found = decode_window(record.rle)
    if found is None:
        return []
    window, inside = found
    return mask_to_polygons(inside, offset_xy=(window.x0, window.y0))


def _outline(ring: Float64Array) -> str:
    """A closed outline with alternating horizontal and vertical edges, as absolute H and V commands."""
    points = ring.astype(int).tolist()
    commands = [f"M{points[0][0]} {points[0][1]}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        commands.append(f"H{x1}" if y0 == y1 and x0 != x1 else f"V{y1}")
    return "".join(commands) + "Z"


def _text(text: str) -> str:
    return escape(text.translate(_CONTROL))


def _attribute(text: str) -> str:
    return quoteattr(text.translate(_CONTROL))
