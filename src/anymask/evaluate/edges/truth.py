"""What people say about a picture's edges: their boundary maps, or the borders of their regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anymask.core.arrays import BoolArray
from anymask.evaluate.edges.scores import thinned
from anymask.evaluate.samples import Sample


@dataclass(frozen=True, eq=False)
class EdgeTruth:
    """drawings: (H, W) bool, one per person. known: (H, W) bool, where they decide; None if everywhere."""

    drawings: tuple[BoolArray, ...]
    known: BoolArray | None = None


def edge_truth(sample: Sample, tolerance: float) -> EdgeTruth | None:
    """The true edges of a sample; None if it tells nothing about them.

    tolerance: pixels within which edges match.

    A sample with boundary maps has those. One whose masks are (almost) a partition has the borders of its
    masks as a single drawing; where no mask covers the picture, nobody knows, and only what lies within the
    tolerance of a mask counts. Masks of single objects tell nothing: other things have edges as well.
    """
    if sample.boundaries:
        return EdgeTruth(sample.boundaries)
    if not sample.exhaustive or not sample.masks:
        return None
    masks = [true.mask for true in sample.masks]
    return EdgeTruth((region_borders(masks),), _near(np.any(masks, axis=0), tolerance))


def region_borders(masks: Sequence[BoolArray]) -> BoolArray:
    """The thin borders of (H, W) masks, at least one.

    A border runs between pixels; it is drawn on the left or upper one of two that differ, so that masks which
    touch share one line. The picture's own border is none.
    """
    borders = np.zeros(masks[0].shape, bool)
    for mask in masks:
        borders[:, :-1] |= mask[:, 1:] != mask[:, :-1]
        borders[:-1] |= mask[1:] != mask[:-1]
    return thinned(borders)


def _near(mask: BoolArray, distance: float) -> BoolArray:
    """Pixels no farther than `distance` pixels from the mask, (H, W) bool."""
    import cv2

    if mask.all():
        return mask
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near: BoolArray = away <= distance
    return near
