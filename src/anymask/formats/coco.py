"""COCO instances (https://cocodataset.org/#format-data), masks as compressed RLE.

Beyond COCO's fields an annotation may hold `score` (as in COCO results), and SA-1B's `predicted_iou`,
`stability_score`, `point_coords` and `crop_box`; pycocotools and other readers pass over them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle
from anymask.formats.contents import Contents
from anymask.formats.parsing import parse_json, write_json

_UNNAMED = "object"
_OURS = ("predicted_iou", "stability_score", "point_coords", "crop_box", "parent", "attributes", "provenance")


def to_bytes(contents: Contents) -> bytes:
    """The file's bytes."""
    return write_json(to_json(contents))


def to_json(contents: Contents) -> dict[str, Any]:
    """One image, its annotations and the categories they use; masks without a label are of category
    "object".
    """
    names = sorted({record.label or _UNNAMED for record in contents.records})
    category_ids = {name: number for number, name in enumerate(names, 1)}
    return {
        "info": {"description": "masks made with anymask"},
        "images": [{"id": 1, **contents.image_json()}],
        "categories": [{"id": number, "name": name} for name, number in category_ids.items()],
        "annotations": [
            _annotation(record, number, category_ids[record.label or _UNNAMED])
            for number, record in enumerate(contents.records, 1)
        ],
    }


def from_bytes(data: bytes, image_name: str | None = None) -> list[MaskRecord]:
    """The records of one image. Raises FormatError if the file is not COCO, or holds several images and
    `image_name` does not say which."""
    images = images_from_bytes(data)
    if image_name is not None:
        if image_name not in images:
            raise FormatError(f"there is no image '{image_name}'; there are {_some(images)}")
        return images[image_name]
    if len(images) != 1:
        raise FormatError(f"the file holds {len(images)} images ({_some(images)}); say which by image_name")
    return next(iter(images.values()))


def read_images(path: str | Path) -> dict[str, list[MaskRecord]]:
    """All images of a COCO file: file name -> records. Raises FormatError if it cannot be read or is not
    COCO.
    """
    source = Path(path)
    try:
        return images_from_bytes(source.read_bytes())
    except OSError as error:
        raise FormatError(f"cannot read '{source}': {error.strerror or error}") from error
    except FormatError as error:
        raise FormatError(f"'{source}': {error}") from error


def images_from_bytes(data: bytes) -> dict[str, list[MaskRecord]]:
    """All images of a COCO file: file name (its id where there is none) -> records.

    Reads polygons (several parts; rasterised as pycocotools does), compressed and plain RLE. Annotations
    without any pixel (empty or degenerate polygons) are left out. `iscrowd` is kept in `attributes`.

    Raises FormatError, naming the annotation, if something is not as COCO says.
    """
    value = parse_json(data)
    if not _has_tables(value):
        raise FormatError(
            "not a COCO file; expected an object with lists 'images', 'annotations' and 'categories'"
        )
    images = {_key(image, "id", "an image"): image for image in value["images"]}
    labels = {_key(category, "id", "a category"): category.get("name") for category in value["categories"]}
    found: dict[Any, list[MaskRecord]] = defaultdict(list)
    for number, annotation in enumerate(value["annotations"], 1):
        try:
            image_id = _key(annotation, "image_id", "the annotation")
            record = _record(annotation, _image_of(images, image_id), labels)
        except FormatError as error:
            raise FormatError(f"annotation {number}: {error}") from error
        if record.area:
            found[image_id].append(record)
    return {str(image.get("file_name") or key): found[key] for key, image in images.items()}


def is_coco(data: bytes) -> bool:
    """Whether JSON has COCO's tables (and not our own or SA-1B's single image)."""
    try:
        return _has_tables(parse_json(data))
    except FormatError:
        return False


def _annotation(record: MaskRecord, number: int, category_id: int) -> dict[str, Any]:
    ours = record.to_json()
    score = {} if record.score is None else {"score": record.score}
    return {
        "id": number,
        "image_id": 1,
        "category_id": category_id,
        "segmentation": ours["segmentation"],
        "area": record.area,
        "bbox": ours["bbox"],
        "iscrowd": 0,
        **score,
        **{name: ours[name] for name in _OURS if name in ours},
    }


def _record(annotation: Mapping[str, Any], image: Mapping[str, Any], labels: Mapping[Any, Any]) -> MaskRecord:
    size_hw = _size(image)
    rle = _rle(annotation.get("segmentation"), size_hw)
    if rle.size_hw != size_hw:
        raise FormatError(f"the mask has size {rle.size_hw}, its image {size_hw} (height, width)")
    ours = {name: annotation[name] for name in _OURS if name in annotation}
    if annotation.get("iscrowd"):
        ours["attributes"] = {**(ours.get("attributes") or {}), "iscrowd": 1}
    ours.setdefault("predicted_iou", annotation.get("score"))
    label = labels.get(annotation.get("category_id"))
    base = {
        "segmentation": rle.to_coco(),
        "bbox": list(rle.box_xywh),
        "area": rle.area,
        "id": annotation.get("id"),
    }
    return MaskRecord.from_json(base | ours | ({} if label in (None, _UNNAMED) else {"category": label}))


def _rle(segmentation: Any, size_hw: tuple[int, int]) -> Rle:
    if isinstance(segmentation, Mapping):
        return Rle.from_coco(segmentation)
    if not isinstance(segmentation, list):
        raise FormatError("'segmentation' is neither an RLE nor a list of polygons")
    from pycocotools import mask as coco_mask

    polygons = [_polygon(part) for part in segmentation if not (isinstance(part, list) and len(part) < 6)]
    if not polygons:
        return Rle.from_coco({"size": list(size_hw), "counts": [size_hw[0] * size_hw[1]]})
    merged = coco_mask.merge(coco_mask.frPyObjects(polygons, *size_hw))
    return Rle.from_coco({"size": list(size_hw), "counts": merged["counts"]})


def _polygon(part: Any) -> list[float]:
    from anymask.core.polygons import MAX_COORDINATE

    numbers = isinstance(part, list) and all(type(n) in (int, float) for n in part)
    if not numbers or len(part) % 2 or not all(abs(n) <= MAX_COORDINATE for n in part):
        raise FormatError("a polygon is a flat list x0, y0, x1, y1, ... of finite numbers")
    return [float(n) for n in part]


def _size(image: Mapping[str, Any]) -> tuple[int, int]:
    height, width = image.get("height"), image.get("width")
    if type(height) is not int or type(width) is not int or min(height, width) < 1:
        raise FormatError(
            f"its image has height {height!r} and width {width!r}; whole numbers from 1 are expected"
        )
    return height, width


def _has_tables(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name), list) for name in ("images", "annotations", "categories")
    )


def _key(row: Any, name: str, what: str) -> Any:
    """An id; COCO's are whole numbers, and files in the wild have 3.0 and "3" as well."""
    if not isinstance(row, Mapping) or type(row.get(name)) not in (int, float, str):
        raise FormatError(f"{what} has no usable '{name}'")
    return row[name]


def _image_of(images: Mapping[Any, Mapping[str, Any]], image_id: Any) -> Mapping[str, Any]:
    if image_id not in images:
        raise FormatError(f"its image {image_id!r} is not in the file")
    return images[image_id]


def _some(images: Mapping[str, Any]) -> str:
    names = list(images)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
