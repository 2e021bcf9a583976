"""Everything mode window by window: what a look at the whole would find, wherever the windows lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from anymask.automatic.huge import HugeMasks, HugeSettings, everything_huge, write_huge
from anymask.automatic.huge.label_map import painted
from anymask.core.errors import InputError, OutputError
from anymask.core.locks import alone_in
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


def test_a_crash_between_any_two_windows_changes_nothing(tmp_path: Path) -> None:
    path = save_png(tmp_path / "field.png", field(100, 100, {(10, 30, 10, 90), (40, 60, 40, 60)}))
    model, how = region_model(), HugeSettings(window=64)
    whole = everything_huge(model, path, tmp_path / "whole", how=how, **DENSE)
    journal = (tmp_path / "whole" / "windows.jsonl").read_bytes()
    expected = [mask.to_json() for mask in whole]
    assert len(expected) == 2
    for end in (0, 5, journal.index(b"\n") + 1, len(journal) // 2, len(journal) - 1):
        folder = tmp_path / f"cut-{end}"
        folder.mkdir()
        (folder / "windows.jsonl").write_bytes(journal[:end])
        again = everything_huge(model, path, folder, how=how, **DENSE)
        assert (folder / "windows.jsonl").read_bytes() == journal
        assert [mask.to_json() for mask in again] == expected


def test_small_masks_go_in_the_end(tmp_path: Path) -> None:
    """Pieces of a large mask may be small."""
    masks = look(tmp_path, {(20, 40, 30, 250), (60, 68, 60, 68)}, min_area=100)
    assert boxes_of(masks) == {(20, 40, 30, 250)}


def test_an_image_smaller_than_a_window(tmp_path: Path) -> None:
    masks = look(tmp_path, {(5, 20, 5, 30)}, size=(40, 64))
    assert boxes_of(masks) == {(5, 20, 5, 30)}
    assert masks[0].crop_box == (0, 0, 64, 40)


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"crop_n_layers": 1}, "windows have no crops"),
        ({"points_per_side": None, "point_grids": [[[0.5, 0.5]]]}, "points_per_side, not point_grids"),
        ({"preset": "best"}, "preset 'best' is not known"),
        ({"how": HugeSettings(window=64, halo=9)}, "other settings"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_meant(tmp_path: Path, settings: dict[str, Any], hint: str) -> None:
    path = save_png(tmp_path / "field.png", field(70, 70, {(5, 20, 5, 30)}))
    everything_huge(region_model(), path, tmp_path / "w", how=HugeSettings(window=64), points_per_side=4)
    given = {"how": HugeSettings(window=64), "points_per_side": 4, **settings}
    with pytest.raises(InputError, match=hint):
        everything_huge(region_model(), path, tmp_path / "w", **given)


@pytest.mark.parametrize(
    ("values", "hint"),
    [({"seam_iou": 0.5}, "above 0.5"), ({"most_cut": 2}, "0 to 1"), ({"window": 9}, "at least 32")],
    ids=str,
)
def test_impossible_values(values: dict[str, Any], hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        HugeSettings(**values)


def test_one_process_in_a_folder(tmp_path: Path) -> None:
    path = save_png(tmp_path / "field.png", field(70, 70, set()))
    (tmp_path / "w").mkdir()
    with alone_in(tmp_path / "w", "windows.lock"), pytest.raises(InputError, match="another run is at work"):
        everything_huge(region_model(), path, tmp_path / "w")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot make the folder"):
        everything_huge(region_model(), path, tmp_path / "file")


def test_a_label_map_on_a_disk_that_fills_up_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GDAL says nothing of what is lost while a file is closed."""
    masks = look(tmp_path, {(5, 20, 5, 30)}, size=(600, 64))
    real = rasterio.open

    @contextmanager
    def open_and_lose(place: Path, mode: str = "r", **layout: Any) -> Iterator[Any]:
        with real(place, mode, **layout) as file:
            yield file
        if mode == "w":
            place.write_bytes(place.read_bytes()[:-40])

    monkeypatch.setattr(rasterio, "open", open_and_lose)
    with pytest.raises(OutputError, match="the disk may be full"):
        write_huge(tmp_path / "m.tif", masks)
    assert not list(tmp_path.glob("*.tif"))
    monkeypatch.setattr(rasterio, "open", real)
    assert write_huge(tmp_path / "m.tif", masks) == tmp_path / "m.tif"
