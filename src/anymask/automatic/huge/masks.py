"""Masks of a huge image: as one window found them, and as they are in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from anymask.automatic.huge.layout import common
from anymask.automatic.huge.runs import MOST_PIXELS, PlacedMask
from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle, decode_window, encode_window
from anymask.core.upscale import Window


@dataclass(frozen=True)
class WindowMask:
    """A mask that one window found.

    mask: in the image. is_cut: it reaches a side of its window beyond which the image goes on, so that
    nothing is known of it there. score, stability, point_xy: as in `MaskRecord`, the click in image pixels.
    """

    mask: PlacedMask
    is_cut: bool
    score: float
    stability: float
    point_xy: tuple[float, float]

    def to_json(self) -> list[Any]:
        """For the journal: one line of JSON holds many of these."""
        return [
            *self.mask.window,
            self.mask.rle.counts,
            self.is_cut,
            self.score,
            self.stability,
            *self.point_xy,
        ]

    @classmethod
    def from_json(cls, value: list[Any]) -> WindowMask:
        """Read what `to_json` gave."""
        *corners, counts, is_cut, score, stability, x, y = value
        window = Window(*corners)
        return cls(PlacedMask(window, Rle(window.size_hw, counts)), is_cut, score, stability, (x, y))


def of_record(record: MaskRecord, view: Window, image_hw: tuple[int, int], margin: int) -> WindowMask | None:
    """A record of a window's own picture as a mask of the image; None if it is empty.

    margin: pixels from a side of the window within which a mask counts as cut off by it.
    """
    found = decode_window(record.rle)
    if found is None:
        return None
    own, inside = found
    height, width = own.size_hw
    rle = encode_window(inside, Window(0, height, 0, width), own.size_hw)
    window = Window(own.y0 + view.y0, own.y1 + view.y0, own.x0 + view.x0, own.x1 + view.x0)
    assert record.score is not None
    assert record.stability is not None
    assert record.point_xy is not None
    x, y = record.point_xy
    return WindowMask(
        mask=PlacedMask(window, rle),
        is_cut=any(common(window, edge) is not None for edge in open_edges(view, image_hw, margin)),
        score=record.score,
        stability=record.stability,
        point_xy=(x + view.x0, y + view.y0),
    )


def open_edges(view: Window, image_hw: tuple[int, int], margin: int) -> list[Window]:
    """Strips of `margin` pixels along the sides of a window beyond which the image goes on."""
    y0, y1, x0, x1 = view
    sides = [
        (y0 > 0, Window(y0, y0 + margin, x0, x1)),
        (y1 < image_hw[0], Window(y1 - margin, y1, x0, x1)),
        (x0 > 0, Window(y0, y1, x0, x0 + margin)),
        (x1 < image_hw[1], Window(y0, y1, x1 - margin, x1)),
    ]
    return [strip for goes_on, strip in sides if goes_on]


@dataclass(frozen=True)
class HugeRecord:
    """A mask of a huge image with what is known of it; fields as in `MaskRecord`.

    mask: its box in the image and the RLE of the box. attributes: `pieces`, of how many windows' masks it is
    made; `cut`, the share of its box's outline where it ends only because a window ends.
    """

    mask: PlacedMask
    score: float
    stability: float
    point_xy: tuple[float, float]
    crop_box: tuple[int, int, int, int]
    id: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    label: str | None = None

    @property
    def box_xywh(self) -> tuple[int, int, int, int]:
        """x, y, width, height, image pixels."""
        height, width = self.mask.window.size_hw
        return self.mask.window.x0, self.mask.window.y0, width, height

    def in_own_box(self) -> MaskRecord:
        """With the RLE of the box; everything else in the image's pixels."""
        return self._record(self.mask.rle)

    def in_image(self, image_hw: tuple[int, int]) -> MaskRecord:
        """With the RLE of the whole image. Raises FormatError for an image too large for COCO's RLE."""
        if image_hw[0] * image_hw[1] > MOST_PIXELS:
            raise FormatError(
                f"an image of {image_hw[1]} x {image_hw[0]} pixels is too large for COCO's run lengths "
                f"({MOST_PIXELS:,} pixels); write .jsonl or .geojson"
            )
        window = self.mask.window
        inside = self.mask.pixels(window)
        return self._record(encode_window(inside, window, image_hw))

    def to_json(self) -> dict[str, Any]:
        """`MaskRecord.to_json` with the RLE of the box, and "offset": x and y of the box's corner."""
        own = self.in_own_box().to_json()
        return {"id": own.pop("id"), "offset": [self.mask.window.x0, self.mask.window.y0], **own}

    def _record(self, rle: Rle) -> MaskRecord:
        return MaskRecord(
            rle=rle,
            box_xywh=self.box_xywh,
            area=rle.area,
            score=self.score,
            stability=self.stability,
            point_xy=self.point_xy,
            crop_box=self.crop_box,
            label=self.label,
            attributes=self.attributes,
            id=self.id,
        )
