"""How well people agree on an image: their masks of the same objects, matched by IoU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from anymask.store.values import Mask

SAME_OBJECT = 0.5
"""IoU from which two masks are of the same object, as in COCO and panoptic quality (arXiv 1801.00868)."""


@dataclass(frozen=True)
class Match:
    """Two people's masks of one object. iou: 0.5 to 1. same_label: whether they gave it the same label."""

    first_mask: str
    second_mask: str
    iou: float
    same_label: bool


@dataclass(frozen=True)
class Agreement:
    """Of two people on one image. first_only, second_only: masks without a counterpart."""

    first_user: str
    second_user: str
    matches: tuple[Match, ...]
    first_only: tuple[str, ...]
    second_only: tuple[str, ...]

    @property
    def mean_iou(self) -> float | None:
        """Of the matches; None without any."""
        return sum(match.iou for match in self.matches) / len(self.matches) if self.matches else None

    @property
    def f1(self) -> float:
        """2 x matches / all masks of both: 1 if both saw the same objects."""
        return 2 * len(self.matches) / (2 * len(self.matches) + len(self.first_only) + len(self.second_only))


def agreements(by_user: dict[str, Sequence[Mask]]) -> list[Agreement]:
    """All pairs of people who made masks of an image. by_user: each person's last mask of every object."""
    return [
        _agreement(first, by_user[first], second, by_user[second])
        for first, second in combinations(sorted(by_user), 2)
    ]


def _agreement(first: str, ours: Sequence[Mask], second: str, theirs: Sequence[Mask]) -> Agreement:
    matches = _match(ours, theirs)
    matched = {match.first_mask for match in matches} | {match.second_mask for match in matches}
    return Agreement(
        first,
        second,
        tuple(matches),
        tuple(mask.id for mask in ours if mask.id not in matched),
        tuple(mask.id for mask in theirs if mask.id not in matched),
    )


def _match(ours: Sequence[Mask], theirs: Sequence[Mask]) -> list[Match]:
    """Best pairs first, each mask once."""
    if not ours or not theirs:
        return []
    from pycocotools import mask as coco_mask

    ious = coco_mask.iou(
        [mask.rle.to_coco() for mask in theirs], [mask.rle.to_coco() for mask in ours], [0] * len(ours)
    )
    pairs = sorted(
        ((float(iou), i, j) for j, row in enumerate(ious) for i, iou in enumerate(row) if iou >= SAME_OBJECT),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    matches: list[Match] = []
    taken_ours, taken_theirs = set[int](), set[int]()
    for iou, i, j in pairs:
        if i not in taken_ours and j not in taken_theirs:
            taken_ours.add(i)
            taken_theirs.add(j)
            same_label = ours[i].label_id == theirs[j].label_id
            matches.append(Match(ours[i].id, theirs[j].id, iou, same_label))
    return matches
