"""Connected regions of a mask: specks removed, holes filled, the largest kept.

Regions touch along edges or corners (8-connected), as in Segment Anything's post-processing
(`remove_small_regions` of segment_anything). Work is done in the mask's own box where that gives the same
result.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray
from anymask.core.errors import InputError
from anymask.core.masks import as_mask, mask_box
from anymask.core.upscale import Window

_IntArray = npt.NDArray[np.intp]

_BOX_COST = 1000  # pixels that could be set in the time that it takes to begin with a region


def remove_islands(mask: npt.ArrayLike, min_area: float) -> BoolArray:
    """(H, W) mask without its regions of fewer than `min_area` pixels; if all are smaller, the largest stays.

    Raises InputError if the mask is not two-dimensional or min_area is negative or NaN.
    """
    array = _checked(mask, min_area)
    window = _own_box(array)
    if window is None:
        return array.copy()
    regions = _label(array[window.slices])
    keep = regions.areas >= min_area
    if not keep.any():
        keep[np.argmax(regions.areas)] = True
    kept = array.copy()
    regions.paint(kept[window.slices], ~keep, False)
    return kept


def fill_holes(mask: npt.ArrayLike, max_area: float | None = None) -> BoolArray:
    """(H, W) mask with holes filled.

    max_area None: every region of the background that does not touch the image's border.
    max_area a number: every region of the background of fewer than `max_area` pixels, also at the border, as
    Segment Anything does it.

    Raises InputError if the mask is not two-dimensional or max_area is negative or NaN.
    """
    array = _checked(mask, 0 if max_area is None else max_area)
    window = _own_box(array, margin=1)
    if window is None and max_area is None:
        return array.copy()
    if window is None or (max_area is not None and _outside_may_be_small(array.shape, window, max_area)):
        window = Window(0, array.shape[0], 0, array.shape[1])
    regions = _label(~array[window.slices])
    labels, areas = regions.labels, regions.areas
    fill = np.ones(len(areas), np.bool_) if max_area is None else areas < max_area
    # The window's edge is the image's border, or background that goes on outside.
    edge = _edge_labels(labels) if max_area is None else _open_labels(labels, window, array.shape)
    fill[edge[edge > 0] - 1] = False
    filled = array.copy()
    regions.paint(filled[window.slices], fill, True)
    return filled


def remove_small_regions(mask: npt.ArrayLike, min_area: float) -> BoolArray:
    """Segment Anything's clean-up: fill holes, then remove islands, of fewer than `min_area` pixels.

    If every island is smaller, the largest stays (arXiv 2304.02643, appendix B). Raises InputError as the two
    steps.
    """
    return remove_islands(fill_holes(mask, min_area), min_area)


def remove_specks(mask: npt.ArrayLike, share: float) -> BoolArray:
    """(H, W) mask without specks: small holes filled, then small islands removed.

    share: in [0, 1]. A speck is at most this share of the largest region, and together the holes that are
        filled are at most this share of the mask, and so are the islands that go, the smallest first. So what
        is made of many like pieces, such as words, stays whole. Background at the image's border is no hole.

    Raises InputError if the mask is not two-dimensional or share is not in [0, 1].
    """
    array = as_mask(mask)
    if not 0 <= share <= 1:
        raise InputError(f"a share of {share} is not possible; give a number from 0 to 1")
    window = _own_box(array, margin=1)
    if window is None:
        return array.copy()
    tidy = array.copy()
    inside = tidy[window.slices]
    regions, background = _label(inside), _label(~inside)
    each, together = share * regions.areas.max(), share * regions.areas.sum()
    edge = _edge_labels(background.labels)
    background.areas[edge[edge > 0] - 1] = array.size  # no holes, so never small
    holes = _smallest(background.areas, each, together)
    if holes.any():
        background.paint(inside, holes, True)
        regions = _label(inside)
    islands = _smallest(regions.areas, each, together)
    islands[np.argmax(regions.areas)] = False
    regions.paint(inside, islands, False)
    return tidy


def keep_largest(mask: npt.ArrayLike) -> BoolArray:
    """(H, W) mask of the largest region alone, the topmost of several equally large. Empty stays empty."""
    return remove_islands(mask, np.inf)


def connected_regions(mask: npt.ArrayLike) -> list[BoolArray]:
    """Each region of an (H, W) mask as an (H, W) mask, the largest first."""
    array = as_mask(mask)
    window = _own_box(array)
    if window is None:
        return []
    regions = _label(array[window.slices])
    order = np.argsort(-regions.areas, kind="stable")
    return [_placed(regions.labels == region + 1, window, array.shape) for region in order]


def _checked(mask: npt.ArrayLike, area: float) -> BoolArray:
    if not area >= 0:
        raise InputError(f"an area of {area} pixels is not possible; give 0 or more")
    return as_mask(mask)


class _Regions(NamedTuple):
    """labels: (h, w) int32, 0 outside and 1.. inside. areas: (n,) pixels. boxes_xywh: (n, 4)."""

    labels: npt.NDArray[np.int32]
    areas: _IntArray
    boxes_xywh: _IntArray

    def paint(self, onto: BoolArray, chosen: BoolArray, value: bool) -> None:
        """Set the pixels of the regions that are `chosen` (n,) in `onto` (h, w)."""
        numbers = np.flatnonzero(chosen)
        boxes = self.boxes_xywh[numbers]
        if _BOX_COST * len(boxes) + (boxes[:, 2] * boxes[:, 3]).sum() > onto.size:
            onto[np.append(False, chosen)[self.labels]] = value
            return
        for number, (x, y, width, height) in zip(numbers.tolist(), boxes.tolist(), strict=True):
            place = slice(y, y + height), slice(x, x + width)
            onto[place][self.labels[place] == number + 1] = value


def _label(mask: BoolArray) -> _Regions:
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        np.ascontiguousarray(mask).view(np.uint8), connectivity=8
    )
    areas, boxes = stats[1:, cv2.CC_STAT_AREA], stats[1:, : cv2.CC_STAT_AREA]
    return _Regions(np.asarray(labels, np.int32), areas.astype(np.intp), boxes.astype(np.intp))


def _smallest(areas: _IntArray, each: float, together: float) -> BoolArray:
    """(n,) bool: the smallest areas, none above `each`, as many as are at most `together` in all."""
    order = np.argsort(areas, kind="stable")
    rising = areas[order]
    chosen = np.zeros(len(areas), np.bool_)
    chosen[order[(rising <= each) & (np.cumsum(rising) <= together)]] = True
    return chosen


def _own_box(mask: BoolArray, margin: int = 0) -> Window | None:
    x0, y0, x1, y1 = mask_box(mask)
    if x0 == x1:
        return None
    height, width = mask.shape
    return Window(max(y0 - margin, 0), min(y1 + margin, height), max(x0 - margin, 0), min(x1 + margin, width))


def _outside_may_be_small(size_hw: tuple[int, ...], window: Window, max_area: float) -> bool:
    """Whether background round the window could be a region of fewer than `max_area` pixels.

    A region that leaves the window holds the whole strip of the image beyond the side through which it
    leaves, so it is large enough if each strip that exists is.
    """
    height, width = size_hw
    beyond = (
        window.y0 * width,
        (height - window.y1) * width,
        window.x0 * height,
        (width - window.x1) * height,
    )
    return any(0 < pixels < max_area for pixels in beyond)


def _edge_labels(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])


def _open_labels(
    labels: npt.NDArray[np.int32], window: Window, size_hw: tuple[int, ...]
) -> npt.NDArray[np.int32]:
    """Labels along those sides of the window beyond which the image goes on."""
    sides = [
        (window.y0 > 0, labels[0]),
        (window.y1 < size_hw[0], labels[-1]),
        (window.x0 > 0, labels[:, 0]),
        (window.x1 < size_hw[1], labels[:, -1]),
    ]
    return np.concatenate([np.zeros(0, labels.dtype), *(side for goes_on, side in sides if goes_on)])


def _placed(part: BoolArray, window: Window, size_hw: tuple[int, ...]) -> BoolArray:
    whole = np.zeros(size_hw, np.bool_)
    whole[window.slices] = part
    return whole
