"""To and from `supervision.Detections` (Roboflow's supervision), which is imported only when one is made."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from anymask.core.errors import FormatError, MissingExtraError
from anymask.core.record import MaskRecord
from anymask.formats.known import UNNAMED, name_of

_CLASS_NAME = "class_name"


def to_supervision(records: Iterable[MaskRecord]) -> Any:
    """Records of one image as `supervision.Detections`.

    xyxy (N, 4) float32, mask (N, H, W) bool, confidence (N,) float32 where all have a score (else None),
    class_id (N,) and data["class_name"] (N,) of the labels, "object" where there is none.

    Raises MissingExtraError if supervision is not installed, FormatError for masks of different sizes.
    """
    try:
        supervision = importlib.import_module("supervision")
    except ImportError as error:
        raise MissingExtraError("supervision is not installed; pip install supervision") from error
    listed = list(records)
    if not listed:
        return supervision.Detections.empty()
    if len({record.image_hw for record in listed}) > 1:
        raise FormatError("masks of different sizes; Detections are about one image")
    names = [name_of(record) for record in listed]
    classes = sorted(set(names))
    scores = [record.score for record in listed]
    boxes = np.array([record.box_xywh for record in listed], np.float32)
    return supervision.Detections(
        xyxy=np.column_stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]),
        mask=np.stack([record.mask for record in listed]),
        confidence=None if None in scores else np.array(scores, np.float32),
        class_id=np.array([classes.index(name) for name in names]),
        data={_CLASS_NAME: np.array(names)},
    )


def from_supervision(detections: Any) -> list[MaskRecord]:
    """Records of `supervision.Detections`, or of anything with its fields.

    Raises FormatError if there are detections without masks, or fields do not fit together.
    """
    count = len(detections)
    if count == 0:
        return []
    if getattr(detections, "mask", None) is None:
        raise FormatError("the detections have boxes and no masks; masks are needed")
    masks = np.asarray(detections.mask)
    if masks.ndim != 3 or len(masks) != count:
        raise FormatError(f"masks have shape {masks.shape}; expected ({count}, height, width)")
    scores = _column(detections.confidence, count)
    names = _column(_names(detections), count)
    return [
        MaskRecord.of_mask(
            mask,
            score=None if score is None else float(score),
            label=None if name in (None, UNNAMED) else str(name),
        )
        for mask, score, name in zip(masks, scores, names, strict=True)
    ]


def _names(detections: Any) -> Any:
    data = getattr(detections, "data", None)
    if isinstance(data, Mapping) and _CLASS_NAME in data:
        return data[_CLASS_NAME]
    return detections.class_id


def _column(values: Any, count: int) -> list[Any]:
    if values is None:
        return [None] * count
    if len(values) != count:
        raise FormatError(f"a field has {len(values)} values for {count} detections")
    return list(values)
