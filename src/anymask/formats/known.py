"""What is known of a mask beside its pixels, for formats whose objects may hold further keys.

Other programs pass over the key, or carry it along. Where they change a mask or its label, theirs counts.
"""

from __future__ import annotations

from typing import Any

from anymask.core.record import MaskRecord
from anymask.core.rle import Rle
from anymask.formats.checks import mapping

KEY = "anymask"
UNNAMED = "object"
"""The label of masks without one, where a format insists on a label."""

RECORD_NAMES = frozenset(
    {"id", "bbox", "area", "predicted_iou", "stability_score", "point_coords", "crop_box", "category"}
    | {"parent", "attributes", "provenance"}
)
"""Keys that `known_of` may give."""


def known_of(record: MaskRecord) -> dict[str, Any]:
    """All of `record.to_json()` but the mask; the box only where it is not the mask's own."""
    known = record.to_json()
    del known["segmentation"]
    if known["bbox"] == list(record.rle.box_xywh):
        del known["bbox"], known["area"]
    return known


def name_of(record: MaskRecord) -> str:
    """The label, or "object" where there is none."""
    return record.label or UNNAMED


def record_of(rle: Rle, known: Any, label: Any = None) -> MaskRecord:
    """A record of the mask, what was known, and the label that the format itself holds, if it has one.

    Raises FormatError if something is not as a record's JSON says.
    """
    given = dict(mapping({} if known is None else known, f"'{KEY}'"))
    if "bbox" not in given or given.get("area") != rle.area:  # the mask was edited: so is its box
        given["bbox"] = list(rle.box_xywh)
    if label is not None and label != (given.get("category") or UNNAMED):
        given["category"] = label
    return MaskRecord.from_json({**given, "segmentation": rle.to_coco(), "area": rle.area})
