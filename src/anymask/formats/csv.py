"""CSV (RFC 4180, UTF-8): a row per mask with everything known about it, the mask as COCO's compressed RLE.

An image without masks has a row without `rle`. Texts that a spreadsheet would take for a formula (they start
with = + - @, a tab or a line break) get an apostrophe in front, which reading takes off again.
"""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle
from anymask.formats.checks import number, safe_name, size_hw, whole
from anymask.formats.contents import Contents
from anymask.formats.kinds import SetFormat
from anymask.formats.losses import Keeps
from anymask.formats.parsing import parse_json

_COLUMNS = (
    "image", "height", "width", "id", "label", "score", "stability", "area",
    "x", "y", "box_width", "box_height", "point_x", "point_y",
    "crop_x", "crop_y", "crop_width", "crop_height", "parent",
    "attributes", "provenance", "image_sha256", "rle",
)  # fmt: skip
_NEEDED = ("image", "height", "width", "rle")
_BOX = ("x", "y", "box_width", "box_height")
_CROP = ("crop_x", "crop_y", "crop_width", "crop_height")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_WHOLE = re.compile(r"-?\d+", re.ASCII)
_MAX_CELL = 1 << 30
_limit_lock = threading.Lock()


def to_bytes(images: Sequence[Contents]) -> bytes:
    """The file's bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for image in images:
        height, width = image.image_hw
        base = {
            "image": _guarded(image.image_name),
            "height": height,
            "width": width,
            "image_sha256": image.image_sha256,
        }
        for row in [_row(record) for record in image.records] or [{}]:
            writer.writerow([{**base, **row}.get(column, "") for column in _COLUMNS])
    return text.getvalue().encode(errors="backslashreplace")


def from_bytes(data: bytes) -> list[Contents]:
    """The images, in the order of their first rows. Columns that are not ours are passed over.

    Raises FormatError, naming the line, if a column is missing or a cell is wrong.
    """
    images: dict[str, Contents] = {}
    records: dict[str, list[MaskRecord]] = {}
    for line, row in _rows(data):
        try:
            image = _image(row)
            before = images.setdefault(image.image_name, image)
            if before.image_hw != image.image_hw:
                raise FormatError(f"'{image.image_name}' has size {image.image_hw}, before {before.image_hw}")
            if row["rle"]:
                records.setdefault(image.image_name, []).append(_record(row, image.image_hw))
        except FormatError as error:
            raise FormatError(f"line {line}: {error}") from error
    return [replace(image, records=tuple(records.get(name, ()))) for name, image in images.items()]


def _row(record: MaskRecord) -> dict[str, Any]:
    known: dict[str, Any] = {
        "id": _text_or_number(record.id),
        "label": _text_or_number(record.label),
        "score": record.score,
        "stability": record.stability,
        "area": record.area,
        "parent": _text_or_number(record.parent),
        "attributes": json.dumps(dict(record.attributes), ensure_ascii=False) if record.attributes else "",
        "provenance": json.dumps(dict(record.provenance), ensure_ascii=False) if record.provenance else "",
        "rle": _guarded(record.rle.counts),
    }
    known |= dict(zip(_BOX, record.box_xywh, strict=True))
    known |= dict(zip(("point_x", "point_y"), record.point_xy or (), strict=False))
    known |= dict(zip(_CROP, record.crop_box or (), strict=False))
    return {name: "" if value is None else value for name, value in known.items()}


def _text_or_number(value: int | str | None) -> str:
    """An id or label: numbers as they are, nothing as nothing; text that would look like either in quotes."""
    if value is None:
        return ""
    if isinstance(value, str) and (not value or value.startswith('"') or _WHOLE.fullmatch(value)):
        return json.dumps(value, ensure_ascii=False)
    return _guarded(value) if isinstance(value, str) else str(value)


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _rows(data: bytes) -> list[tuple[int, dict[str, str]]]:
    try:
        text = data.decode("utf-8-sig")
        with _limit_lock:  # the limit is the module's, for all threads
            limit = csv.field_size_limit(_MAX_CELL)
            try:
                reader = csv.DictReader(io.StringIO(text, newline=""), restval="", strict=True)
                rows = [(reader.line_num, row) for row in reader]
            finally:
                csv.field_size_limit(limit)
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8 text (byte {error.start}); expected a CSV file") from error
    except csv.Error as error:
        raise FormatError(f"not CSV ({error})") from error
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise FormatError(f"no column {', '.join(missing)}; expected at least {', '.join(_NEEDED)}")
    if any(None in row for _, row in rows):
        raise FormatError("a row has more cells than there are columns")
    return rows


def _image(row: Mapping[str, str]) -> Contents:
    name = safe_name(_unguarded(row["image"]))
    return Contents((), size_hw(row["height"], row["width"]), name, row.get("image_sha256") or None)


def _record(row: Mapping[str, str], image_hw: tuple[int, int]) -> MaskRecord:
    rle = Rle(image_hw, _unguarded(row["rle"]))
    box = _numbers(row, _BOX)
    point = _numbers(row, ("point_x", "point_y"))
    known = {
        "id": _id(row.get("id", "")),
        "segmentation": rle.to_coco(),
        "bbox": list(rle.box_xywh) if box is None else box,
        "area": whole(row["area"], "'area'") if row.get("area") else rle.area,
        "predicted_iou": _optional(row, "score"),
        "stability_score": _optional(row, "stability"),
        "point_coords": None if point is None else [point],
        "crop_box": _numbers(row, _CROP),
        "category": _label(row.get("label", "")),
        "parent": _id(row.get("parent", "")),
        "attributes": parse_json(row["attributes"].encode()) if row.get("attributes") else {},
        "provenance": parse_json(row["provenance"].encode()) if row.get("provenance") else {},
    }
    return MaskRecord.from_json(known)


def _label(cell: str) -> str | None:
    value = _text(cell)
    return value if value is None or isinstance(value, str) else str(value)


def _id(cell: str) -> int | str | None:
    return int(cell) if _WHOLE.fullmatch(cell) and len(cell) < 400 else _text(cell)


def _text(cell: str) -> str | None:
    if cell.startswith('"'):
        value = parse_json(cell.encode())
        if not isinstance(value, str):
            raise FormatError(f"{cell[:40]} is no text in quotes")
        return value
    return _unguarded(cell) or None


def _optional(row: Mapping[str, str], name: str) -> float | None:
    return number(row[name], f"'{name}'") if row.get(name) else None


def _numbers(row: Mapping[str, str], names: Sequence[str]) -> list[float] | None:
    cells = [row.get(name, "") for name in names]
    if not any(cells):
        return None
    return [_plain(cell, name) for cell, name in zip(cells, names, strict=True)]


def _plain(cell: str, name: str) -> int | float:
    return int(cell) if _WHOLE.fullmatch(cell) and len(cell) < 400 else number(cell, f"'{name}'")


FORMAT = SetFormat(
    "csv", "CSV, a row per mask with its RLE", ".csv", Keeps(), to_bytes, from_bytes, "masks.csv"
)
