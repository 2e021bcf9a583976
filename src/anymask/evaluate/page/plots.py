"""Plots as inline SVG, coloured by the page's style sheet, so that they follow its light or dark theme.

A plot is drawn for a width of 380 units and never shown much smaller, so that its text stays readable; names
of series stand in a legend of HTML above it, where they wrap instead of running into each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anymask.evaluate.page.markup import Markup, tag

STYLES = 6
"""How many series the style sheet has colours for (classes s0 to s5); more start again from the first."""

_WIDTH, _HEIGHT = 380, 264
_LEFT, _RIGHT, _TOP, _BOTTOM = 48.0, 366.0, 28.0, 222.0
_DOT = 2.8


@dataclass(frozen=True)
class Axis:
    """One axis: its label, its ends, where its ticks stand and with how many decimal places.

    names: what stands at the ticks instead of their values.
    """

    label: str
    low: float
    high: float
    ticks: tuple[float, ...]
    places: int = 1
    names: tuple[str, ...] = ()

    @classmethod
    def share(cls, label: str) -> Axis:
        """From 0 to 1 in steps of 0.2."""
        return cls(label, 0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0))

    @classmethod
    def upwards(cls, label: str, highest: float, steps: int = 5) -> Axis:
        """From 0 to the first round number that holds `highest`, in up to `steps` round steps."""
        step = _round_step(max(highest, 1e-9) / steps)
        count = max(1, int(np.ceil(highest / step - 1e-9)))
        places = max(0, -int(np.floor(np.log10(step) + 1e-9)))
        return cls(label, 0.0, step * count, tuple(step * i for i in range(count + 1)), places)

    @classmethod
    def around_zero(cls, label: str, furthest: float) -> Axis:
        """From -x to x, the first round number that holds `furthest`, in round steps."""
        half = cls.upwards(label, max(furthest, 1e-3), steps=3)
        ticks = (*(-tick for tick in reversed(half.ticks[1:])), *half.ticks)
        return cls(label, -half.high, half.high, ticks, half.places)

    @property
    def texts(self) -> tuple[str, ...]:
        """What stands at the ticks."""
        return self.names or tuple(f"{tick:.{self.places}f}" for tick in self.ticks)


@dataclass(frozen=True, eq=False)
class Line:
    """A series: x and y of its points, N each; low and high: ends of the interval at each point.

    Without points it has nothing to show but keeps its place, and so the other series their colours.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    dots: bool = True


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision over recall, N each in [0, 1], and the (recall, precision) to mark on it."""

    name: str
    recall: Sequence[float]
    precision: Sequence[float]
    best: tuple[float, float]


def lines(series: Sequence[Line], x: Axis, y: Axis, *, about: str, zero: bool = False) -> Markup:
    """Lines with their interval bands. `about` is read out to who cannot see the plot.

    zero: draw y = 0 as well.
    """
    parts = [_grid(x, y)]
    if zero:
        parts.append(tag("path", class_="reference", d=_path(x, y, [x.low, x.high], [0.0, 0.0])))
    parts += [_band(line, i, x, y) for i, line in enumerate(series) if line.low is not None]
    for i, line in enumerate(series):
        parts.append(tag("path", class_=f"line {style(i)}", d=_path(x, y, line.x, line.y)))
        if line.dots:
            parts.append(_dots(line, i, x, y))
    return _plot(*parts, about=about)


def histogram(series: Sequence[tuple[str, npt.ArrayLike]], x: Axis, label: str, *, about: str) -> Markup:
    """Shares per bin, bins of equal width from x.low to x.high: the first series as bars, others as steps.

    A series of zeros is not drawn but keeps its place.
    """
    shares = [(name, np.asarray(values, float)) for name, values in series]
    y = Axis.upwards(label, max((float(v.max()) for _, v in shares if v.size), default=1.0))
    parts = [_grid(x, y)]
    for i, (name, values) in enumerate(shares):
        if not values.any():
            continue
        edges = np.linspace(x.low, x.high, len(values) + 1)
        parts.append(_bars(name, values, edges, x, y) if i == 0 else _steps(values, edges, i, x, y))
    return _plot(*parts, about=about)


def bubbles(series: Sequence[tuple[Line, npt.ArrayLike]], x: Axis, y: Axis, *, about: str) -> Markup:
    """Joined dots whose areas are the given shares, over the diagonal: a reliability diagram."""
    parts = [_grid(x, y), tag("path", class_="reference", d=_path(x, y, [x.low, x.high], [x.low, x.high]))]
    for i, (line, shares) in enumerate(series):
        parts.append(tag("path", class_=f"line thin {style(i)}", d=_path(x, y, line.x, line.y)))
        parts.append(_bubbles(line, np.asarray(shares, float), i, x, y))
    return _plot(*parts, about=about)


def scatter(points: Sequence[tuple[str, float, float]], x: Axis, y: Axis, *, about: str) -> Markup:
    """Dots of (name, x, y) over the diagonal, where both are equal."""
    parts = [_grid(x, y), tag("path", class_="reference", d=_path(x, y, [x.low, x.high], [x.low, x.high]))]
    places = zip(_x(x, [p[1] for p in points]), _y(y, [p[2] for p in points]), strict=True)
    dots = (
        tag("circle", tag("title", f"{name}: {a:.3f}, {b:.3f}"), cx=f"{px:.1f}", cy=f"{py:.1f}", r=3.4)
        for (name, a, b), (px, py) in zip(points, places, strict=True)
    )
    return _plot(*parts, tag("g", *dots, class_=f"bubbles {style(0)}"), about=about)


def precision_recall(series: Sequence[Curve], *, about: str) -> Markup:
    """Precision over recall, with lines of equal F behind."""
    x, y = Axis.share("recall"), Axis.share("precision")
    parts = [_grid(x, y), *(_equal_f(f, x, y) for f in (0.2, 0.4, 0.6, 0.8))]
    for i, curve in enumerate(series):
        order = np.argsort(np.asarray(curve.recall), kind="stable")
        recall, precision = np.asarray(curve.recall)[order], np.asarray(curve.precision)[order]
        parts.append(tag("path", class_=f"line {style(i)}", d=_path(x, y, recall, precision)))
        parts.append(_dots(Line(curve.name, [curve.best[0]], [curve.best[1]]), i, x, y))
    return _plot(*parts, about=about)


def legend(names: Sequence[str | None]) -> Markup | None:
    """What colour is which series; nothing for a single one. None: a series that has nothing to show here."""
    if len(names) < 2:
        return None
    items = (
        tag("li", tag("span", class_=f"swatch {style(i)}"), name) for i, name in enumerate(names) if name
    )
    return tag("ul", *items, class_="legend")


def style(index: int) -> str:
    """The class of the series with this index."""
    return f"s{index % STYLES}"


def _round_step(rough: float) -> float:
    power = float(10.0 ** np.floor(np.log10(rough)))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * (1 - 1e-9))


def _plot(*parts: Markup, about: str) -> Markup:
    size = f"0 0 {_WIDTH} {_HEIGHT}"
    return tag("svg", *parts, class_="plot", viewBox=size, role="img", aria_label=about)


def _x(axis: Axis, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return _LEFT + (np.asarray(values, float) - axis.low) / (axis.high - axis.low) * (_RIGHT - _LEFT)


def _y(axis: Axis, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return _BOTTOM - (np.asarray(values, float) - axis.low) / (axis.high - axis.low) * (_BOTTOM - _TOP)


def _path(x: Axis, y: Axis, xs: npt.ArrayLike, ys: npt.ArrayLike) -> str:
    points = [f"{px:.1f},{py:.1f}" for px, py in zip(_x(x, xs), _y(y, ys), strict=True)]
    return "M" + " L".join(points) if points else ""


def _grid(x: Axis, y: Axis) -> Markup:
    rules = "".join(f"M{_LEFT:.1f},{v:.1f} H{_RIGHT:.1f} " for v in _y(y, y.ticks))
    x_texts = (
        tag("text", t, x=f"{v:.1f}", y=_BOTTOM + 16, text_anchor="middle")
        for t, v in zip(x.texts, _x(x, x.ticks), strict=True)
    )
    y_texts = (
        tag("text", t, x=_LEFT - 7, y=f"{v + 3.8:.1f}", text_anchor="end")
        for t, v in zip(y.texts, _y(y, y.ticks), strict=True)
    )
    labels = (
        tag("text", y.label, x=4, y=12, class_="axis"),
        tag(
            "text",
            x.label,
            x=f"{(_LEFT + _RIGHT) / 2:.1f}",
            y=_HEIGHT - 8,
            class_="axis",
            text_anchor="middle",
        ),
    )
    return tag("g", tag("path", class_="rules", d=rules.strip()), *x_texts, *y_texts, *labels)


def _equal_f(f: float, x: Axis, y: Axis) -> Markup:
    recall = np.linspace(f / (2 - f), 1, 40)
    return tag("path", class_="reference faint", d=_path(x, y, recall, f * recall / (2 * recall - f)))


def _band(line: Line, index: int, x: Axis, y: Axis) -> Markup:
    xs = np.asarray(line.x, float)
    assert line.low is not None
    assert line.high is not None
    ring = np.concatenate([np.asarray(line.low, float), np.asarray(line.high, float)[::-1]])
    outline = _path(x, y, np.concatenate([xs, xs[::-1]]), ring)
    return tag("path", class_=f"band {style(index)}", d=outline + " Z" if outline else "")


def _dots(line: Line, index: int, x: Axis, y: Axis) -> Markup:
    xs, ys = np.asarray(line.x, float), np.asarray(line.y, float)
    dots = (
        tag("circle", tag("title", f"{line.name}: {b:.3f} at {a:g}"), cx=f"{px:.1f}", cy=f"{py:.1f}", r=_DOT)
        for a, b, px, py in zip(xs, ys, _x(x, xs), _y(y, ys), strict=True)
    )
    return tag("g", *dots, class_=f"dots {style(index)}")


def _bubbles(line: Line, shares: npt.NDArray[np.float64], index: int, x: Axis, y: Axis) -> Markup:
    xs, ys = np.asarray(line.x, float), np.asarray(line.y, float)
    dots = (
        tag(
            "circle",
            tag("title", f"{line.name}: predicted {a:.2f}, true {b:.2f}, {100 * share:.1f} % of the masks"),
            cx=f"{px:.1f}",
            cy=f"{py:.1f}",
            r=f"{2 + 16 * np.sqrt(share):.1f}",
        )
        for a, b, px, py, share in zip(xs, ys, _x(x, xs), _y(y, ys), shares, strict=True)
    )
    return tag("g", *dots, class_=f"bubbles {style(index)}")


def _bars(
    name: str, values: npt.NDArray[np.float64], edges: npt.NDArray[np.float64], x: Axis, y: Axis
) -> Markup:
    tops, sides = _y(y, values), _x(x, edges)
    bars = (
        tag(
            "rect",
            tag("title", f"{name}: {value:.1%} from {a:.2f} to {b:.2f}"),
            x=f"{left + 0.75:.1f}",
            y=f"{top:.1f}",
            width=f"{right - left - 1.5:.1f}",
            height=f"{_BOTTOM - top:.1f}",
        )
        for value, top, left, right, a, b in zip(
            values, tops, sides, sides[1:], edges, edges[1:], strict=False
        )
    )
    return tag("g", *bars, class_=f"bars {style(0)}")


def _steps(
    values: npt.NDArray[np.float64], edges: npt.NDArray[np.float64], index: int, x: Axis, y: Axis
) -> Markup:
    xs, ys = np.repeat(edges, 2)[1:-1], np.repeat(values, 2)
    return tag("path", class_=f"line {style(index)}", d=_path(x, y, xs, ys))
