"""Which masks a page shows as pictures, and the pictures: prompt, true outline, found outline."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from anymask.core.arrays import BoolArray, UInt8Array
from anymask.core.errors import FormatError
from anymask.core.masks import mask_box, union
from anymask.core.polygons import mask_to_polygons, simplify
from anymask.core.rle import Rle, decode
from anymask.evaluate.page.markup import Markup, tag
from anymask.evaluate.report import Outcome
from anymask.evaluate.samples import Problems, Sample, SampleSource

PER_GROUP = 6
_CANVAS_WH = (200.0, 150.0)  # about as large as a page shows it
_MARGIN = 0.3  # of the object's box, on each side
_LEAST = 72  # pixels of the picture across a view: less would be all blocks
_QUALITY = 74
_DENSITY = 2.2  # stored pixels per unit of the canvas, for screens with fine pixels


class View(NamedTuple):
    """A window of a picture, x0 <= x < x1 and y0 <= y < y1 in its pixels."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True, eq=False)
class Shown:
    """A mask to be shown: what was to be found, what was found, and how it was pointed at."""

    picture: UInt8Array
    true: BoolArray
    found: BoolArray
    point_xy: tuple[float, float] | None
    box_xyxy: tuple[float, float, float, float] | None


def pick(
    outcomes: Sequence[Outcome], rank: Callable[[Outcome], float], count: int = PER_GROUP
) -> list[Outcome]:
    """The `count` outcomes of lowest rank, each of another source while there are enough of them.

    Equal ranks go by key and number, so that the same outcomes always give the same choice.
    """
    ordered = sorted(outcomes, key=lambda o: (rank(o), o.key, o.number))
    first_of_source = list({o.source: o for o in reversed(ordered)}.values())
    first_of_source.sort(key=lambda o: (rank(o), o.key, o.number))
    chosen = first_of_source[:count]
    taken = {(o.key, o.number) for o in chosen}
    chosen += [o for o in ordered if (o.key, o.number) not in taken][: count - len(chosen)]
    return sorted(chosen, key=lambda o: (rank(o), o.key, o.number))


def extremes(outcomes: Sequence[Outcome], figure: str) -> dict[str, list[Outcome]]:
    """The worst, median and best outcomes by a figure; an outcome is shown once."""
    rows = [o for o in outcomes if figure in o.figures]
    if not rows:
        return {}
    middle = float(np.median([o.figures[figure] for o in rows]))
    ranks: dict[str, Callable[[Outcome], float]] = {
        "Best": lambda o: -o.figures[figure],
        "Median": lambda o: abs(o.figures[figure] - middle),
        "Worst": lambda o: o.figures[figure],
    }
    found: dict[str, list[Outcome]] = {}
    for name, rank in ranks.items():
        shown = {id(o) for group in found.values() for o in group}
        found[name] = pick([o for o in rows if id(o) not in shown], rank)
    return {name: group for name, group in found.items() if group}


def read_samples(data: SampleSource, keys: Iterable[str]) -> dict[str, Sample]:
    """The samples with these keys; pictures that are not asked for are not decoded.

    Raises FormatError if the data does not have one of them, or it cannot be read.
    """
    wanted = frozenset(keys)
    found: dict[str, Sample] = {}
    if not wanted:
        return found
    for sample in data.samples(Problems("skip"), done=_AllBut(wanted)):
        found[sample.key] = sample
        if len(found) == len(wanted):
            return found
    missing = min(wanted - found.keys())
    raise FormatError(
        f"'{data.name}' has no readable picture '{missing}'; give the data that the report is of"
    )


def shown(outcome: Outcome, samples: Mapping[str, Sample], *, prompt: str = "click") -> Shown | None:
    """What to draw of an outcome, for its first click or its "box"; None if something is missing.

    Raises FormatError if the data has another picture under the outcome's key.
    """
    sample = samples.get(outcome.key)
    counts = outcome.box_rle if prompt == "box" else outcome.click_rle
    if sample is None or counts is None:
        return None
    if sample.picture.image_hw != outcome.image_hw or outcome.number >= len(sample.masks):
        raise FormatError(f"{outcome.key} is another picture than the report was made on; give the same data")
    found = decode(Rle(outcome.image_hw, counts))
    point, box = (None, outcome.box_xyxy) if prompt == "box" else (outcome.point_xy, None)
    return Shown(sample.picture.pixels, sample.masks[outcome.number].mask, found, point, box)


