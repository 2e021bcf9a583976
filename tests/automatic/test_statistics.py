"""What a set of masks is like: numbers against other ways of counting them, and the page of plots."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import shapely
from hypothesis import given

from anymask.automatic.statistics import HEAT_CELLS, MaskStatistics, shape_of
from anymask.automatic.statistics_page import BARS, HEIGHT, WIDTH, statistics_page
from anymask.core.record import MaskRecord
from anymask.core.rle import encode
from anymask.formats import Contents
from tests.core.strategies import masks

SVG = "{http://www.w3.org/2000/svg}"


def record(rows: slice, columns: slice, **known: object) -> MaskRecord:
    mask = np.zeros((60, 80), bool)
    mask[rows, columns] = True
    return MaskRecord.of_mask(mask, **known)


SMALL = record(slice(0, 10), slice(0, 20), score=0.5, label="cat")
LARGE = record(slice(20, 60), slice(20, 80), stability=0.75, label="dog")
EMPTY = record(slice(0, 0), slice(0, 0), label="dog")
IMAGES = [
    Contents((SMALL, LARGE, EMPTY), (60, 80), "a.jpg"),
    Contents((), (7, 9), "b.jpg"),
    Contents((SMALL,) * 12, (60, 80), "c.jpg"),
]


@given(mask=masks())
def test_shapes_against_shapely(mask: np.ndarray) -> None:
    shape = shape_of(encode(mask))
    if not mask.any():
        assert shape is None
        return
    assert shape is not None
    pixels = shapely.union_all([shapely.box(x, y, x + 1, y + 1) for y, x in np.argwhere(mask)])
    assert shape.concavity == pytest.approx(1 - pixels.area / pixels.convex_hull.area)
    assert shape.relative_size == pytest.approx(np.sqrt(mask.mean()))
    height, width = mask.shape
    centre = shapely.centroid(pixels) if mask.all() else None
    rows, columns = np.nonzero(mask)
    assert shape.centre_xy == pytest.approx(((columns + 0.5).mean() / width, (rows + 0.5).mean() / height))
    if centre is not None:
        assert shape.centre_xy == pytest.approx((0.5, 0.5))


def test_what_is_counted() -> None:
    found = MaskStatistics.of(iter(IMAGES))
    assert (found.images, found.masks, found.empty) == (3, 15, 1)
    assert found.masks_per_image.tolist() == [3, 0, 12]
    assert found.areas.tolist() == [200, 2400, *[200] * 12]
    assert found.count_classes() == {
        "0": 1, "1 to 10": 1, "11 to 50": 1, "51 to 100": 0, "101 to 200": 0, "over 200": 0,
    }  # fmt: skip
    assert found.size_classes() == {"small": 13, "medium": 1, "large": 0}
    assert found.labels == {"cat": 13, "dog": 2}
    assert found.centres.sum() == 14
    assert found.centres[int(5 / 60 * HEAT_CELLS), int(10 / 80 * HEAT_CELLS)] == 13
    assert found.centres[int(40 / 60 * HEAT_CELLS), int(50 / 80 * HEAT_CELLS)] == 1
    assert found.histogram(found.concavities)[0] == 1
    assert found.histogram(found.relative_sizes)[int(np.sqrt(0.5) * 25)] == pytest.approx(1 / 14)
    assert (found.scores.tolist(), found.stabilities.tolist()) == ([0.5] * 13, [0.75])


def test_json() -> None:
    value = MaskStatistics.of(IMAGES).to_json()
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert value["masks_per_image"]["mean"] == 5
    assert value["area"]["most"] == 2400
    assert value["images_without_masks"] == 1
    assert sum(value["concavity"]["histogram"]) == pytest.approx(1)


def test_nothing_has_figures_too() -> None:
    value = MaskStatistics.of([]).to_json()
    assert (value["images"], value["masks"], value["area"]["mean"]) == (0, 0, None)
    json.dumps(value, allow_nan=False)
    assert statistics_page(MaskStatistics.of([]), "nothing").to_svg().startswith(b"<svg")


def test_the_page_shows_the_figures() -> None:
    statistics = MaskStatistics.of(IMAGES)
    sketch = statistics_page(statistics, "cats & <dogs>")
    root = ET.fromstring(sketch.to_svg())
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert words[0] == "cats & <dogs>"
    assert "15 masks in 3 images" in words
    bars = [rect for rect in root.iter(f"{SVG}rect") if rect.get("fill") == "#2a78be"]
    assert len(bars) == 6 + 25 + 25
    heights = np.array([float(bar.get("height", "nan")) for bar in bars])
    shares = statistics.histogram(statistics.concavities)
    np.testing.assert_allclose(heights[31:] / heights[31:].max(), shares / shares.max(), atol=1e-4)
    pixels = sketch.to_pixels(1)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    first = bars[0 if heights[0] else 1]
    x, y = (float(first.get(key, "nan")) for key in "xy")
    assert tuple(pixels[int(y) + 5, int(x) + 5]) == BARS
