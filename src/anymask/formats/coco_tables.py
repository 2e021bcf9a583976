"""What COCO's files share: tables of images, categories and annotations, and what we add to a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle
from anymask.formats.checks import mapping, safe_name, size_hw
from anymask.formats.contents import Contents
from anymask.formats.known import KEY, UNNAMED, name_of
from anymask.formats.losses import Loss, numbering

_FIELDS = (
    "predicted_iou",
    "stability_score",
    "point_coords",
    "crop_box",
    "parent",
    "attributes",
    "provenance",
)


def category_ids(images: Sequence[Contents]) -> dict[str, int]:
    """Names of categories in alphabetical order, numbered from 1."""
    names = sorted({name_of(record) for image in images for record in image.records})
    return {name: number for number, name in enumerate(names, 1)}


def annotation_ids(images: Sequence[Contents]) -> list[int]:
    """An id for every record of all images: their own where all have different whole numbers from 1, else
    1, 2, 3 ...
    """
    return numbering([record for image in images for record in image.records])


def extra_fields(record: MaskRecord, written_id: int) -> dict[str, Any]:
    """What a row holds beyond COCO: SA-1B's names and ours; under "anymask" an id or label that COCO's differ
    from.
    """
    own = record.to_json()
    score = {} if record.score is None else {"score": record.score}
    differing: dict[str, Any] = {} if record.id == written_id else {"id": record.id}
    if record.label in ("", UNNAMED):
        differing["category"] = record.label
    kept = {name: own[name] for name in _FIELDS if name in own}
    return {**score, **kept, **({KEY: differing} if differing else {})}


def record_of_row(row: Mapping[str, Any], rle: Rle, label: Any, box: Any) -> MaskRecord:
    """A record of a mask and what its row says of it. Raises FormatError if that is not as it should be."""
    ours = {name: row[name] for name in _FIELDS if name in row}
    if row.get("iscrowd"):
        ours["attributes"] = {**mapping(ours.get("attributes") or {}, "'attributes'"), "iscrowd": 1}
    ours.setdefault("predicted_iou", row.get("score"))
    differing = mapping(row.get(KEY) or {}, f"'{KEY}'")
    category = differing.get("category", None if label == UNNAMED else label)
    base = {"segmentation": rle.to_coco(), "bbox": box, "area": rle.area}
    known = {"id": differing.get("id", row.get("id")), "category": category}
    return MaskRecord.from_json({**base, **ours, **known})


def tables_of(value: Mapping[str, Any]) -> tuple[dict[Any, Mapping[str, Any]], dict[Any, Any]]:
    """Images by id, and names of categories by id. Raises FormatError for rows without an id, or an id used
    twice.
    """
    images: dict[Any, Mapping[str, Any]] = {}
    for row in value["images"]:
        key = key_of(row, "id", "an image")
        if key in images:
            raise FormatError(f"two images have the id {key!r}")
        images[key] = row
    labels = {key_of(row, "id", "a category"): row.get("name") for row in value["categories"]}
    return images, labels


def contents_of_row(
    row: Mapping[str, Any], key: Any, records: Sequence[MaskRecord], left_out: Sequence[Loss] = ()
) -> Contents:
    """An image of the file with its records."""
    sha256 = row.get("sha256")
    name = safe_name(str(row.get("file_name") or key))
    known = sha256 if isinstance(sha256, str) else None
    return Contents(tuple(records), size_of_row(row), name, known, tuple(left_out))


def size_of_row(image: Mapping[str, Any]) -> tuple[int, int]:
    """Height and width of an image of the file."""
    height, width = image.get("height"), image.get("width")
    if type(height) is not int or type(width) is not int or min(height, width) < 1:
        raise FormatError(
            f"its image has height {height!r} and width {width!r}; whole numbers from 1 are expected"
        )
    return size_hw(height, width, "its image")


def has_tables(value: Any) -> bool:
    """Whether JSON has COCO's tables (and not our own or SA-1B's single image)."""
    return isinstance(value, dict) and all(
        isinstance(value.get(name), list) for name in ("images", "annotations", "categories")
    )


def key_of(row: Any, name: str, what: str) -> Any:
    """An id; COCO's are whole numbers, and files in the wild have 3.0 and "3" as well."""
    if not isinstance(row, Mapping) or type(row.get(name)) not in (int, float, str):
        raise FormatError(f"{what} has no usable '{name}'")
    return row[name]


def image_of_row(images: Mapping[Any, Mapping[str, Any]], row: Any) -> tuple[Any, Mapping[str, Any]]:
    """The id and row of the image that an annotation belongs to."""
    key = key_of(row, "image_id", "the annotation")
    if key not in images:
        raise FormatError(f"its image {key!r} is not in the file")
    return key, images[key]
