"""A mask as a value to keep, exchange and train on, and its JSON form.

The JSON form uses the names of COCO and SA-1B where they exist:

| field      | JSON             | meaning |
| ---------- | ---------------- | ------- |
| rle        | segmentation     | {"size": [height, width], "counts": COCO compressed RLE} |
| box_xywh   | bbox             | x, y, width, height, pixels |
| area       | area             | set pixels |
| score      | predicted_iou    | the model's guess of its IoU |
| stability  | stability_score  | Segment Anything's stability score, 0 to 1 |
| point_xy   | point_coords     | [[x, y]], the click that gave the mask |
| crop_box   | crop_box         | x, y, width, height of the part of the image that was looked at |
| label      | category         | class name |
| id, parent | id, parent       | this mask's id, and the id of the mask it is a part of |
| attributes, provenance | the same | free JSON objects: what is known of the object; how the mask was made |

What is unknown is left out.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray
from anymask.core.errors import FormatError
from anymask.core.rle import Rle, decode, encode

_JSON_NAMES = {
    "segmentation",
    "bbox",
    "area",
    "predicted_iou",
    "stability_score",
    "point_coords",
    "crop_box",
    "category",
    "id",
    "parent",
    "attributes",
    "provenance",
}
_REQUIRED = ("segmentation", "bbox", "area")


@dataclass(frozen=True)
class MaskRecord:
    """One mask of one image with everything known about it; fields as in the module's table.

    Raises FormatError if a value has the wrong type, a number is not finite, or area and RLE disagree.
    """

    rle: Rle
    box_xywh: tuple[float, float, float, float]
    area: int
    score: float | None = None
    stability: float | None = None
    point_xy: tuple[float, float] | None = None
    crop_box: tuple[float, float, float, float] | None = None
    label: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    parent: int | str | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    id: int | str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.rle, Rle):
            raise FormatError(f"rle is {_brief(self.rle)}; expected an Rle (see anymask.core.rle.encode)")
        _set(self, "box_xywh", _numbers(self.box_xywh, 4, "bbox"))
        _set(self, "area", _area(self.area, self.rle))
        _set(self, "score", _optional_number(self.score, "predicted_iou"))
        _set(self, "stability", _optional_number(self.stability, "stability_score"))
        _set(self, "point_xy", None if self.point_xy is None else _numbers(self.point_xy, 2, "point_coords"))
        _set(self, "crop_box", None if self.crop_box is None else _numbers(self.crop_box, 4, "crop_box"))
        _set(self, "label", _optional(self.label, (str,), "category", "a name"))
        _set(self, "parent", _optional(self.parent, (int, str), "parent", "an id (whole number or text)"))
        _set(self, "id", _optional(self.id, (int, str), "id", "a whole number or text"))
        _set(self, "attributes", _json_object(self.attributes, "attributes"))
        _set(self, "provenance", _json_object(self.provenance, "provenance"))

    @classmethod
    def of_mask(cls, mask: npt.ArrayLike, **known: Any) -> MaskRecord:
        """From an (H, W) mask; `known` are further fields by name."""
        return cls.of_rle(encode(mask), **known)

    @classmethod
    def of_rle(cls, rle: Rle, **known: Any) -> MaskRecord:
        """From an RLE; `known` are further fields by name."""
        return cls(rle=rle, box_xywh=rle.box_xywh, area=rle.area, **known)

    @property
    def image_hw(self) -> tuple[int, int]:
        """Height and width of the image, pixels."""
        return self.rle.size_hw

    @property
    def mask(self) -> BoolArray:
        """(H, W) bool, decoded at each call."""
        return decode(self.rle)

    def to_json(self) -> dict[str, Any]:
        """The JSON object of the module's table, of plain Python values."""
        given: dict[str, Any] = {
            "id": self.id,
            "segmentation": self.rle.to_coco(),
            "bbox": list(self.box_xywh),
            "area": self.area,
            "predicted_iou": self.score,
            "stability_score": self.stability,
            "point_coords": None if self.point_xy is None else [list(self.point_xy)],
            "crop_box": None if self.crop_box is None else list(self.crop_box),
            "category": self.label,
            "parent": self.parent,
            "attributes": copy.deepcopy(dict(self.attributes)) or None,
            "provenance": copy.deepcopy(dict(self.provenance)) or None,
        }
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def from_json(cls, value: Any) -> MaskRecord:
        """Read what `to_json` gives, or one annotation of an SA-1B file.

        Raises FormatError, naming the field, if one is missing, unknown or wrong.
        """
        if not isinstance(value, Mapping):
            raise FormatError(f"{_brief(value)} is not a mask record; expected a JSON object")
        for name in _REQUIRED:
            if name not in value:
                raise FormatError(f"a mask record without '{name}'; expected at least {', '.join(_REQUIRED)}")
        for name in value:
            if name not in _JSON_NAMES:
                raise FormatError(
                    f"a mask record has the unknown field {_brief(name)}; put it into 'attributes'"
                )
        return cls(
            rle=Rle.from_coco(value["segmentation"]),
            box_xywh=value["bbox"],
            area=value["area"],
            score=value.get("predicted_iou"),
            stability=value.get("stability_score"),
            point_xy=_one_point(value.get("point_coords")),
            crop_box=value.get("crop_box"),
            label=value.get("category"),
            attributes=_or_empty(value.get("attributes")),
            parent=value.get("parent"),
            provenance=_or_empty(value.get("provenance")),
            id=value.get("id"),
        )


