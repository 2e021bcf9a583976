"""COCO instances (https://cocodataset.org/#format-data), masks as compressed RLE or polygons.

Beyond COCO's fields an annotation may hold `score` (as in COCO results), SA-1B's `predicted_iou`,
`stability_score`, `point_coords` and `crop_box`, our `parent`, `attributes` and `provenance`, and `anymask`
with an id or label that COCO wants otherwise; pycocotools and other readers pass over them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from anymask.core.errors import FormatError
from anymask.core.polygons import MAX_COORDINATE
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle
from anymask.formats.coco_tables import (
    annotation_ids,
    category_ids,
    contents_of_row,
    extra_fields,
    has_tables,
    image_of_row,
    record_of_row,
    size_of_row,
    tables_of,
)
from anymask.formats.contents import Contents
from anymask.formats.kinds import SetFormat
from anymask.formats.known import name_of
from anymask.formats.losses import Keeps, Loss
from anymask.formats.outlines import polygons_of
from anymask.formats.parsing import parse_json, write_json


def to_bytes(images: Sequence[Contents]) -> bytes:
    """The file's bytes, masks as RLE."""
    return write_json(to_json(images))


def polygons_to_bytes(images: Sequence[Contents]) -> bytes:
    """The file's bytes, masks as polygons where pycocotools makes the same pixels of them, else as RLE.

    COCO's polygons know no holes, so masks with holes are always RLE.
    """
    return write_json(to_json(images, polygons=True))


def to_json(images: Sequence[Contents], *, polygons: bool = False) -> dict[str, Any]:
    """The images, their annotations and the categories they use; masks without a label are of category
    "object".
    """
    categories = category_ids(images)
    owners = [(image_id, r) for image_id, image in enumerate(images, 1) for r in image.records]
    annotations = [
        {
            "id": number,
            "image_id": image_id,
            "category_id": categories[name_of(record)],
            "segmentation": _segmentation(record.rle, polygons),
            "area": record.area,
            "bbox": list(record.box_xywh),
            "iscrowd": 0,
            **extra_fields(record, number),
        }
        for number, (image_id, record) in zip(annotation_ids(images), owners, strict=True)
    ]
    return {
        "info": {"description": "masks made with anymask"},
        "images": [{"id": number, **image.image_json()} for number, image in enumerate(images, 1)],
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
        "annotations": annotations,
    }


def from_bytes(data: bytes) -> list[Contents]:
    """All images of a COCO file.

    Reads polygons (several parts; rasterised as pycocotools does), compressed and plain RLE. Polygons without
    any pixel (empty or degenerate) are left out. `iscrowd` is kept in `attributes`.

    Raises FormatError, naming the annotation, if something is not as COCO says.
    """
    value = parse_json(data)
    if not has_tables(value):
        raise FormatError(
            "not a COCO file; expected an object with lists 'images', 'annotations' and 'categories'"
        )
    images, labels = tables_of(value)
    found: dict[Any, list[MaskRecord]] = defaultdict(list)
    empty: Counter[Any] = Counter()
    for number, row in enumerate(value["annotations"], 1):
        try:
            key, image = image_of_row(images, row)
            record = record_of_annotation(row, image, labels)
        except FormatError as error:
            raise FormatError(f"annotation {number}: {error}") from error
        if record.area or isinstance(row["segmentation"], Mapping):
            found[key].append(record)
        else:
            empty[key] += 1
    return [
        contents_of_row(
            image, key, found[key], [Loss("polygons without a pixel", empty[key])] if empty[key] else []
        )
        for key, image in images.items()
    ]


def record_of_annotation(
    row: Mapping[str, Any], image: Mapping[str, Any], labels: Mapping[Any, Any]
) -> MaskRecord:
    """The mask of one row of `annotations`; empty for polygons without a pixel.

    image: the row of its image. labels: names of categories by id. Raises FormatError.
    """
    size_hw = size_of_row(image)
    rle = _rle(row.get("segmentation"), size_hw)
    if rle.size_hw != size_hw:
        raise FormatError(f"the mask has size {rle.size_hw}, its image {size_hw} (height, width)")
    # Where the area is another the mask was read otherwise than meant (polygons), and so is its box.
    own = row.get("area") == rle.area and "bbox" in row
    box = row["bbox"] if own else list(rle.box_xywh)
    return record_of_row(row, rle, labels.get(_hashable(row.get("category_id"))), box)


def _segmentation(rle: Rle, polygons: bool) -> Any:
    if not polygons:
        return rle.to_coco()
    parts = polygons_of(rle)
    if not parts or any(part.holes for part in parts):
        return rle.to_coco()
    flat = [part.exterior.ravel().tolist() for part in parts]
    return flat if _are_equal(_fill(flat, rle.size_hw), rle) else rle.to_coco()


def _are_equal(one: Rle, other: Rle) -> bool:
    """Whether the pixels are the same; pycocotools may write them with empty runs."""
    from pycocotools import mask as coco_mask

    return bool(coco_mask.iou([one.to_coco()], [other.to_coco()], [0])[0, 0] == 1)


def _rle(segmentation: Any, size_hw: tuple[int, int]) -> Rle:
    if isinstance(segmentation, Mapping):
        return Rle.from_coco(segmentation)
    if not isinstance(segmentation, list):
        raise FormatError("'segmentation' is neither an RLE nor a list of polygons")
    polygons = [_polygon(part) for part in segmentation if not (isinstance(part, list) and len(part) < 6)]
    if not polygons:
        return Rle.from_coco({"size": list(size_hw), "counts": [size_hw[0] * size_hw[1]]})
    return _fill(polygons, size_hw)


def _fill(polygons: list[list[float]], size_hw: tuple[int, int]) -> Rle:
    from pycocotools import mask as coco_mask

    merged = coco_mask.merge(coco_mask.frPyObjects(polygons, *size_hw))
    return Rle.from_coco({"size": list(size_hw), "counts": merged["counts"]})


def _polygon(part: Any) -> list[float]:
    numbers = isinstance(part, list) and all(type(n) in (int, float) for n in part)
    if not numbers or len(part) % 2 or not all(abs(n) <= MAX_COORDINATE for n in part):
        raise FormatError("a polygon is a flat list x0, y0, x1, y1, ... of finite numbers")
    return [float(n) for n in part]


def _hashable(value: Any) -> Any:
    return value if isinstance(value, (int, float, str)) else None


_FILE_NAME = "annotations/instances_default.json"
FORMAT = SetFormat(
    "coco", "COCO instances, masks as RLE", ".coco.json", Keeps(), to_bytes, from_bytes, _FILE_NAME
)
POLYGONS = SetFormat(
    "coco-polygons",
    "COCO instances, masks as polygons",
    ".coco.json",
    Keeps(),
    polygons_to_bytes,
    from_bytes,
    _FILE_NAME,
)
