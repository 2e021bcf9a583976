"""What a format does not hold, counted on the masks at hand, so that nothing gets lost in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anymask.core.record import MaskRecord

if TYPE_CHECKING:
    from anymask.formats.contents import Contents

_NAMES: dict[str, tuple[str, Callable[[MaskRecord], bool]]] = {
    "label": ("labels", lambda record: record.label is not None),
    "score": ("scores", lambda record: record.score is not None),
    "stability": ("stability scores", lambda record: record.stability is not None),
    "point_xy": ("clicks", lambda record: record.point_xy is not None),
    "crop_box": ("crop boxes", lambda record: record.crop_box is not None),
    "attributes": ("attributes", lambda record: bool(record.attributes)),
    "provenance": ("provenance", lambda record: bool(record.provenance)),
    "parent": ("parents", lambda record: record.parent is not None),
    "id": ("ids", lambda record: record.id is not None),
    "box_xywh": ("boxes that are not the mask's own", lambda record: record.box_xywh != record.rle.box_xywh),
}

EVERYTHING = frozenset(_NAMES)
"""All fields of a record beside the mask itself."""


@dataclass(frozen=True)
class Loss:
    """One kind of thing that did not go along.

    what: in words, plural. count: how many masks (or shapes) are concerned. pixels: how many pixels, where
    pixels are what is lost.
    """

    what: str
    count: int
    pixels: int = 0

    def __str__(self) -> str:
        return f"{self.what}: {self.count}" + (f" ({self.pixels} pixels)" if self.pixels else "")


@dataclass(frozen=True)
class Keeps:
    """What a format holds of a record beside its mask.

    fields: names of `MaskRecord`'s fields, of `EVERYTHING`.
    whole_ids: ids that are text are lost. most_id: masks are numbered up to this, and ids stay where
        `numbering` takes them all.
    text_attributes: attributes become text.
    overlap: a pixel may belong to several masks; without it the smaller mask is on top.
    empty: a mask without a pixel stays.
    """

    fields: frozenset[str] = EVERYTHING
    whole_ids: bool = False
    most_id: int | None = None
    text_attributes: bool = False
    overlap: bool = True
    empty: bool = True


def losses_of(images: Iterable[Contents], keeps: Keeps) -> tuple[Loss, ...]:
    """What a format that keeps only this loses of these images."""
    found: list[Loss] = []
    for image in images:
        kept = [record for record in image.records if record.area or keeps.empty]
        found += _count("empty masks", len(image.records) - len(kept))
        for field in sorted(EVERYTHING - keeps.fields):
            what, is_given = _NAMES[field]
            found += _count(what, sum(map(is_given, kept)))
        if keeps.whole_ids:
            found += _count("ids that are text", sum(isinstance(record.id, str) for record in kept))
        if keeps.most_id is not None and not _are_numbers(kept, keeps.most_id):
            found += _count("ids", sum(record.id is not None for record in kept))
        if keeps.text_attributes:
            found += _count("attributes turned into text", sum(map(_has_values, kept)))
        if not keeps.overlap:
            found += _covered(image)
    return merged(found)


def merged(losses: Iterable[Loss]) -> tuple[Loss, ...]:
    """Losses of the same kind as one, in the order in which they came first."""
    total: dict[str, Loss] = {}
    for loss in losses:
        before = total.get(loss.what, Loss(loss.what, 0))
        total[loss.what] = Loss(loss.what, before.count + loss.count, before.pixels + loss.pixels)
    return tuple(total.values())


def numbering(records: Sequence[MaskRecord], most: int | None = None) -> list[int]:
    """The records' own ids where all have different whole numbers from 1 to `most`, else 1, 2, 3 ..."""
    if _are_numbers(records, most):
        return [record.id for record in records if isinstance(record.id, int)]
    return list(range(1, len(records) + 1))


def _are_numbers(records: Sequence[MaskRecord], most: int | None) -> bool:
    ids = [r.id for r in records if isinstance(r.id, int) and 1 <= r.id <= (r.id if most is None else most)]
    return len(set(ids)) == len(records)


def _count(what: str, count: int) -> Sequence[Loss]:
    return [Loss(what, count)] if count else []


def _has_values(record: MaskRecord) -> bool:
    return any(not isinstance(value, str) for value in record.attributes.values())


def _covered(image: Contents) -> list[Loss]:
    from anymask.formats.label_map import visible_areas

    hidden = [r.area - seen for r, seen in zip(image.records, visible_areas(image), strict=True)]
    gone = sum(h == r.area > 0 for r, h in zip(image.records, hidden, strict=True))
    partly = sum(h > 0 for h in hidden) - gone
    pixels = sum(h for r, h in zip(image.records, hidden, strict=True) if h < r.area)
    found = [Loss("masks partly under smaller ones", partly, pixels)] if partly else []
    return found + ([Loss("masks wholly under others", gone)] if gone else [])
