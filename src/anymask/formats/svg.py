"""Masks as an SVG drawing: one path per mask along the pixels' edges, holes by the even-odd rule.

The drawing's unit is the image's pixel, so it lies exactly over the image. Paths use whole numbers,
horizontal and vertical lines only, and give the mask back when they are filled without smoothing. What else
is known of a mask stands in `data-anymask` as JSON. Drawings of paths with straight lines are read.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from anymask.core.arrays import Float64Array
from anymask.core.draw import palette
from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.formats.checks import number, safe_name, size_hw
from anymask.formats.contents import Contents
from anymask.formats.kinds import ImageFormat
from anymask.formats.known import known_of, record_of
from anymask.formats.losses import Keeps
from anymask.formats.outlines import fill, polygons_of, ring_of
from anymask.formats.parsing import parse_json, parse_xml, xml_text

_TOKEN = re.compile(r"\s*,?\s*([MLHVZ]|[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)", re.ASCII)
_NAMELESS = "masks"


def to_bytes(contents: Contents) -> bytes:
    """The file's bytes."""
    height, width = contents.image_hw
    colours = palette(len(contents.records))
    paths = [_path(record, colour) for record, colour in zip(contents.records, colours, strict=True)]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">',
        f"<title>{escape(xml_text(contents.image_name or _NAMELESS))}</title>",
        *paths,
        "</svg>",
    ]
    return ("\n".join(lines) + "\n").encode()


def from_bytes(data: bytes, stem: str = "") -> Contents:
    """The image and a record per path. `stem` names the image where the drawing has no title.

    Raises FormatError if it is no SVG, its viewBox is not the image's pixels, or a path has curves, relative
    commands or transformations.
    """
    root = parse_xml(data)
    if root.tag != "svg":
        raise FormatError(f"the XML is <{root.tag}>; expected an SVG drawing")
    size = _size(root)
    if any("transform" in element.attrib for element in root.iter()):
        raise FormatError("the drawing has transformations; only outlines in image pixels are read")
    records = []
    for place, path in enumerate(root.iter("path"), 1):
        try:
            records.append(_record(path, size))
        except FormatError as error:
            raise FormatError(f"path {place}: {error}") from error
    title = root.findtext("title", "")
    name = title if title not in ("", _NAMELESS) else stem
    return Contents(tuple(records), size, safe_name(name) if name else "")


def _path(record: MaskRecord, colour: tuple[int, int, int]) -> str:
    label = f" class={_attribute(record.label)}" if record.label else ""
    title = f"<title>{escape(xml_text(record.label))}</title>" if record.label else ""
    known = known_of(record)
    more = f" data-anymask={quoteattr(json.dumps(known))}" if known else ""
    paint = f'fill="#{colour[0]:02x}{colour[1]:02x}{colour[2]:02x}" fill-opacity="0.5" fill-rule="evenodd"'
    outlines = "".join(_outline(ring) for polygon in polygons_of(record.rle) for ring in polygon.rings)
    return f'<path{label}{more} {paint} d="{outlines}">{title}</path>'


def _outline(ring: Float64Array) -> str:
    """A closed outline with alternating horizontal and vertical edges, as absolute H and V commands."""
    points = ring.astype(int).tolist()
    commands = [f"M{points[0][0]} {points[0][1]}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        commands.append(f"H{x1}" if y0 == y1 and x0 != x1 else f"V{y1}")
    return "".join(commands) + "Z"


def _attribute(text: str) -> str:
    return quoteattr(xml_text(text))


def _record(path: ET.Element, image_hw: tuple[int, int]) -> MaskRecord:
    rings = _rings(path.get("d", ""))
    known = path.get("data-anymask")
    rle = fill([rings] if rings else [], image_hw)
    return record_of(rle, None if known is None else parse_json(known.encode()), _label(path, known))


def _label(path: ET.Element, known: str | None) -> str | None:
    """The class; ours stands in `data-anymask` with the characters that XML lacks."""
    return None if known is not None else path.get("class")


def _size(root: ET.Element) -> tuple[int, int]:
    box = root.get("viewBox", "").replace(",", " ").split()
    if len(box) != 4 or number(box[0], "viewBox") != 0 or number(box[1], "viewBox") != 0:
        raise FormatError("the drawing's viewBox is not '0 0 width height' in the image's pixels")
    return size_hw(box[3], box[2])


def _rings(path: str) -> list[Float64Array]:
    rings: list[Float64Array] = []
    points: list[list[float]] = []
    for command, numbers in _commands(path):
        if command == "M":
            points = [numbers]
        elif command == "Z":
            rings += [ring_of(points, "an outline")] if points else []
            points = []
        elif not points:
            raise FormatError("the path does not start with M")
        else:
            x, y = points[-1]
            points.append({"L": numbers, "H": [numbers[0], y], "V": [x, numbers[0]]}[command])
    return rings + ([ring_of(points, "an outline")] if points else [])


def _commands(path: str) -> list[tuple[str, list[float]]]:
    """Commands with the numbers of one each: "M1 2 3 4" is a move and a line."""
    tokens, at = [], 0
    while at < len(path.rstrip()):
        found = _TOKEN.match(path, at)
        if found is None:
            raise FormatError(f"the path holds '{path[at : at + 10]}'; only M, L, H, V and Z are read")
        tokens.append(found[1])
        at = found.end()
    commands: list[tuple[str, list[float]]] = []
    wanted, command = 0, ""
    for token in tokens:
        if token.isalpha():
            if len(commands) and len(commands[-1][1]) < wanted:
                raise FormatError("the path lacks a number")
            command, wanted = token, {"M": 2, "L": 2, "H": 1, "V": 1, "Z": 0}[token]
            commands.append((command, []))
        elif not wanted:
            raise FormatError(f"the path has the number {token[:20]} where a command belongs")
        else:
            if len(commands[-1][1]) == wanted:
                commands.append(("L" if command == "M" else command, []))
            commands[-1][1].append(number(token, "a number of the path"))
    if commands and len(commands[-1][1]) < wanted:
        raise FormatError("the path lacks a number")
    return commands


FORMAT = ImageFormat("svg", "outlines as a drawing", ".svg", Keeps(), to_bytes, from_bytes)
