"""`MaskStatistics` as one page of plots, arranged as figures 5 and 6 of arXiv 2304.02643."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anymask.automatic.statistics import HEAT_CELLS, MaskStatistics
from anymask.core.arrays import Float64Array
from anymask.core.sketch import Colour, Sketch

WIDTH, HEIGHT = 960, 720
INK: Colour = (38, 43, 51)
QUIET: Colour = (108, 117, 130)
GRID: Colour = (226, 230, 235)
BARS: Colour = (42, 120, 190)
_RAMP = ((247, 250, 253), (190, 218, 238), (106, 174, 214), (32, 113, 181), (8, 48, 107))
_MARGIN = 56
_TOP = 96


@dataclass(frozen=True)
class Panel:
    """Where one plot's own area lies on the page."""

    x: float
    y: float
    width: float
    height: float


def statistics_page(statistics: MaskStatistics, title: str) -> Sketch:
    """Four plots: masks per image, relative size, concavity, centres.

    title: what was counted, a few words.
    """
    sketch = Sketch(WIDTH, HEIGHT)
    sketch.words(_MARGIN, 40, title, size=20, colour=INK)
    total = f"{statistics.masks:,} masks in {statistics.images:,} images"
    sketch.words(_MARGIN, 62, total, size=13, colour=QUIET)
    upper_left, upper_right, lower_left, lower_right = _panels()
    classes = statistics.count_classes()
    images = max(statistics.images, 1)
    _bars(
        sketch,
        upper_left,
        "Masks per image",
        "share of images",
        [count / images for count in classes.values()],
        list(classes),
    )
    ends = ["0", *[""] * 4, "0.2", *[""] * 4, "0.4", *[""] * 4, "0.6", *[""] * 4, "0.8", *[""] * 4]
    for panel, name, values in (
        (upper_right, "Relative size: square root of mask area by image area", statistics.relative_sizes),
        (lower_left, "Concavity: 1 - mask area by area of its convex hull", statistics.concavities),
    ):
        _bars(sketch, panel, name, "share of masks", statistics.histogram(values), ends, at_edges=True)
    _heat(sketch, lower_right, statistics)
    return sketch


def _panels() -> list[Panel]:
    width, height = (WIDTH - 3 * _MARGIN) / 2, (HEIGHT - _TOP - 3 * 40) / 2 - 12
    rows = (_TOP + 28, _TOP + 28 + height + 76)
    return [Panel(x, y, width, height) for y in rows for x in (_MARGIN, 2 * _MARGIN + width)]


def _bars(
    sketch: Sketch,
    panel: Panel,
    title: str,
    measure: str,
    shares: Sequence[float] | Float64Array,
    names: Sequence[str],
    *,
    at_edges: bool = False,
) -> None:
    """Bars of shares. names: one under each bar, or with `at_edges` at its left edge."""
    top = _round_up(max(shares, default=0))
    _head(sketch, panel, title, measure)
    for step in range(5):
        y = panel.y + panel.height * (1 - step / 4)
        sketch.line(panel.x, y, panel.x + panel.width, y, GRID)
        label = f"{100 * top * step / 4:.3g} %"
        sketch.words(panel.x - 8, y + 4, label, size=11, colour=QUIET, anchor="end")
    slot = panel.width / len(names)
    gap = min(0.15 * slot, 8)
    for number, (share, name) in enumerate(zip(shares, names, strict=True)):
        tall = panel.height * share / top
        left = panel.x + number * slot
        sketch.rectangle(left + gap / 2, panel.y + panel.height - tall, slot - gap, tall, BARS)
        if name:
            middle = left if at_edges else left + slot / 2
            foot = panel.y + panel.height + 18
            sketch.words(middle, foot, name, size=11, colour=QUIET, anchor="middle")
    if at_edges:
        end = panel.x + panel.width
        sketch.words(end, panel.y + panel.height + 18, "1", size=11, colour=QUIET, anchor="middle")
    foot = panel.y + panel.height
    sketch.line(panel.x, foot, panel.x + panel.width, foot, QUIET)


def _heat(sketch: Sketch, panel: Panel, statistics: MaskStatistics) -> None:
    _head(sketch, panel, "Centres of the masks, image stretched to a square", "")
    side = panel.height
    left = panel.x + (panel.width - side) / 2
    most = max(int(statistics.centres.max()), 1)
    cell = side / HEAT_CELLS
    for row, counts in enumerate(statistics.centres):
        for column, count in enumerate(counts):
            place = left + column * cell, panel.y + row * cell
            sketch.rectangle(*place, cell, cell, _ramp(int(count) / most))
    for x0, y0, x1, y1 in ((0, 0, 1, 0), (1, 0, 1, 1), (1, 1, 0, 1), (0, 1, 0, 0)):
        ends = left + side * x0, panel.y + side * y0, left + side * x1, panel.y + side * y1
        sketch.line(*ends, QUIET)
    scale_x, tall = left + side + 20, side / 24
    for step in range(24):
        sketch.rectangle(scale_x, panel.y + side - (step + 1) * tall, 14, tall, _ramp((step + 0.5) / 24))
    sketch.words(scale_x + 20, panel.y + 10, f"{most:,}", size=11, colour=QUIET)
    sketch.words(scale_x + 20, panel.y + side, "0", size=11, colour=QUIET)
    sketch.words(scale_x, panel.y + side + 18, "masks", size=11, colour=QUIET)


def _head(sketch: Sketch, panel: Panel, title: str, measure: str) -> None:
    sketch.words(panel.x, panel.y - 26, title, size=14, colour=INK)
    sketch.words(panel.x, panel.y - 9, measure, size=11, colour=QUIET)


def _round_up(value: float) -> float:
    """The next number that divides well into four steps, at most 1."""
    if value <= 0:
        return 1.0
    power = 10 ** np.floor(np.log10(value))
    for step in (1, 2, 4, 6, 8, 10):
        if value <= step * power * (1 + 1e-9):
            return min(float(step * power), 1.0)
    return 1.0


def _ramp(share: float) -> Colour:
    """Light to dark blue; equal steps of `share` look like equal steps."""
    stops = np.linspace(0, 1, len(_RAMP))
    red, green, blue = (round(float(np.interp(share, stops, one))) for one in zip(*_RAMP, strict=True))
    return red, green, blue
