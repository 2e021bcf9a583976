"""Which candidates stay: by size, by their boxes within and between crops, by their masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from anymask.automatic.candidates import Candidate
from anymask.automatic.overlaps import drop_covered, suppress_masks
from anymask.automatic.possible import Possible, best
from anymask.automatic.settings import AutomaticSettings
from anymask.automatic.suppression import suppress_overlaps
from anymask.automatic.tidy import tidy_masks, without_specks
from anymask.automatic.workers import ALONE, Workers
from anymask.core.prompt import Prompt
from anymask.core.record import MaskRecord
from anymask.predict.provenance import Origin, provenance


def select(
    crops: Iterable[Sequence[Possible]],
    settings: AutomaticSettings,
    image_hw: tuple[int, int],
    workers: Workers = ALONE,
) -> list[Candidate]:
    """The candidates that stay, by falling score; with crops those of the smallest crops first.

    crops: the masks of each crop in order of the clicks; they have passed the filter of score, and `work_out`
    applies that of stability.
    """
    candidates: list[Candidate] = []
    number_of_crops = 0
    for found in crops:
        number_of_crops += 1
        fits = partial(_has_size, settings=settings, image_hw=image_hw)
        candidates += best(found, fits, settings.box_nms_thresh)
    if number_of_crops > 1:
        sizes = [1 / one.crop.area for one in candidates]
        boxes = [one.box for one in candidates]
        candidates = [candidates[i] for i in suppress_overlaps(boxes, sizes, settings.crop_nms_thresh)]
    if settings.min_mask_region_area > 0:
        nms_thresh = max(settings.box_nms_thresh, settings.crop_nms_thresh)
        candidates = tidy_masks(candidates, settings.min_mask_region_area, nms_thresh, workers)
    if settings.tidy_share > 0:
        candidates = workers.map(partial(without_specks, share=settings.tidy_share), candidates)
    return _without_overlaps(candidates, settings)


def record_of(candidate: Candidate, origin: Origin) -> MaskRecord:
    """A candidate as a value to keep. origin: the embedding, or what else says which model and picture."""
    return MaskRecord(
        rle=candidate.rle,
        box_xywh=candidate.rle.box_xywh,
        area=candidate.area,
        score=candidate.score,
        stability=candidate.stability,
        point_xy=candidate.point_xy,
        crop_box=candidate.crop.box_xywh,
        provenance=provenance(origin, Prompt.click(*candidate.point_xy)),
    )


def _has_size(candidate: Candidate, settings: AutomaticSettings, image_hw: tuple[int, int]) -> bool:
    return settings.min_area <= candidate.area <= settings.max_area_share * image_hw[0] * image_hw[1]


def _without_overlaps(candidates: list[Candidate], settings: AutomaticSettings) -> list[Candidate]:
    """Suppression by the masks themselves; the order stays."""
    if settings.mask_nms_thresh < 1:
        scores = [one.score for one in candidates]
        kept = suppress_masks([one.rle for one in candidates], scores, settings.mask_nms_thresh)
        candidates = [candidates[i] for i in kept]
    if settings.nested != "keep":
        rles = [one.rle for one in candidates]
        larger_first = settings.nested == "whole"
        kept = drop_covered(rles, settings.containment_thresh, larger_first=larger_first)
        candidates = [candidates[i] for i in kept]
    return candidates
