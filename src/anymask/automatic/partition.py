"""Masks that overlap made into parts that do not: every pixel has one owner, or none."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from anymask.automatic.overlaps import containment
from anymask.automatic.tree import check_one_image, with_ids
from anymask.core.arrays import AnyArray, BoolArray, UInt8Array, sealed
from anymask.core.errors import InputError
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle, decode_window
from anymask.formats.label_map import masks_by_value

Gaps = Literal["leave", "fill"]
_NESTED_FROM = 0.9  # share of a mask inside a larger one from which it counts as a part of it
_MOST_COLOURS = 256**3 - 1


@dataclass(frozen=True, eq=False)
class Partition:
    """One owner per pixel.

    labels: (H, W) uint8, uint16 or uint32 (the smallest that fits), read-only: the owner's `id`, 0 for none.
    records: the owners in the given order, each with the pixels that are its own and the id of `labels`;
        masks that own no pixel are not among them.
    cover: share of the image that has an owner, in [0, 1].
    """

    labels: AnyArray
    records: tuple[MaskRecord, ...]
    cover: float

    def panoptic(self) -> UInt8Array:
        """(H, W, 3) uint8: the id as red + 256 green + 65536 blue, as in COCO's panoptic PNGs."""
        ids = self.labels.astype(np.uint32)
        return np.stack([(ids >> shift & 255).astype(np.uint8) for shift in (0, 8, 16)], axis=-1)


def partition(
    records: Sequence[MaskRecord], *, image_hw: tuple[int, int] | None = None, gaps: Gaps = "leave"
) -> Partition:
    """Give every pixel of the masks to one of them.

    Where masks overlap, the inner one of nested masks owns the pixel (at least 0.9 of it lies in the other,
    which is larger); of others the one with the better score, then the smaller one, then the earlier one.
    Against third masks, a part ranks no lower than its whole.
    gaps: "leave" pixels in no mask without owner, or "fill" them with the nearest owner.
    image_hw: height and width, needed only where there are no masks.

    Ids stay where all are different whole numbers from 1; else they are the places in the list, from 1.
    Raises InputError for masks of different images, no masks and no size, or unknown `gaps`.
    """
    if gaps not in get_args(Gaps):
        raise InputError(f"gaps is {gaps!r}; give one of {', '.join(get_args(Gaps))}")
    check_one_image([*records])
    size = records[0].image_hw if records else image_hw
    if size is None or (image_hw is not None and tuple(image_hw) != size):
        raise InputError(f"image_hw is {image_hw}, masks have {size}; give the height and width of the image")
    numbered = _numbered(records)
    ids = np.array([record.id for record in numbered], np.int64)
    labels = np.zeros(size, np.min_scalar_type(int(ids.max(initial=0))))
    for i in _painting_order(numbered):
        found = decode_window(numbered[i].rle)
        if found is not None:
            labels[found[0].slices][found[1]] = ids[i]
    if gaps == "fill" and labels.any():
        labels = _filled(labels)
    own = masks_by_value(labels)
    owners = tuple(
        _owner(record, own[i]) for record, i in zip(numbered, ids.tolist(), strict=True) if i in own
    )
    return Partition(sealed(labels), owners, float(np.count_nonzero(labels) / labels.size))


def _numbered(records: Sequence[MaskRecord]) -> list[MaskRecord]:
    whole = all(isinstance(record.id, int) and 1 <= record.id <= _MOST_COLOURS for record in records)
    return with_ids(records if whole else [replace(record, id=None) for record in records])


def _painting_order(records: Sequence[MaskRecord]) -> list[int]:
    """Whatever is painted later owns the pixel: the outer before the inner, then by rising rank."""
    areas = np.array([record.area for record in records], np.int64)
    in_other = containment([record.rle for record in records]) >= _NESTED_FROM
    inner_of = in_other & (areas[:, None] < areas[None])
    waiting_for = inner_of.sum(axis=1)
    ranks = [(record.score or 0.0, -record.area, -i, i) for i, record in enumerate(records)]
    ready = [rank for rank, count in zip(ranks, waiting_for, strict=True) if count == 0]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        outer = heapq.heappop(ready)[-1]
        order.append(outer)
        for inner in np.flatnonzero(inner_of[:, outer]):
            waiting_for[inner] -= 1
            if waiting_for[inner] == 0:
                heapq.heappush(ready, ranks[inner])
    return order


def _filled(labels: AnyArray) -> AnyArray:
    import cv2

    free: BoolArray = labels == 0
    _, nearest = cv2.distanceTransformWithLabels(
        np.ascontiguousarray(free).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owner_of = np.zeros(int(nearest.max()) + 1, labels.dtype)
    owner_of[nearest[~free]] = labels[~free]
    filled: AnyArray = owner_of[nearest]
    return filled


def _owner(record: MaskRecord, rle: Rle) -> MaskRecord:
    return replace(record, rle=rle, box_xywh=rle.box_xywh, area=rle.area)
