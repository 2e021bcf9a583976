"""Mask algebra as the server does it, against the definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anymask.core.errors import InputError
from anymask.core.rle import Rle, decode, encode
from anymask.studio.editing.operations import edited, outlined
from anymask.studio.editing.schemas import EditRequest, PolygonsRequest
from anymask.studio.prompting.schemas import WindowMask

SIZE = (40, 50)


def sent(mask: np.ndarray) -> WindowMask:
    return WindowMask(size=list(mask.shape), counts=encode(mask).counts)


def received(answer: dict[str, Any]) -> np.ndarray:
    mask = decode(Rle.from_coco(answer["rle"]))
    assert answer.get("area", mask.sum()) == mask.sum()
    return mask


def block(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[rows, columns] = True
    return mask


ONE, OTHER = block(slice(5, 20), slice(5, 25)), block(slice(10, 30), slice(15, 45))


@pytest.mark.parametrize(
    ("operation", "expected"),
    [("union", ONE | OTHER), ("intersect", ONE & OTHER), ("subtract", ONE & ~OTHER)],
)
def test_set_operations(operation: Any, expected: np.ndarray) -> None:
    answer = edited(EditRequest(operation=operation, masks=[sent(ONE), sent(OTHER)]), SIZE)
    assert (received(answer) == expected).all()
    assert answer["error"] == 0
    assert answer["polygons"] is None


def test_holes_and_islands() -> None:
    mask = ONE.copy()
    mask[10:12, 10:12] = False  # a hole of 4 pixels
    mask[7, 20] = False  # and one of 1
    mask[35, 40] = True  # an island
    filled = received(edited(EditRequest(operation="fill_holes", masks=[sent(mask)]), SIZE))
    assert filled[10, 10]
    assert filled[7, 20]
    small = received(edited(EditRequest(operation="fill_holes", masks=[sent(mask)], area=2), SIZE))
    assert not small[10, 10]
    assert small[7, 20]
    alone = received(edited(EditRequest(operation="remove_islands", masks=[sent(mask)]), SIZE))
    assert not alone[35, 40]
    kept = received(edited(EditRequest(operation="remove_islands", masks=[sent(mask)], area=1), SIZE))
    assert kept[35, 40]


def test_simplifying_tells_what_it_costs() -> None:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    disc = (rows - 20) ** 2 + (columns - 25) ** 2 < 15**2
    answer = edited(EditRequest(operation="simplify", masks=[sent(disc)], tolerance=2), SIZE)
    simple = received(answer)
    assert 0 < answer["error"] < 0.15
    assert answer["error"] == pytest.approx(1 - (simple & disc).sum() / (simple | disc).sum())
    back = edited(EditRequest(operation="polygon", polygons=answer["polygons"]), SIZE)
    assert (received(back) == simple).all()
    exact = edited(EditRequest(operation="simplify", masks=[sent(disc)], tolerance=0), SIZE)
    assert exact["error"] == 0


def test_polygons_and_back_lose_nothing() -> None:
    mask = ONE.copy()
    mask[10:15, 10:15] = False
    outlines = outlined(PolygonsRequest(mask=sent(mask)), SIZE)
    assert outlines["iou"] == 1
    assert [len(part["holes"]) for part in outlines["polygons"]] == [1]
    back = outlined(PolygonsRequest(polygons=outlines["polygons"]), SIZE)
    assert (received(back) == mask).all()
    assert back["vertices"] == outlines["vertices"]


@pytest.mark.parametrize(
    "asked",
    [
        EditRequest(operation="union", masks=[sent(ONE)]),
        EditRequest(operation="simplify"),
        EditRequest(operation="polygon"),
    ],
)
def test_operations_without_enough_to_work_on_are_refused(asked: EditRequest) -> None:
    with pytest.raises(InputError, match="give at least"):
        edited(asked, SIZE)


@pytest.mark.parametrize("asked", [PolygonsRequest(), PolygonsRequest(mask=sent(ONE), polygons=[])])
def test_polygons_need_one_of_both(asked: PolygonsRequest) -> None:
    with pytest.raises(InputError, match="give either"):
        outlined(asked, SIZE)
