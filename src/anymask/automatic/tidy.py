"""Small holes and islands of finished masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from anymask.automatic.candidates import Candidate, InclusiveBox
from anymask.automatic.suppression import suppress_overlaps
from anymask.automatic.workers import ALONE, Workers
from anymask.core.masks import mask_area, mask_box
from anymask.core.regions import remove_small_regions, remove_specks
from anymask.core.rle import decode, decode_window, encode, encode_window
from anymask.core.upscale import Window


def tidy_masks(
    candidates: Sequence[Candidate], min_area: float, nms_thresh: float, workers: Workers = ALONE
) -> list[Candidate]:
    """Masks without holes and islands below `min_area` pixels, and without the duplicates this makes.

    Of two masks whose boxes now overlap by more than `nms_thresh`, one that needed no repair stays.
    """
    tidied = workers.map(partial(_tidy, min_area=min_area), candidates)
    scores = np.array([not repaired for _, repaired in tidied], np.float32)
    kept = suppress_overlaps([candidate.box for candidate, _ in tidied], scores, nms_thresh)
    return [tidied[i][0] for i in kept]


def without_specks(candidate: Candidate, share: float) -> Candidate:
    """The candidate, its mask as `remove_specks` leaves it; only its own part of the image is worked out."""
    found = decode_window(candidate.rle)
    if found is None:
        return candidate
    window, inside = found
    tidy = remove_specks(inside, share)
    if np.array_equal(inside, tidy):
        return candidate
    x0, y0, x1, y1 = mask_box(tidy)
    part = Window(window.y0 + y0, window.y0 + y1, window.x0 + x0, window.x0 + x1)
    rle = encode_window(np.ascontiguousarray(tidy[y0:y1, x0:x1]), part, candidate.rle.size_hw)
    return replace(candidate, rle=rle, box=InclusiveBox.of(part))


def _tidy(candidate: Candidate, min_area: float) -> tuple[Candidate, bool]:
    """The candidate, and whether it had small regions. One small island alone stays, but counts as one."""
    mask = decode(candidate.rle)
    tidy = remove_small_regions(mask, min_area)
    if np.array_equal(mask, tidy):
        return candidate, mask_area(mask) < min_area
    x0, y0, x1, y1 = mask_box(tidy)
    return replace(candidate, rle=encode(tidy), box=InclusiveBox(x0, y0, x1 - 1, y1 - 1)), True
