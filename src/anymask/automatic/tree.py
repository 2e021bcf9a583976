"""Whole, part, part of a part: which mask lies in which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from anymask.automatic.overlaps import containment
from anymask.core.errors import InputError
from anymask.core.record import MaskRecord


def with_parents(records: Sequence[MaskRecord], share: float = 0.9) -> list[MaskRecord]:
    """The records with ids and, where one lies in another, the other's id as `parent`; order stays.

    A mask's parent is the smallest mask that has more pixels and holds at least `share` of it. Ids stay where
    every record has one of its own; else they are 1, 2, ... in the given order.
    Raises InputError for a share outside (0, 1] or masks of different images.
    """
    if not 0 < share <= 1:
        raise InputError(f"share is {share!r}; give a share above 0, up to 1")
    check_one_image(records)
    identified = with_ids(records)
    inside = containment([record.rle for record in identified])
    areas = np.array([record.area for record in identified], np.int64)
    tree = []
    for i, record in enumerate(identified):
        holders = np.flatnonzero((areas > areas[i]) & (inside[i] >= share))
        parent = identified[holders[np.argmin(areas[holders])]].id if holders.size else None
        tree.append(replace(record, parent=parent))
    return tree


def with_ids(records: Sequence[MaskRecord]) -> list[MaskRecord]:
    """The records as they are if every one has an id of its own, else numbered from 1."""
    ids = {record.id for record in records}
    if None not in ids and len(ids) == len(records):
        return list(records)
    return [replace(record, id=number) for number, record in enumerate(records, 1)]


def check_one_image(records: Sequence[MaskRecord]) -> None:
    """Raise InputError unless all masks have one size."""
    sizes = {record.image_hw for record in records}
    if len(sizes) > 1:
        raise InputError(f"masks have the sizes {sorted(sizes)}; give those of one image")
