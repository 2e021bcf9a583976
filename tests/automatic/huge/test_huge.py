"""Everything mode window by window: what a look at the whole would find, wherever the windows lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anymask.automatic.huge import HugeMasks, HugeSettings, everything_huge
from anymask.automatic.huge.label_map import painted
from anymask.core.upscale import Window
from tests.automatic.huge.field import Boxes, field, region_model, save_png, scattered

SIZE = (230, 300)
LARGE: Boxes = {(20, 40, 30, 250), (60, 210, 10, 28), (100, 180, 60, 170)}
"""Much longer than half a window."""
DENSE = {"points_per_side": 16, "stability_score_thresh": 0.5}  # a click every 4 pixels


def look(
    tmp_path: Path,
    boxes: Boxes,
    origin: tuple[int, int] = (0, 0),
    size: tuple[int, int] = SIZE,
    **settings: Any,
) -> HugeMasks:
    path = save_png(tmp_path / "field.png", field(*size, boxes))
    folder = tmp_path / f"work-{origin}"
    how = HugeSettings(window=64, origin_xy=origin)
    return everything_huge(region_model(), path, folder, how=how, **{**DENSE, **settings})


def boxes_of(masks: HugeMasks) -> Boxes:
    """The boxes, each of which must be full."""
    for mask in masks:
        assert mask.mask.area == np.prod(mask.mask.window.size_hw)
    return {tuple(box) for box in masks.boxes.tolist()}


@pytest.mark.parametrize("origin", [(0, 0), (7, 19), (31, 5)], ids=str)
def test_every_box_is_found_once(tmp_path: Path, origin: tuple[int, int]) -> None:
    ground = field(*SIZE, LARGE) == 40
    small = {
        (y0, y1, x0, x1)
        for y0, y1, x0, x1 in scattered(*SIZE, 60, 28)
        if ground[max(y0 - 2, 0) : y1 + 2, max(x0 - 2, 0) : x1 + 2].all()
    }
    assert len(small) > 15
    masks = look(tmp_path, small | LARGE, origin)
    assert len(masks) == len(small | LARGE)
    assert boxes_of(masks) == small | LARGE
    for box, mask in zip(masks.boxes.tolist(), masks, strict=True):
        assert "cut" not in mask.attributes
        assert (mask.attributes["pieces"] > 2) == (tuple(box) in LARGE)


def test_more_ids_than_eight_bits_hold(tmp_path: Path) -> None:
    boxes = {(y, y + 8, x, x + 8) for y in range(4, 220, 12) for x in range(4, 290, 12)}
    masks = look(tmp_path, boxes)
    assert len(boxes) > 400
    assert boxes_of(masks) == boxes
    labels = painted(masks, Window(0, SIZE[0], 0, SIZE[1]))
    assert set(np.unique(labels)) == set(range(len(boxes) + 1))
    assert [mask.id for mask in masks] == list(range(1, len(boxes) + 1))
    for number, (y0, y1, x0, x1) in enumerate(masks.boxes.tolist(), 1):
        assert (labels[y0:y1, x0:x1] == number).all()
