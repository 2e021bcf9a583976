"""From the masks of single windows to the masks of the image: which are the same thing, and which go on.

A mask that its window cuts off is known only inside that window; a mask that is complete is known everywhere.
Two masks of different windows are the same thing if their IoU, where both are known, reaches a threshold.

1. Of complete masks that are the same thing, the one nearest to the middle of its own window stays.
2. A cut mask that is the same thing as a complete one goes.
3. Cut masks that are the same thing are pieces of one mask; the surest pairs are joined first, and a mask has
   at most one piece of each window.
4. A mask that reaches edges of windows beyond which no piece of it is known, along more than a share of its
   box's outline, goes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from anymask.automatic.huge.journal import Journal
from anymask.automatic.huge.layout import Layout, around, common
from anymask.automatic.huge.masks import HugeRecord, WindowMask, open_edges
from anymask.automatic.huge.runs import MOST_PIXELS, PlacedMask, iou_inside, union
from anymask.core.arrays import BoolArray
from anymask.core.upscale import Window


class Piece(NamedTuple):
    """A mask of the journal: which window's, and its place in the window's list."""

    window: int
    place: int


@dataclass(frozen=True)
class Part:
    """A mask of the image before it has a number: its pieces, its box, and what decides between doubles."""

    pieces: tuple[Piece, ...]
    box: Window
    area: int
    score: float


@dataclass(frozen=True)
class Seams:
    """The decisions about one journal.

    journal: complete. margin: as `masks.of_record` had it. least_iou: from which masks are the same thing.
    most_cut: share of the box's outline that may end at a window's edge.
    """

    journal: Journal
    layout: Layout
    margin: int
    least_iou: float
    most_cut: float
    _pairs: _Pairs = field(default_factory=lambda: _Pairs(), init=False, repr=False)

    def parts(self) -> list[Part]:
        """The masks of the image, sorted by the top left corner of their boxes."""
        for window in range(len(self.layout)):
            for other in self.layout.overlapping(window):
                self._compare(window, other)
        complete = self._nearest_to_centre()
        joined = [part for group in self._groups() if (part := self._joined(group)) is not None]
        parts = self._without_doubles(complete, joined)
        return sorted(parts, key=lambda part: (part.box.y0, part.box.x0, part.box, -part.score, part.pieces))

    def record(self, part: Part, number: int) -> HugeRecord:
        """A mask of the image with its number as id."""
        masks = [self._of(piece) for piece in part.pieces]
        mask = masks[0].mask if len(masks) == 1 else union([one.mask for one in masks])
        areas = np.array([one.mask.area for one in masks], np.float64)
        largest = int(np.argmax(areas))
        view = self.layout.view(part.pieces[largest].window)
        height, width = view.size_hw
        share = self._cut_share(part.box, part.pieces)
        return HugeRecord(
            mask=mask,
            score=float(np.average([one.score for one in masks], weights=areas)),
            stability=float(np.average([one.stability for one in masks], weights=areas)),
            point_xy=masks[largest].point_xy,
            crop_box=(view.x0, view.y0, width, height),
            id=number,
            attributes={"pieces": len(masks), **({"cut": round(share, 4)} if share else {})},
        )

    def mask(self, pieces: Sequence[Piece]) -> PlacedMask:
        """All pixels of the pieces."""
        masks = [self._of(piece).mask for piece in pieces]
        return masks[0] if len(masks) == 1 else union(masks)

    def _of(self, piece: Piece) -> WindowMask:
        return self.journal.masks(piece.window)[piece.place]

    def _compare(self, window: int, other: int) -> None:
        """Note which masks of two windows are the same thing."""
        ours, theirs = self.journal.masks(window), self.journal.masks(other)
        boxes = np.array([mask.mask.window for mask in theirs]).reshape(-1, 4)
        view, other_view = self.layout.view(window), self.layout.view(other)
        for place, one in enumerate(ours):
            y0, y1, x0, x1 = one.mask.window
            near = (boxes[:, 0] < y1) & (boxes[:, 1] > y0) & (boxes[:, 2] < x1) & (boxes[:, 3] > x0)
            for other_place in np.flatnonzero(near):
                two = theirs[other_place]
                region = _known_region(one, view, two, other_view)
                iou = iou_inside(one.mask, two.mask, region)
                if iou >= self.least_iou:
                    pair = Piece(window, place), Piece(other, int(other_place))
                    self._pairs.note(pair, (one.is_cut, two.is_cut), iou)

    def _nearest_to_centre(self) -> list[Part]:
        """Complete masks without those that are the same thing as one nearer to its window's middle."""
        ranked = sorted(
            (self.layout.distance_from_centre(window, mask.mask.window), -mask.score, Piece(window, place))
            for window, place, mask in self._all()
            if not mask.is_cut
        )
        gone: set[Piece] = set()
        for _, _, piece in ranked:
            if piece not in gone:
                gone |= self._pairs.doubles[piece]
        return [self._part((piece,)) for _, _, piece in ranked if piece not in gone]

    def _groups(self) -> Iterator[tuple[Piece, ...]]:
        """Cut masks that belong together; one that found no other is alone."""
        groups = {
            Piece(window, place): [Piece(window, place)]
            for window, place, mask in self._all()
            if mask.is_cut and Piece(window, place) not in self._pairs.covered
        }
        for _, one, two in sorted(self._pairs.seams):
            if one not in groups or two not in groups or groups[one] is groups[two]:
                continue
            joint = groups[one] + groups[two]
            if len({piece.window for piece in joint}) < len(joint):
                continue
            height, width = around([self._of(piece).mask.window for piece in joint]).size_hw
            if height * width <= MOST_PIXELS:
                for piece in joint:
                    groups[piece] = joint
        for piece, group in groups.items():
            if piece == min(group):
                yield tuple(sorted(group))

    def _joined(self, pieces: tuple[Piece, ...]) -> Part | None:
        part = self._part(pieces)
        return part if self._cut_share(part.box, pieces) <= self.most_cut else None

    def _part(self, pieces: tuple[Piece, ...]) -> Part:
        masks = [self._of(piece) for piece in pieces]
        areas = [one.mask.area for one in masks]
        area = areas[0] if len(masks) == 1 else self.mask(pieces).area
        score = float(np.average([one.score for one in masks], weights=areas))
        return Part(pieces, around([one.mask.window for one in masks]), area, score)

    def _cut_share(self, box: Window, pieces: Sequence[Piece]) -> float:
        """Length of the edges of windows where pieces end unknown, as a share of the outline of their box."""
        views = [self.layout.view(piece.window) for piece in pieces]
        cut = sum(
            _unknown_at(self._of(piece).mask, edge, view, views)
            for piece, view in zip(pieces, views, strict=True)
            for edge in open_edges(view, self.layout.image_hw, self.margin)
        )
        return cut / (2 * sum(box.size_hw))

    def _without_doubles(self, complete: list[Part], joined: list[Part]) -> list[Part]:
        """Of joined masks that are the same thing as another mask, the complete or better one stays."""
        kept = list(complete)
        for part in sorted(joined, key=lambda part: (-part.score, -part.area, part.pieces)):
            boxes = np.array([other.box for other in kept]).reshape(-1, 4)
            areas = np.array([other.area for other in kept])
            mask: PlacedMask | None = None
            for number in np.flatnonzero(_may_be_alike(part, boxes, areas, self.least_iou)):
                mask = mask or self.mask(part.pieces)
                if iou_inside(mask, self.mask(kept[number].pieces)) >= self.least_iou:
                    break
            else:
                kept.append(part)
        return kept

    def _all(self) -> Iterator[tuple[int, int, WindowMask]]:
        for window in range(len(self.layout)):
            for place, mask in enumerate(self.journal.masks(window)):
                yield window, place, mask