def drawing(case: Shown, about: str, view: View | None = None) -> Markup:
    """The case as inline SVG: the picture round the object as WebP, outlines and prompt over it.

    view: the part of the picture; `window` of the case if not given.
    """
    view = view or window(case)
    width, height = view.x1 - view.x0, view.y1 - view.y0
    scale = min(_CANVAS_WH[0] / width, _CANVAS_WH[1] / height)
    left, top = (_CANVAS_WH[0] - width * scale) / 2, (_CANVAS_WH[1] - height * scale) / 2
    true, found = (_outline(m, view, scale, left, top) for m in (case.true, case.found))
    image = tag(
        "image",
        href=_data_uri(case.picture[view.y0 : view.y1, view.x0 : view.x1], _DENSITY * scale),
        x=f"{left:.1f}",
        y=f"{top:.1f}",
        width=f"{width * scale:.1f}",
        height=f"{height * scale:.1f}",
        preserveAspectRatio="none",
    )
    outlines = (
        tag("path", class_=c, d=d)
        for c, d in (("edge", true), ("true", true), ("edge", found), ("found", found))
        if d
    )
    size = f"0 0 {_CANVAS_WH[0]:g} {_CANVAS_WH[1]:g}"
    return tag(
        "svg",
        image,
        *outlines,
        _prompt(case, view, scale, left, top),
        viewBox=size,
        role="img",
        aria_label=about,
    )


def window(*cases: Shown) -> View:
    """The part of the picture to show: all masks and prompts of the cases, one or several of one picture,
    with a margin, in the canvas's proportions where the picture reaches so far."""
    height, width = cases[0].true.shape
    xs: list[float] = []
    ys: list[float] = []
    for case in cases:
        corners = (*mask_box(union(case.true, case.found)), *(case.box_xyxy or ()), *(case.point_xy or ()))
        xs += corners[0::2]
        ys += corners[1::2]
    wide = max((max(xs) - min(xs)) * (1 + 2 * _MARGIN), _LEAST)
    high = max((max(ys) - min(ys)) * (1 + 2 * _MARGIN), _LEAST * _CANVAS_WH[1] / _CANVAS_WH[0])
    wide, high = (
        max(wide, high * _CANVAS_WH[0] / _CANVAS_WH[1]),
        max(high, wide * _CANVAS_WH[1] / _CANVAS_WH[0]),
    )
    left, right = _within((min(xs) + max(xs)) / 2, wide, width)
    top, bottom = _within((min(ys) + max(ys)) / 2, high, height)
    return View(left, top, right, bottom)


class _AllBut(Container[str]):
    """As a set of keys: every key but the wanted ones."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self._wanted = wanted

    def __contains__(self, key: object) -> bool:
        return key not in self._wanted


def _within(middle: float, length: float, limit: int) -> tuple[int, int]:
    """`length` pixels round `middle`, moved and cut so that they lie in 0 to `limit`."""
    size = min(round(length), limit)
    start = min(max(round(middle - size / 2), 0), limit - size)
    return start, start + size


def _outline(mask: BoolArray, view: View, scale: float, left: float, top: float) -> str:
    """The mask's outlines and holes as the data of a path on the canvas, to half a unit."""
    part = mask[view.y0 : view.y1, view.x0 : view.x1]
    polygons = simplify(mask_to_polygons(part), 0.5 / scale, part.shape).polygons
    rings = (ring * scale + (left, top) for polygon in polygons for ring in polygon.rings)
    return " ".join("M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in ring) + "Z" for ring in rings)


def _prompt(case: Shown, view: View, scale: float, left: float, top: float) -> list[Markup]:
    parts = []
    if case.point_xy is not None:
        x, y = (
            (case.point_xy[0] + 0.5 - view.x0) * scale + left,
            (case.point_xy[1] + 0.5 - view.y0) * scale + top,
        )
        parts.append(tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=3.6, class_="prompt include"))
    if case.box_xyxy is not None:
        x0, y0, x1, y1 = case.box_xyxy
        size = {"width": f"{(x1 - x0) * scale:.1f}", "height": f"{(y1 - y0) * scale:.1f}"}
        place = {"x": f"{(x0 - view.x0) * scale + left:.1f}", "y": f"{(y0 - view.y0) * scale + top:.1f}"}
        parts.append(tag("rect", **place, **size, class_="prompt box"))
    return parts


def _data_uri(pixels: UInt8Array, scale: float) -> str:
    """The pixels as WebP inside an address; made smaller by `scale` if that is below 1."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels))
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
