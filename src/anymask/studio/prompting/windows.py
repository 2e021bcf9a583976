"""Masks cut to their own window, so that a small mask costs little on its way."""

from __future__ import annotations

from typing import Any

import numpy as np

from anymask.core.arrays import BoolArray
from anymask.core.errors import PromptError
from anymask.core.masks import stability_of_areas
from anymask.core.prediction import STABILITY_OFFSET, Candidate
from anymask.core.rle import Rle, decode, encode
from anymask.core.upscale import Window, mask_window, tight, upscale_window
from anymask.server.answering import mask_of
from anymask.studio.prompting.schemas import WindowMask

_EMPTY = Window(0, 1, 0, 1), np.zeros((1, 1), np.bool_)


def candidate_json(candidate: Candidate, *, with_stability: bool) -> dict[str, Any]:
    """`WindowCandidate` in JSON. with_stability: takes a little longer."""
    offset = STABILITY_OFFSET if with_stability else 0.0
    inside, stability = _worked_out(candidate, offset)
    return {
        **window_json(inside),
        "predicted_iou": round(candidate.score, 4),
        "stability_score": round(stability, 4) if with_stability else None,
    }


def _worked_out(candidate: Candidate, offset: float) -> tuple[tuple[Window, BoolArray] | None, float]:
    """The mask in its tight window and its stability score, upscaled once for both.

    The same as `Candidate.inside` and `Candidate.stability`, of which nothing is kept: predictions that wait
    to be refined must not grow.
    """
    low, frame, threshold = candidate.low_res_logits, candidate.frame, candidate.threshold
    window = mask_window(low, frame, threshold - offset)
    if window is None:
        return None, 0.0
    logits = upscale_window(low, frame, window)
    strict, loose = (int(np.count_nonzero(logits > threshold + side)) for side in (offset, -offset))
    return tight(window, logits > threshold), stability_of_areas(strict, loose)


def window_json(inside: tuple[Window, BoolArray] | None) -> dict[str, Any]:
    """A mask's tight window and what is set in it, None for an empty mask, as JSON."""
    window, part = inside or _EMPTY
    height, width = part.shape
    is_empty = inside is None
    return {
        "counts": encode(part).counts,
        "size": [height, width],
        "offset": [window.x0, window.y0],
        "bbox": [window.x0, window.y0, 0 if is_empty else width, 0 if is_empty else height],
        "area": int(np.count_nonzero(part)),
    }


def pixels_of(mask: WindowMask, image_hw: tuple[int, int]) -> BoolArray:
    """(H, W) bool of a mask that was sent, whole or as a window.

    Raises PromptError if it does not fit the image, FormatError if it is damaged.
    """
    if mask.offset is None:
        return mask_of(mask, image_hw)
    (height, width), (x, y) = mask.size, mask.offset
    if y + height > image_hw[0] or x + width > image_hw[1]:
        raise PromptError(
            f"the mask's window of {width} x {height} pixels at {x}, {y} leaves the image of {image_hw[1]} x "
            f"{image_hw[0]} pixels; give a window inside it"
        )
    whole = np.zeros(image_hw, np.bool_)
    whole[y : y + height, x : x + width] = decode(Rle((height, width), mask.counts))
    return whole