def _set(record: MaskRecord, name: str, value: Any) -> None:
    object.__setattr__(record, name, value)


def _is_number(value: Any) -> bool:
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(
        value, (bool, np.bool_)
    )
    return real and math.isfinite(value)


def _plain(value: Any) -> int | float:
    return int(value) if isinstance(value, (int, np.integer)) else float(value)


def _numbers(value: Any, count: int, name: str) -> tuple[int | float, ...]:
    sequence = isinstance(value, (list, tuple, np.ndarray)) and len(value) == count
    if not sequence or not all(_is_number(number) for number in value):
        raise FormatError(f"'{name}' is {_brief(value)}; expected {count} finite numbers")
    return tuple(_plain(number) for number in value)


def _optional_number(value: Any, name: str) -> float | None:
    if value is None:
        return None
    if not _is_number(value):
        raise FormatError(f"'{name}' is {_brief(value)}; expected a finite number")
    return float(value)


def _area(value: Any, rle: Rle) -> int:
    if not _is_number(value) or value != int(value):
        raise FormatError(f"'area' is {_brief(value)}; expected a whole number of pixels")
    if int(value) != rle.area:
        raise FormatError(
            f"'area' is {int(value)}, but the segmentation has {rle.area} pixels; the record is damaged"
        )
    return int(value)


def _optional(value: Any, kinds: tuple[type, ...], name: str, expected: str) -> Any:
    if value is None or (isinstance(value, kinds) and not isinstance(value, bool)):
        return value
    raise FormatError(f"'{name}' is {_brief(value)}; expected {expected}")


def _json_object(value: Any, name: str) -> dict[str, Any]:
    """A deep copy as JSON would give it back, so that a record equals the one read from its file."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise FormatError(f"'{name}' is {_brief(value)}; expected an object with text keys")
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(
            f"'{name}' cannot be written as JSON ({error}); use text, finite numbers, lists"
        ) from error
    return plain


def _or_empty(value: Any) -> Any:
    return {} if value is None else value


def _one_point(value: Any) -> Any:
    if value is None or (isinstance(value, list) and not value):
        return None
    if not isinstance(value, list) or len(value) != 1:
        raise FormatError(f"'point_coords' is {_brief(value)}; expected [[x, y]]")
    return value[0]


def _brief(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."