@dataclass
class _Pairs:
    """Masks of different windows that are the same thing. seams: (-IoU, one, other) of cut masks."""

    doubles: defaultdict[Piece, set[Piece]] = field(default_factory=lambda: defaultdict(set))
    covered: set[Piece] = field(default_factory=set)
    seams: list[tuple[float, Piece, Piece]] = field(default_factory=list)

    def note(self, pair: tuple[Piece, Piece], are_cut: tuple[bool, bool], iou: float) -> None:
        one, two = pair
        if all(are_cut):
            self.seams.append((-iou, one, two))
        elif any(are_cut):
            self.covered.add(one if are_cut[0] else two)
        else:
            self.doubles[one].add(two)
            self.doubles[two].add(one)


def _known_region(one: WindowMask, view: Window, two: WindowMask, other_view: Window) -> Window | None:
    """Where both masks are known; None: everywhere."""
    if one.is_cut and two.is_cut:
        return common(view, other_view)
    return view if one.is_cut else other_view if two.is_cut else None


def _unknown_at(piece: PlacedMask, edge: Window, view: Window, views: Sequence[Window]) -> int:
    """Pixels along an edge of a window that a piece reaches, and beyond which no window of `views` sees."""
    reaches = np.any(piece.pixels(edge), axis=0 if _is_level(edge, view) else 1)
    beyond = _beyond(edge, view)
    for other in views:
        seen = common(beyond, other)
        if seen is None:
            continue
        if _is_level(edge, view) and seen.size_hw[0] == beyond.size_hw[0]:
            reaches[seen.x0 - edge.x0 : seen.x1 - edge.x0] = False
        elif not _is_level(edge, view) and seen.size_hw[1] == beyond.size_hw[1]:
            reaches[seen.y0 - edge.y0 : seen.y1 - edge.y0] = False
    return int(np.count_nonzero(reaches))


def _is_level(edge: Window, view: Window) -> bool:
    """Whether it is the upper or lower edge of the window."""
    return edge.size_hw[1] == view.size_hw[1]


def _beyond(edge: Window, view: Window) -> Window:
    """The strip as wide as the edge on its other side, outside the window."""
    height, width = edge.size_hw
    if _is_level(edge, view):
        shift = height if edge.y0 > view.y0 else -height
        return edge._replace(y0=edge.y0 + shift, y1=edge.y1 + shift)
    shift = width if edge.x0 > view.x0 else -width
    return edge._replace(x0=edge.x0 + shift, x1=edge.x1 + shift)


def _may_be_alike(part: Part, boxes: np.ndarray, areas: np.ndarray, least_iou: float) -> BoolArray:
    """Masks whose boxes and areas leave an IoU of `least_iou` with the part's possible."""
    y0, y1, x0, x1 = boxes.T
    height = np.minimum(y1, part.box.y1) - np.maximum(y0, part.box.y0)
    width = np.minimum(x1, part.box.x1) - np.maximum(x0, part.box.x0)
    most = np.minimum(np.minimum(areas, part.area), np.maximum(height, 0) * np.maximum(width, 0))
    alike: BoolArray = most >= least_iou * np.maximum(np.maximum(areas, part.area), 1)
    return alike
