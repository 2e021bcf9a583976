"""The parts every report page is made of: document, section, key numbers, table, rows of bars, facts."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass
from importlib import resources

from anymask._version import __version__
from anymask.evaluate.page.markup import Markup, join, tag
from anymask.evaluate.page.plots import legend, style

_BAR_HEAD = (("", "name"), ("", ""), ("IoU", "value"), ("masks", "count"))
_DECADES = 5  # of a logarithmic scale: more would leave no room to tell values apart
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # nothing is loaded, no script runs


@dataclass(frozen=True)
class Bar:
    """A category with one value per series, in [0, 1] where values are shares of the track.

    count: how many masks stand behind it. mark: whether the bar is hatched.
    """

    name: str
    values: tuple[float | None, ...]
    count: int | None = None
    mark: bool = False


@dataclass(frozen=True)
class Range:
    """A positive value between its ends, as text too; series: which colour it has."""

    name: str
    low: float
    value: float
    high: float
    text: str
    series: int = 0


def document(title: str, lead: object, *sections: object) -> str:
    """A whole page. It loads nothing: style and pictures are inside, and scripts are forbidden."""
    css = resources.files(__package__).joinpath("page.css").read_text("utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        Markup(f"<style>\n{css}</style>"),
    )
    foot = tag("footer", f"Written by anymask {__version__}. Nothing on this page is loaded from elsewhere.")
    body = tag("body", tag("main", tag("header", tag("h1", title), lead), *sections, foot))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def section(title: str, note: object, *body: object) -> Markup:
    """A part of the page under its heading; `note` says what is shown and how it was made."""
    return tag("section", tag("h2", title), tag("p", note, class_="note") if note else None, *body)


def figure(title: str, chart: Markup, caption: object = None, *, names: Sequence[str | None] = ()) -> Markup:
    """A plot under its title, with a legend where it shows several series."""
    below = tag("figcaption", caption) if caption else None
    return tag("figure", tag("h3", title), legend(names), chart, below)


def keys(*entries: tuple[str, str, str]) -> Markup:
    """The few numbers to read first: what it is, the number, what to know about it."""
    cells = (
        tag("div", tag("dt", name), tag("dd", value, tag("small", more))) for name, value, more in entries
    )
    return tag("dl", *cells, class_="keys")


def table(
    head: Sequence[str], rows: Sequence[Sequence[object]], *, words: Container[int] = (0,), full: bool = False
) -> Markup:
    """A table; the columns in `words` hold words, the others numbers.

    A row of one entry is the heading of the rows below it. full: as wide as the page.
    """
    kinds = [None if i in words else "number" for i in range(len(head))]
    titles = (tag("th", name, scope="col", class_=kind) for name, kind in zip(head, kinds, strict=True))
    body = (_row(row, kinds) for row in rows)
    whole = tag(
        "table", tag("thead", tag("tr", *titles)), tag("tbody", *body), class_="full" if full else None
    )
    return tag("div", whole, class_="wide", tabindex=0)


def with_interval(value: str, ends: Sequence[float] | None, places: int = 3) -> Markup:
    """A number with its interval in small type below it, where there is one."""
    if ends is None:
        return join(value)
    return join(value, tag("small", f"{ends[0]:.{places}f}–{ends[1]:.{places}f}"))


def bars(rows: Sequence[Bar], *, columns: bool = False) -> Markup:
    """Rows of name, bar, value and count: the first series is the bar, others are ticks across it.

    Values lie on a track from 0 to 1. columns: as many columns as the page has room for.
    """
    head = tag("li", *(tag("span", t, class_=c) for t, c in _BAR_HEAD), class_="head")
    items = [_bar_row(row) for row in rows]
    return tag("ul", *([] if columns else [head]), *items, class_="rows columns" if columns else "rows")


def changes(rows: Sequence[tuple[str, float, int]]) -> Markup:
    """Rows of name, change and count: bars to the left of the middle for what got worse, to the right for
    better; the longest fills its half."""
    longest = max((abs(change) for _, change, _ in rows), default=0.0) or 1.0
    return tag("ul", *(_change_row(*row, longest) for row in rows), class_="rows columns")


def ranges(rows: Sequence[Range]) -> Markup:
    """Rows of name, range and value on one logarithmic scale with a label at each power of ten.

    What is smaller than the largest by many powers lies at the left end.
    """
    every = [v for row in rows for v in (row.low, row.value, row.high) if v > 0] or [1.0]
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    scale = _Scale(max(low, high - _DECADES), max(high, low + 1))
    labels = (
        tag("b", f"{10.0**power:g}", style=f"left:{100 * scale.place(10.0**power):.2f}%")
        for power in range(scale.low, scale.high + 1)
    )
    head = tag("li", tag("span"), tag("span", *labels, class_="scale"), class_="head")
    return tag("ul", head, *(_range_row(row, scale) for row in rows), class_="rows ranges")


def signed(value: float, places: int = 3) -> str:
    """A difference with its sign; a true minus is as wide as the plus."""
    return f"{value:+.{places}f}".replace("-", "−")


def facts(entries: Sequence[tuple[str, object]]) -> Markup:
    """Names and what they are, one per line."""
    return tag("dl", *((tag("dt", name), tag("dd", value)) for name, value in entries), class_="facts")


def folded(title: str, *body: object) -> Markup:
    """What only some readers want, closed at first."""
    return tag("details", tag("summary", title), *body)


def link(address: str, text: str) -> Markup:
    """A link to one of this package's own sources; never to what data brought along."""
    return tag("a", text, href=address, rel="noreferrer")


