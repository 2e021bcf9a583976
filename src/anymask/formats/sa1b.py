"""SA-1B: a JSON per image beside the picture, singly, in folders or in tars (segment-anything's README).

`{"image": {"image_id", "width", "height", "file_name"}, "annotations": [{"id", "segmentation" (COCO RLE),
"bbox", "area", "predicted_iou", "stability_score", "crop_box", "point_coords"}]}`
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from anymask.core.record import MaskRecord
from anymask.formats import json
from anymask.formats.contents import Contents
from anymask.formats.kinds import ImageFormat
from anymask.formats.losses import Keeps
from anymask.formats.parsing import write_json

_FIELDS = frozenset({"id", "score", "stability", "point_xy", "crop_box", "box_xywh"})
_NAMES = {"segmentation", "bbox", "area", "predicted_iou", "stability_score", "crop_box", "point_coords"}


def to_bytes(contents: Contents) -> bytes:
    """The file's bytes. Masks without an id are numbered."""
    height, width = contents.image_hw
    image = {
        "image_id": _image_id(contents.image_name),
        "width": width,
        "height": height,
        "file_name": contents.image_name,
    }
    annotations = [_annotation(record, number) for number, record in enumerate(contents.records)]
    return write_json({"image": image, "annotations": annotations})


def _image_id(name: str) -> int:
    """SA-1B's pictures are called sa_<id>.jpg; others have no id to tell."""
    found = re.fullmatch(r"sa_(\d{1,9})", PurePosixPath(name).stem)
    return int(found[1]) if found else 0


def _annotation(record: MaskRecord, number: int) -> dict[str, Any]:
    own = record.to_json()
    kept = {name: own[name] for name in sorted(_NAMES) if name in own}
    return {"id": record.id if isinstance(record.id, int) else number, **kept}


FORMAT = ImageFormat(
    "sa1b",
    "SA-1B, a JSON per image",
    ".json",
    Keeps(_FIELDS, whole_ids=True),
    to_bytes,
    json.from_bytes,
)
