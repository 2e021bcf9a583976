"""To and from `supervision.Detections` (Roboflow's supervision), which is imported only when one is made."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from anymask.core.errors import FormatError, MissingExtraError
from anymask.core.record import MaskRecord
from anymask.core.rle import encode
from anymask.formats.known import KEY, known_of, name_of, record_of

_CLASS_NAME = "class_name"


def to_supervision(records: Iterable[MaskRecord]) -> Any:
    """Records of one image as `supervision.Detections`.

    xyxy (N, 4) float32, mask (N, H, W) bool, confidence (N,) float32 where all have a score (else None),
    class_id (N,) and data["class_name"] (N,) of the labels, "object" where there is none, and
    data["anymask"] (N,) of objects: everything else that is known, so that `from_supervision` loses nothing.

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
    known = np.empty(len(listed), dtype=object)
    known[:] = [known_of(record) for record in listed]
    classes = sorted(set(names))
    scores = [record.score for record in listed]
    boxes = np.array([record.box_xywh for record in listed], np.float32)
    return supervision.Detections(
        xyxy=np.column_stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]),
        mask=np.stack([record.mask for record in listed]),
        confidence=None if None in scores else np.array(scores, np.float32),
        class_id=np.array([classes.index(name) for name in names]),
        data={_CLASS_NAME: np.array(names), KEY: known},
    )


def from_supervision(detections: Any) -> list[MaskRecord]:
    """Records of `supervision.Detections`, or of anything with its fields.

    Where masks, scores or names were changed since `to_supervision`, theirs count.

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
    data = getattr(detections, "data", None)
    data = data if isinstance(data, Mapping) else {}
    names = _column(data.get(_CLASS_NAME, detections.class_id), count)
    known = _column(data.get(KEY), count)
    return [_record(*fields) for fields in zip(masks, scores, names, known, strict=True)]


def _record(mask: Any, score: Any, name: Any, known: Any) -> MaskRecord:
    record = record_of(encode(mask), known, None if name is None else str(name))
    if score is None:
        return record
    # Scores come as float32: the one that was given stays unless it was changed.
    same = record.score is not None and np.float32(record.score) == np.float32(score)
    return record if same else replace(record, score=float(score))


def _column(values: Any, count: int) -> list[Any]:
    if values is None:
        return [None] * count
    if len(values) != count:
        raise FormatError(f"a field has {len(values)} values for {count} detections")
    return list(values)