def _row(row: Sequence[object], kinds: Sequence[str | None]) -> Markup:
    if len(row) == 1:
        return tag("tr", tag("th", row[0], scope="rowgroup", colspan=len(kinds)), class_="group")
    first = tag("th", row[0], scope="row")
    rest = (tag("td", value, class_=kind) for value, kind in zip(row[1:], kinds[1:], strict=True))
    return tag("tr", first, *rest)


def _bar_row(row: Bar) -> Markup:
    first = row.values[0]
    kind = "bar hatched" if row.mark else "bar"
    marks = [_mark(kind, style(0), width=first)] if first is not None else []
    marks += [_mark("tick", style(i), left=v) for i, v in enumerate(row.values) if i and v is not None]
    return tag(
        "li",
        tag("span", row.name, class_="name", title=row.name),
        tag("span", *marks, class_="track"),
        tag("span", "–" if first is None else f"{first:.3f}", class_="value"),
        tag("span", "" if row.count is None else row.count, class_="count"),
    )


def _change_row(name: str, change: float, count: int, longest: float) -> Markup:
    half = abs(change) / longest / 2
    bar = _mark("bar", "gain" if change > 0 else "loss", left=0.5 - (half if change < 0 else 0), width=half)
    return tag(
        "li",
        tag("span", name, class_="name", title=name),
        tag("span", bar, _mark("zero", "", left=0.5), class_="track"),
        tag("span", signed(change), class_="value"),
        tag("span", count, class_="count"),
    )


@dataclass(frozen=True)
class _Scale:
    """Powers of ten from 10**low to 10**high on a track from 0 to 1."""

    low: int
    high: int

    def place(self, value: float) -> float:
        """Where a value lies on the track."""
        return (math.log10(max(value, 10.0**self.low)) - self.low) / (self.high - self.low)


def _range_row(row: Range, scale: _Scale) -> Markup:
    low, high = scale.place(row.low), scale.place(row.high)
    marks = (
        _mark("reach", style(row.series), left=low, width=high - low),
        _mark("tick", style(row.series), left=scale.place(row.value)),
    )
    return tag(
        "li",
        tag("span", row.name, class_="name", title=row.name),
        tag("span", *marks, class_="track"),
        tag("span", row.text, class_="value"),
    )


def _mark(kind: str, colour: str, *, left: float | None = None, width: float | None = None) -> Markup:
    place = "" if left is None else f"left:{100 * min(max(left, 0.0), 1.0):.2f}%;"
    size = "" if width is None else f"width:{100 * min(max(width, 0.0), 1.0):.2f}%"
    return tag("i", class_=f"{kind} {colour}".strip(), style=place + size)
