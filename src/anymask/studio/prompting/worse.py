"""Corrections that do more harm than good.

A click on a mask says that the mask is wrong at that place. A correction that changes much of the mask
elsewhere, or turns most of it over, is seldom what the click meant; the person is told and may take it back
with one key.
"""

from __future__ import annotations

from anymask.core.masks import iou
from anymask.core.prediction import Candidate, Prediction
from anymask.predict.corrections import correct_locally

LOCAL_GAP = 0.3
"""Much worse: the overlap with the earlier mask falls so far below that of the same answer kept to the
click.
"""


def is_much_worse(
    before: Candidate, after: Candidate, click_xy: tuple[float, float], *, include: bool
) -> bool:
    """Whether a correction changed a mask far more than its click can have meant.

    before, after: the mask that was clicked and what came of it; IoUs are those of their low-resolution
    cells. True if nothing is left, or IoU(before, after) lies more than 0.3 below IoU(before, local), where
    `local` takes over only the changes of `after` that touch the click (`correct_locally`).
    """
    old, new = before.low_res_logits > before.threshold, after.low_res_logits > after.threshold
    if not new.any():
        return bool(old.any())
    local = correct_locally(before, Prediction((after,)), click_xy, include=include).best
    kept = iou(old, local.low_res_logits > local.threshold)
    return kept - iou(old, new) > LOCAL_GAP
