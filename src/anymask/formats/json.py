"""anymask's own JSON: `{"format": "anymask-masks", "version": 1, "image": {...}, "annotations": [...]}`.

An annotation is `MaskRecord.to_json()`. The two keys that hold the data are SA-1B's, so its files are read,
too.
"""

from __future__ import annotations

from typing import Any

from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.formats.contents import Contents
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


def from_bytes(data: bytes) -> list[MaskRecord]:
    """The file's records. Raises FormatError, naming the annotation, if something is not as it should be."""
    value = parse_json(data)
    if not isinstance(value, dict) or not isinstance(value.get("annotations"), list):
        raise FormatError("a JSON object with a list 'annotations' is expected; is this a file of masks?")
    if value.get("format", _FORMAT) != _FORMAT or value.get("version", _VERSION) != _VERSION:
        raise FormatError(
            f"format {value.get('format')!r}, version {value.get('version')!r}; this anymask reads "
            f"{_FORMAT!r}, version {_VERSION}"
        )
    records = []
    for number, annotation in enumerate(value["annotations"], 1):
        try:
            records.append(MaskRecord.from_json(annotation))
        except FormatError as error:
            raise FormatError(f"annotation {number}: {error}") from error
    _check_sizes(records, value.get("image"))
    return records


def _check_sizes(records: list[MaskRecord], image: Any) -> None:
    size = (image.get("height"), image.get("width")) if isinstance(image, dict) else (None, None)
    for number, record in enumerate(records, 1):
        if None not in size and record.image_hw != size:
            raise FormatError(
                f"annotation {number} has size {record.image_hw}, the image {size} (height, width)"
            )
