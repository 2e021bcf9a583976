"""A mask as regions that Label Studio's editor shows."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np

from anymask.core.polygons import simplify_to_iou
from anymask.core.prediction import Candidate
from anymask.formats.label_studio import encode_brush
from anymask.server.label_studio.labelling import Labelling

_MIN_IOU = 0.98
"""How well simplified outlines must agree with the mask."""

_MIN_SHARE = 0.01
"""Parts smaller than this share of the largest one are no polygon of their own."""


def regions_of(candidate: Candidate, labelling: Labelling, label: str | None) -> list[dict[str, Any]]:
    """One brush region, or a polygon for each part of the mask; nothing for an empty mask."""
    if not candidate.area:
        return []
    values = [_brush(candidate)] if labelling.is_brush else _polygons(candidate)
    named = labelling.label(label)
    labels = {} if named is None else {labelling.kind: [named]}
    height, width = candidate.frame.image_hw
    return [
        {
            "id": secrets.token_hex(5),
            "from_name": labelling.control,
            "to_name": labelling.image,
            "type": labelling.kind,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": {**value, **labels},
            "score": candidate.score,
            "readonly": False,
        }
        for value in values
    ]


def _brush(candidate: Candidate) -> dict[str, Any]:
    rle = candidate.to_record(with_stability=False).rle
    return {"format": "rle", "rle": encode_brush(rle)}


def _polygons(candidate: Candidate) -> list[dict[str, Any]]:
    """Outlines without holes, which polygons of Label Studio do not have, in percent."""
    height, width = candidate.frame.image_hw
    simple = simplify_to_iou(candidate.contours, _MIN_IOU, (height, width)).polygons
    largest = max(polygon.area for polygon in simple)
    percent = np.array([100 / width, 100 / height])
    return [
        {"points": (polygon.exterior * percent).tolist(), "closed": True}
        for polygon in simple
        if polygon.area >= _MIN_SHARE * largest
    ]
