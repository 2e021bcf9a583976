"""anymask's own JSON: `{"format": "anymask-masks", "version": 1, "image": {...}, "annotations": [...]}`.

An annotation is `MaskRecord.to_json()`. The two keys that hold the data are SA-1B's, so its files are read,
too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.formats.checks import brief, mapping, safe_name, size_hw
from anymask.formats.contents import Contents
from anymask.formats.kinds import ImageFormat
from anymask.formats.losses import Keeps
from anymask.formats.parsing import parse_json, write_json

_FORMAT = "anymask-masks"
_VERSION = 1


def to_bytes(contents: Contents) -> bytes:
    """The file's bytes."""
    return write_json(to_json(contents))


def to_json(contents: Contents) -> dict[str, Any]:
    """The file as plain Python values."""
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "image": contents.image_json(),
        "annotations": [record.to_json() for record in contents.records],
    }


def from_bytes(data: bytes, stem: str = "") -> Contents:
    """The image and its records; `stem` names the image where the file does not.

    Raises FormatError, naming the annotation, if something is not as it should be.
    """
    value = parse_json(data)
    if not isinstance(value, dict) or not isinstance(value.get("annotations"), list):
        raise FormatError("a JSON object with a list 'annotations' is expected; is this a file of masks?")
    if value.get("format", _FORMAT) != _FORMAT or value.get("version", _VERSION) != _VERSION:
        raise FormatError(
            f"format {brief(value.get('format'))}, version {brief(value.get('version'))}; this anymask reads "
            f"{_FORMAT!r}, version {_VERSION}"
        )
    image = mapping(value.get("image") or {}, "'image'")
    return contents_from(image, read_records(value["annotations"]), stem)


def read_records(annotations: list[Any]) -> tuple[MaskRecord, ...]:
    """Annotations as records. Raises FormatError, naming the annotation."""
    records = []
    for number, annotation in enumerate(annotations, 1):
        try:
            records.append(MaskRecord.from_json(annotation))
        except FormatError as error:
            raise FormatError(f"annotation {number}: {error}") from error
    return tuple(records)


def contents_from(image: Mapping[str, Any], records: tuple[MaskRecord, ...], stem: str) -> Contents:
    """Records and what the file says of their image, checked against each other."""
    name = image.get("file_name") or stem
    sha256 = image.get("sha256")
    if "height" in image or "width" in image:
        size = size_hw(image.get("height"), image.get("width"))
    elif records:
        size = records[0].image_hw
    else:
        raise FormatError("the file holds neither masks nor the image's height and width")
    for number, record in enumerate(records, 1):
        if record.image_hw != size:
            raise FormatError(
                f"annotation {number} has size {record.image_hw}, the image {size} (height, width)"
            )
    return Contents(
        records, size, safe_name(name) if name else "", sha256 if isinstance(sha256, str) else None
    )


FORMAT = ImageFormat("json", "anymask's own, everything kept", ".json", Keeps(), to_bytes, from_bytes)
