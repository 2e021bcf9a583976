"""labelme (version 5 and later): a JSON per image with shapes in pixels.

A mask without holes becomes polygons along the pixels' edges, its parts with a common `group_id`; a mask with
holes a shape of type "mask" (a PNG of its box). labelme itself draws a polygon with its outline, so it counts
up to one more pixel along the edges; what is read here is exact. The key "anymask" of a shape, which labelme
carries along, holds what else is known.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from anymask.core.arrays import Float64Array
from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle, decode_window, encode_window
from anymask.core.upscale import Window
from anymask.formats.checks import brief, listing, mapping, number, safe_name, size_hw, text
from anymask.formats.contents import Contents
from anymask.formats.kinds import ImageFormat
from anymask.formats.known import KEY, known_of, name_of, record_of
from anymask.formats.losses import Keeps, Loss
from anymask.formats.outlines import fill, polygons_of, ring_of
from anymask.formats.parsing import parse_json, write_json
from anymask.formats.png import decode_png, encode_png

_VERSION = "5.5.0"
_CIRCLE_CORNERS = 128


def to_bytes(contents: Contents) -> bytes:
    """The file's bytes; `imageData` is null, so the picture belongs beside the file."""
    height, width = contents.image_hw
    return write_json(
        {
            "version": _VERSION,
            "flags": {},
            "shapes": [s for n, record in enumerate(contents.records, 1) for s in _shapes(record, n)],
            "imagePath": contents.image_name,
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
    )


def from_bytes(data: bytes, stem: str = "") -> Contents:
    """The image and a record per polygon, rectangle, circle or mask; of shapes with one label and `group_id`
    one record.

    Points and lines are left out and counted. Raises FormatError, naming the shape, if something is wrong.
    """
    value = mapping(parse_json(data), "the file")
    shapes = listing(value.get("shapes"), "'shapes'")
    size = size_hw(value.get("imageHeight"), value.get("imageWidth"))
    groups: dict[Any, list[Mapping[str, Any]]] = {}
    for place, shape in enumerate(shapes, 1):
        label = text(mapping(shape, f"shape {place}").get("label"), f"the label of shape {place}")
        group = shape.get("group_id")
        groups.setdefault((label, place if group is None else f"group {group}"), []).append(shape)
    left_out: Counter[str] = Counter()
    records = [
        record
        for (label, _), parts in groups.items()
        if (record := _record(label, parts, size, left_out)) is not None
    ]
    name = value.get("imagePath") or stem
    losses = tuple(Loss(f"shapes that are no area ({kind})", n) for kind, n in left_out.items())
    return Contents(tuple(records), size, safe_name(name) if name else "", left_out=losses)


def _shapes(record: MaskRecord, number: int) -> list[dict[str, Any]]:
    parts = polygons_of(record.rle)
    if any(part.holes for part in parts):
        shapes = [_mask_shape(record)]
    else:
        group = number if len(parts) > 1 else None
        shapes = [_shape(record, "polygon", part.exterior.tolist(), group_id=group) for part in parts]
    known = known_of(record)
    if known and shapes:
        shapes[0][KEY] = known
    return shapes


def _mask_shape(record: MaskRecord) -> dict[str, Any]:
    found = decode_window(record.rle)
    assert found is not None  # it has holes
    window, inside = found
    corners = [[window.x0, window.y0], [window.x1 - 1, window.y1 - 1]]
    image = base64.b64encode(encode_png(inside.astype(np.uint8) * np.uint8(255))).decode()
    return _shape(record, "mask", corners, mask=image)


def _shape(record: MaskRecord, kind: str, points: Any, **known: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "group_id": None,
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": None,
    }
    return {"label": name_of(record), "points": points, **base, **known}


def _record(
    label: str, parts: list[Mapping[str, Any]], image_hw: tuple[int, int], left_out: Counter[str]
) -> MaskRecord | None:
    rings: list[Float64Array] = []
    masks: list[Rle] = []
    known = None
    for shape in parts:
        kind = shape.get("shape_type") or "polygon"
        points = listing(shape.get("points"), f"the points of '{label}'")
        known = shape.get(KEY) if known is None else known
        if kind == "mask":
            masks.append(_mask(shape.get("mask"), points, image_hw))
        elif kind in ("polygon", "rectangle", "oriented_rectangle", "circle"):
            rings.append(_ring(kind, points, f"'{label}'"))
        else:
            left_out[str(kind)] += 1
    if not rings and not masks:
        return None
    drawn = [fill([[ring] for ring in rings], image_hw)] if rings else []
    return record_of(_union([*drawn, *masks]), known, label)


def _ring(kind: str, points: list[Any], what: str) -> Float64Array:
    if kind in ("polygon", "oriented_rectangle"):
        return ring_of(points, what)
    (x0, y0), (x1, y1) = _two_corners(points)
    if kind == "rectangle":
        return ring_of([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], what)
    turns = np.linspace(0, 2 * math.pi, _CIRCLE_CORNERS, endpoint=False)
    radius = math.hypot(x1 - x0, y1 - y0)
    return ring_of(np.column_stack([x0 + radius * np.cos(turns), y0 + radius * np.sin(turns)]), what)


def _mask(data: Any, points: list[Any], image_hw: tuple[int, int]) -> Rle:
    (x0, y0), (x1, y1) = ([int(n) for n in corner] for corner in _two_corners(points))
    try:
        png = base64.b64decode(text(data, "a mask"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"a mask is {brief(data)}; expected a PNG in base64") from error
    inside = decode_png(png, ("1", "L", "P")) != 0
    window = Window(y0, y0 + inside.shape[0], x0, x0 + inside.shape[1])
    if (y1 + 1, x1 + 1) != (window.y1, window.x1) or min(x0, y0) < 0:
        raise FormatError(f"a mask of {inside.shape} pixels does not fill its corners {brief(points)}")
    if window.y1 > image_hw[0] or window.x1 > image_hw[1]:
        raise FormatError(f"a mask reaches out of the image ({brief(points)})")
    return encode_window(inside, window, image_hw)


def _two_corners(points: list[Any]) -> list[list[float]]:
    if len(points) != 2 or not all(isinstance(p, list) and len(p) == 2 for p in points):
        raise FormatError(f"points are {brief(points)}; expected two corners [x, y]")
    return [[number(n, "a coordinate") for n in point] for point in points]


def _union(masks: list[Rle]) -> Rle:
    if len(masks) == 1:
        return masks[0]
    from pycocotools import mask as coco_mask

    merged = coco_mask.merge([mask.to_coco() for mask in masks])
    return Rle.from_coco({"size": list(masks[0].size_hw), "counts": merged["counts"]})


FORMAT = ImageFormat(
    "labelme", "labelme, a JSON per image", ".json", Keeps(empty=False), to_bytes, from_bytes
)
