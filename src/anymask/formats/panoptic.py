"""COCO panoptic (https://cocodataset.org/#format-data): a JSON, and a PNG per image in a folder of its name.

A pixel's segment is R + 256 G + 65536 B, 0 where there is none. Where masks overlap the smaller one is on
top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle
from anymask.formats.checks import listing, mapping, safe_name, whole
from anymask.formats.coco_tables import (
    category_ids,
    contents_of_row,
    extra_fields,
    has_tables,
    image_of_row,
    key_of,
    record_of_row,
    tables_of,
)
from anymask.formats.contents import Contents
from anymask.formats.kinds import FolderFormat
from anymask.formats.known import name_of
from anymask.formats.label_map import masks_by_value, number_masks
from anymask.formats.losses import EVERYTHING, Keeps, Loss, numbering
from anymask.formats.parsing import parse_json, write_json
from anymask.formats.pictures import Pictures
from anymask.formats.png import decode_png, encode_png
from anymask.formats.trees import Tree

_STEM = "panoptic"
_MOST = 2**24 - 1


def files_of(images: Sequence[Contents]) -> Iterator[tuple[str, bytes]]:
    """The PNGs, then the JSON."""
    categories = category_ids(images)
    annotations = []
    for image_id, image in enumerate(images, 1):
        name = f"{PurePosixPath(image.image_name).with_suffix('')}.png"
        numbers = numbering(image.records, _MOST)
        painted = number_masks(image, np.array(numbers, np.uint32))
        rgb = np.stack([painted & 255, painted >> 8 & 255, painted >> 16], axis=2).astype(np.uint8)
        yield f"{_STEM}/{name}", encode_png(rgb)
        visible = masks_by_value(painted)
        segments = [
            _segment(record, number, categories[name_of(record)], visible[number])
            for number, record in zip(numbers, image.records, strict=True)
            if number in visible
        ]
        annotations.append({"image_id": image_id, "file_name": name, "segments_info": segments})
    value = {
        "info": {"description": "masks made with anymask"},
        "images": [{"id": number, **image.image_json()} for number, image in enumerate(images, 1)],
        "categories": [
            {"id": number, "name": name, "supercategory": name, "isthing": 1}
            for name, number in categories.items()
        ],
        "annotations": annotations,
    }
    yield f"{_STEM}.json", write_json(value)


def load(tree: Tree, _: Pictures) -> list[Contents]:
    """The images of every panoptic JSON in the tree. Raises FormatError if there is none, or one is wrong."""
    found: list[Contents] = []
    names = [name for name in tree.names if name.lower().endswith(".json")]
    values = [(name, parse_json(tree.read(name))) for name in names]
    panoptic = [(name, value) for name, value in values if is_panoptic(value)]
    if not panoptic:
        raise FormatError("there is no JSON with 'segments_info'; expected COCO panoptic")
    for name, value in panoptic:
        try:
            found += _load(tree, PurePosixPath(name).with_suffix(""), value)
        except FormatError as error:
            raise FormatError(f"{name}: {error}") from error
    return found


def is_panoptic(value: Any) -> bool:
    """Whether JSON has COCO's tables with segments in place of masks."""
    return has_tables(value) and any(
        isinstance(a, dict) and "segments_info" in a for a in value["annotations"]
    )


def _segment(record: MaskRecord, number: int, category: int, seen: Rle) -> dict[str, Any]:
    return {
        "id": number,
        "category_id": category,
        "area": seen.area,
        "bbox": list(seen.box_xywh),
        "iscrowd": 0,
        **extra_fields(record, number),
    }


def _load(tree: Tree, folder: PurePosixPath, value: Mapping[str, Any]) -> list[Contents]:
    images, labels = tables_of(value)
    found = []
    for place, row in enumerate(value["annotations"], 1):
        try:
            key, image = image_of_row(images, row)
            name = safe_name(row.get("file_name"), "the PNG's name")
            found.append(_contents(row, key, image, tree.read(f"{folder}/{name}"), labels))
        except FormatError as error:
            raise FormatError(f"annotation {place}: {error}") from error
    return found


def _contents(
    row: Mapping[str, Any], key: Any, image: Mapping[str, Any], png: bytes, labels: Mapping[Any, Any]
) -> Contents:
    rgb = decode_png(png, ("RGB", "RGBA"))
    values = rgb[..., 0] + rgb[..., 1].astype(np.uint32) * 256 + rgb[..., 2].astype(np.uint32) * 65536
    masks = masks_by_value(values)
    records = []
    for segment in listing(row.get("segments_info"), "'segments_info'"):
        number = whole(mapping(segment, "a segment").get("id"), "a segment's 'id'", 1)
        rle = masks.pop(number, None)
        if rle is None:
            raise FormatError(f"segment {number} has no pixel in the PNG")
        label = labels.get(key_of(segment, "category_id", "a segment"))
        records.append(record_of_row(segment, rle, label, list(rle.box_xywh)))
    losses = [Loss("segments that are not in the JSON", len(masks))] if masks else []
    contents = contents_of_row(image, key, records, losses)
    if contents.image_hw != values.shape:
        raise FormatError(f"the PNG has {values.shape} pixels, the image {contents.image_hw}")
    return contents


FORMAT = FolderFormat(
    "panoptic",
    "COCO panoptic, a JSON and PNGs",
    ".json",
    Keeps(EVERYTHING - {"box_xywh"}, overlap=False, empty=False),
    files_of,
    load,
    lambda name: f"images/{name}",
)
