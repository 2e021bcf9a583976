"""Masks of a huge image as files, written one mask after the other: memory does not grow with their number.

| ending | what it holds |
| --- | --- |
| .jsonl | a line of JSON about the image, then one per mask: RLE of its own box and the box's `offset` |
| .json, .coco.json | anymask's JSON and COCO, RLE of the whole image: up to 2**31 - 1 pixels |
| .geojson | polygons, in map coordinates where the image has them |
| .tif, .tiff | a label map: tiled TIFF of uint32 (the extra `huge`) |
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from anymask.automatic.huge.job import HugeMasks
from anymask.automatic.huge.label_map import write_label_map
from anymask.automatic.huge.masks import HugeRecord
from anymask.automatic.huge.runs import MOST_PIXELS
from anymask.core.errors import FormatError
from anymask.core.files import replacing
from anymask.formats import coco, geojson
from anymask.formats import json as own_json
from anymask.formats.contents import Contents
from anymask.formats.parsing import write_json


def write_huge(path: str | os.PathLike[str], masks: HugeMasks) -> Path:
    """Write the masks in the format of the file's ending, atomically. Returns the path.

    Raises FormatError for an ending that is none of these or an image too large for the format, OutputError
    if the file cannot be written, MissingExtraError for a label map without the extra.
    """
    target = Path(path)
    ending = ending_of(target)
    if ending in (".json", ".coco.json"):
        check_fits(target, masks.image_hw)
    if ending in (".tif", ".tiff"):
        return write_label_map(target, masks)
    with replacing(target) as place, place.open("wb") as file:
        for part in _WRITERS[ending](masks):
            file.write(part)
    return target


def ending_of(path: Path) -> str:
    """The ending that says the format. Raises FormatError if it is none of those above."""
    name = path.name.lower()
    for ending in (".coco.json", ".geojson", ".jsonl", ".json", ".tiff", ".tif"):
        if name.endswith(ending):
            return ending
    raise FormatError(
        f"'{path}' has no ending for the masks of a huge image; "
        "give .jsonl, .json, .coco.json, .geojson or .tif"
    )


def check_fits(path: Path, image_hw: tuple[int, int]) -> None:
    """Raise FormatError if the image has more pixels than the run lengths of JSON and COCO can count."""
    if image_hw[0] * image_hw[1] > MOST_PIXELS:
        raise FormatError(
            f"'{path}': an image of {image_hw[1]} x {image_hw[0]} pixels is too large for COCO's run lengths "
            f"({MOST_PIXELS:,} pixels); give .jsonl, .geojson or .tif"
        )


def _lines(masks: HugeMasks) -> Iterator[bytes]:
    head = {
        "format": "anymask-huge-masks",
        "version": 1,
        "image": dict(masks.image),
        **({} if masks.affine is None else {"affine": list(masks.affine)}),
        "provenance": dict(masks.provenance),
    }
    yield write_json(head)
    for record in masks:
        yield write_json(record.to_json())


def _json(masks: HugeMasks) -> Iterator[bytes]:
    rows = (record.in_image(masks.image_hw).to_json() for record in masks)
    return _filled(own_json.to_json(_contents(masks)), "annotations", rows)


def _coco(masks: HugeMasks) -> Iterator[bytes]:
    def rows() -> Iterator[dict[str, Any]]:
        for record in masks:
            one = coco.to_json([_contents(masks, record)])["annotations"][0]
            yield {**one, "id": record.id}

    first = [masks[0]] if len(masks) else []  # for the table of categories
    tables = coco.to_json([_contents(masks, *first)])
    return _filled({**tables, "annotations": []}, "annotations", rows())


def _geojson(masks: HugeMasks) -> Iterator[bytes]:
    a, b, c, d, e, f = masks.affine or (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    image = {**masks.image, **({} if masks.affine is None else {"affine": list(masks.affine)})}

    def features() -> Iterator[dict[str, Any]]:
        for record in masks:
            x, y = record.mask.window.x0, record.mask.window.y0
            moved = (a, b, a * x + b * y + c, d, e, d * x + e * y + f)
            yield geojson.feature(record.in_own_box(), moved)

    return _filled({"type": "FeatureCollection", "image": image, "features": []}, "features", features())


def _filled(value: dict[str, Any], name: str, rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """The JSON of `value`, whose empty list `name` is its last member, with the rows in it."""
    assert list(value)[-1] == name
    head, end = write_json(value)[:-3], write_json(value)[-3:]  # before and from "]}\n"
    yield head
    for number, row in enumerate(rows):
        yield (b",\n" if number else b"\n") + write_json(row)[:-1]
    yield end


def _contents(masks: HugeMasks, *records: HugeRecord) -> Contents:
    image = masks.image
    return Contents(
        tuple(record.in_image(masks.image_hw) for record in records),
        masks.image_hw,
        image["file_name"],
        image["sha256"],
    )


_WRITERS: dict[str, Callable[[HugeMasks], Iterator[bytes]]] = {
    ".jsonl": _lines,
    ".json": _json,
    ".coco.json": _coco,
    ".geojson": _geojson,
}
