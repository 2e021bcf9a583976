"""Which masks of everything mode are sure enough to be kept unseen, and how much of the picture they
leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import uuid4

import numpy as np

from anymask.automatic import AutomaticState
from anymask.core.record import MaskRecord
from anymask.core.rle import decode_window
from anymask.store import NewMask


def confident(state: AutomaticState, confidence: float) -> list[MaskRecord]:
    """The records of a run whose score and stability pass its thresholds raised by `confidence`, in [0, 1],
    of what lies above them. The largest first, so that smaller objects lie on top.
    """
    settings = state.settings
    records = state.records(
        pred_iou_thresh=raised(settings.pred_iou_thresh, confidence),
        stability_score_thresh=raised(settings.stability_score_thresh, confidence),
    )
    return sorted(records, key=lambda record: -record.area)


def raised(threshold: float, confidence: float) -> float:
    """A threshold in [0, 1] moved towards 1 by the share `confidence`."""
    return threshold + confidence * (1 - threshold)


def gap_of(records: Iterable[MaskRecord], image_hw: tuple[int, int]) -> float:
    """Share of the picture that no mask covers, in [0, 1]."""
    covered = np.zeros(image_hw, np.bool_)
    for record in records:
        found = decode_window(record.rle)
        if found is not None:
            window, inside = found
            covered[window.slices] |= inside
    return 1 - float(covered.mean())


def rows_of(
    records: Sequence[MaskRecord], image_id: str, label_id: str | None, model_sha256: str
) -> list[NewMask]:
    """Locked masks without an author: nobody spent time on them."""
    return [
        NewMask(
            id=uuid4().hex,
            image_id=image_id,
            object_id=uuid4().hex,
            rle=record.rle,
            score=record.score,
            stability=record.stability,
            label_id=label_id,
            position=position,
            source="everything",
            model_sha256=model_sha256,
            locked=True,
        )
        for position, record in enumerate(records)
    ]
