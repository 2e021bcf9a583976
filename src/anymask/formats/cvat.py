"""CVAT for images 1.1: an XML of images with masks, polygons and boxes.

Written are `<mask>` elements: runs of the mask's box row by row, background first. Read are masks, polygons
and boxes. Attributes are texts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from math import cos, radians, sin
from xml.etree import ElementTree as ET

import numpy as np

from anymask.core.arrays import Float64Array
from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle, decode_window, encode_window
from anymask.core.upscale import Window
from anymask.formats.checks import number, raster_size, safe_name, size_hw, whole
from anymask.formats.contents import Contents
from anymask.formats.kinds import SetFormat
from anymask.formats.known import UNNAMED, name_of
from anymask.formats.losses import Keeps, Loss
from anymask.formats.outlines import fill, ring_of
from anymask.formats.parsing import parse_xml, write_xml

_SHAPES = {"mask", "polygon", "box"}
_NO_AREA = {"polyline", "points", "ellipse", "cuboid", "skeleton", "tag"}


def to_bytes(images: Sequence[Contents]) -> bytes:
    """The file's bytes; masks without a label are called "object"."""
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    root.append(_meta(images))
    for number_, image in enumerate(images):
        height, width = image.image_hw
        about = {"id": str(number_), "name": image.image_name, "width": str(width), "height": str(height)}
        element = ET.SubElement(root, "image", about)
        element.extend(_mask(record) for record in image.records if record.area)
    return write_xml(root)


def from_bytes(data: bytes) -> list[Contents]:
    """The images. Ellipses, points, lines, cuboids and tags are left out and counted.

    Raises FormatError, naming the image, if something is wrong.
    """
    root = parse_xml(data)
    if root.tag != "annotations":
        raise FormatError(f"the XML is <{root.tag}>; expected CVAT's <annotations>")
    images = []
    for place, element in enumerate(root.iter("image"), 1):
        try:
            images.append(_contents(element))
        except FormatError as error:
            raise FormatError(f"image {place}: {error}") from error
    return images


def _meta(images: Sequence[Contents]) -> ET.Element:
    """The labels with their attributes, as a task that takes the file in must have them."""
    attributes: dict[str, set[str]] = {}
    for record in (record for image in images for record in image.records):
        attributes.setdefault(name_of(record), set()).update(record.attributes)
    meta = ET.Element("meta")
    labels = ET.SubElement(ET.SubElement(meta, "task"), "labels")
    for name in sorted(attributes):
        label = ET.SubElement(labels, "label")
        ET.SubElement(label, "name").text = name
        listed = ET.SubElement(label, "attributes")
        for attribute in sorted(attributes[name]):
            row = ET.SubElement(listed, "attribute")
            texts = {"name": attribute, "mutable": "False", "input_type": "text", "default_value": ""}
            for tag, text in {**texts, "values": ""}.items():
                ET.SubElement(row, tag).text = text
    return meta


def _mask(record: MaskRecord) -> ET.Element:
    found = decode_window(record.rle)
    assert found is not None  # records without a pixel are not written
    window, inside = found
    flat = inside.ravel()
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]) + 1, flat.size)
    runs = [*([0] if flat[0] else []), *np.diff(ends, prepend=0).tolist()]
    height, width = window.size_hw
    place = {"left": window.x0, "top": window.y0, "width": width, "height": height, "z_order": 0}
    element = ET.Element("mask", {"label": name_of(record), "source": "auto", "occluded": "0"})
    element.set("rle", ", ".join(map(str, runs)))
    for name, value in place.items():
        element.set(name, str(value))
    for name, value in record.attributes.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        ET.SubElement(element, "attribute", {"name": name}).text = text
    return element


def _contents(image: ET.Element) -> Contents:
    size = size_hw(image.get("height"), image.get("width"))
    records = [_record(shape, size) for shape in image if shape.tag in _SHAPES]
    others = Counter(shape.tag for shape in image if shape.tag in _NO_AREA)
    losses = tuple(Loss(f"shapes that are no mask ({tag})", count) for tag, count in others.items())
    return Contents(tuple(records), size, safe_name(image.get("name")), left_out=losses)


def _record(shape: ET.Element, image_hw: tuple[int, int]) -> MaskRecord:
    if shape.tag == "mask":
        rle = _rle(shape, image_hw)
    else:
        ring = _polygon(shape) if shape.tag == "polygon" else _box(shape)
        rle = fill([[ring]], image_hw)
    label = shape.get("label")
    attributes = {row.get("name", ""): row.text or "" for row in shape.iter("attribute")}
    return MaskRecord.of_rle(rle, label=None if label == UNNAMED else label, attributes=attributes)


def _rle(shape: ET.Element, image_hw: tuple[int, int]) -> Rle:
    x0, y0, width, height = (whole(shape.get(k), f"'{k}'") for k in ("left", "top", "width", "height"))
    if x0 + width > image_hw[1] or y0 + height > image_hw[0] or not width or not height:
        raise FormatError(f"a mask of {height} x {width} pixels reaches out of the image")
    raster_size((height, width))
    runs = [whole(run, "a run of 'rle'") for run in shape.get("rle", "").split(",")]
    if sum(runs) != height * width:
        raise FormatError(f"the runs of a mask cover {sum(runs)} pixels; its box has {height} x {width}")
    inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
    return encode_window(inside, Window(y0, y0 + height, x0, x0 + width), image_hw)


def _polygon(shape: ET.Element) -> Float64Array:
    points = [pair.split(",") for pair in shape.get("points", "").split(";")]
    return ring_of(points, "a polygon")


def _box(shape: ET.Element) -> Float64Array:
    """The corners, turned clockwise round the middle by `rotation` degrees."""
    x0, y0, x1, y1 = (number(shape.get(k), f"'{k}'") for k in ("xtl", "ytl", "xbr", "ybr"))
    turn = radians(number(shape.get("rotation", "0"), "'rotation'"))
    middle = np.array([x0 + x1, y0 + y1]) / 2
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) - middle
    return ring_of(corners @ np.array([[cos(turn), sin(turn)], [-sin(turn), cos(turn)]]) + middle, "a box")


FORMAT = SetFormat(
    "cvat",
    "CVAT for images 1.1, an XML",
    ".xml",
    Keeps(frozenset({"label", "attributes"}), text_attributes=True, empty=False),
    to_bytes,
    from_bytes,
    "annotations.xml",
)
