"""Boxes that a detector found, in COCO's format of results."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from anymask.core.errors import FormatError
from anymask.evaluate.datasets import DataSet
from anymask.evaluate.predictors import Box
from anymask.evaluate.samples import Problems
from anymask.formats.checks import brief
from anymask.formats.parsing import parse_json


@dataclass(frozen=True)
class Detection:
    """A box that a detector found. score: how sure it is; kept as it is."""

    box_xyxy: Box
    score: float
    label: str | None = None


@dataclass(frozen=True)
class Detections:
    """All boxes of a file. name, sha256: of the file. by_key: a sample's key -> its boxes, in file order."""

    name: str
    sha256: str
    by_key: Mapping[str, Sequence[Detection]]


def read_detections(
    path: Path, data: DataSet, problems: Problems, *, class_agnostic: bool = False
) -> Detections:
    """Read a list of {"image_id", "bbox": [x, y, width, height], "score", "category_id" or "category"}.

    An `image_id` is COCO's id, or the key, file name or stem of a picture of `data`. A `category_id` is one
    of the data; where it has no list of categories, `category` names the class. class_agnostic: classes are
    not read. Rows that cannot be used are noted in `problems`.

    Raises FormatError if the file is missing or no such list.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(f"cannot read '{path}': {error.strerror or error}") from error
    try:
        rows = parse_json(content)
    except FormatError as error:
        raise FormatError(f"'{path}': {error}") from error
    if not isinstance(rows, list):
        raise FormatError(
            f"'{path}' holds {type(rows).__name__}; expected COCO's results, a list of objects with "
            "image_id, category_id, bbox and score"
        )
    keys = _keys(data)
    found: dict[str, list[Detection]] = defaultdict(list)
    strangers: Counter[Any] = Counter()
    for number, row in enumerate(rows, 1):
        try:
            image = _image(row)
            if image not in keys:
                strangers[image] += 1
                continue
            found[keys[image]].append(_detection(row, None if class_agnostic else data.categories))
        except FormatError as error:
            problems.add(path.name, f"detection {number}: {error}")
    if strangers:
        first = next(iter(strangers))
        problems.add(
            path.name,
            f"{strangers.total()} detections are of {len(strangers)} pictures that the data does not have "
            f"(the first is {brief(first)})",
        )
    return Detections(path.name, hashlib.sha256(content).hexdigest(), dict(found))


def _keys(data: DataSet) -> dict[Any, str]:
    """What a file may call a picture -> its key; names that mean two pictures mean none."""
    keys = [entry.key for entry in data.entries]
    names = [name for key in keys for name in {PurePosixPath(key).name, PurePosixPath(key).stem}]
    counts = Counter(names)
    short = {
        name: key
        for key in keys
        for name in (PurePosixPath(key).name, PurePosixPath(key).stem)
        if counts[name] == 1
    }
    return {**short, **{key: key for key in keys}, **data.image_keys}


def _image(row: Any) -> Any:
    if not isinstance(row, Mapping):
        raise FormatError(f"{brief(row)} is no object with image_id, bbox and score")
    image = row.get("image_id")
    if isinstance(image, bool) or not isinstance(image, (int, float, str)):
        raise FormatError(f"'image_id' is {brief(image)}; expected a number or a name")
    return image


def _detection(row: Mapping[str, Any], categories: Mapping[Any, str] | None) -> Detection:
    """categories: names by id; None if classes do not matter."""
    score = row.get("score")
    if not _is_number(score):
        raise FormatError(f"'score' is {brief(score)}; expected a finite number")
    label = None if categories is None else _label(row, categories)
    return Detection(_box(row.get("bbox")), float(score), label)  # type: ignore[arg-type]


def _box(given: Any) -> Box:
    if not isinstance(given, list) or len(given) != 4 or not all(_is_number(n) for n in given):
        raise FormatError(f"'bbox' is {brief(given)}; expected [x, y, width, height]")
    x, y, width, height = (float(number) for number in given)
    if width <= 0 or height <= 0:
        raise FormatError(f"'bbox' is {brief(given)}; width and height must be above 0")
    return x, y, x + width, y + height


def _label(row: Mapping[str, Any], categories: Mapping[Any, str]) -> str:
    named = row.get("category")
    if isinstance(named, str):
        return named
    number = row.get("category_id")
    if isinstance(number, (int, float, str)) and number in categories:
        return str(categories[number])
    if not categories:
        raise FormatError(
            "the data has no list of categories; name the class ('category'), or leave classes out "
            "(--class-agnostic)"
        )
    raise FormatError(f"'category_id' is {brief(number)}, which the data does not have")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
