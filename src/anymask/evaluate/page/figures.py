"""The figures of the interactive protocol for people: their names, their order, how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAMES = {
    "click1_boundary": "1 click, boundary",
    "oracle1": "best of 3",
    "box": "box",
    "box_boundary": "box, boundary",
    "scribble": "scribble",
    "random1": "1 random click",
    "random_oracle1": "random, best of 3",
    "noc85": "NoC@85",
    "noc90": "NoC@90",
}
_FIRST = (
    "click1",
    "oracle1",
    "click2",
    "click3",
    "click5",
    "click9",
    "click1_boundary",
    "box",
    "box_boundary",
)


def title(figure: str) -> str:
    """What a figure is called in a table: click3 -> "3 clicks". Unknown names stay as they are."""
    if found := re.fullmatch(r"(box_)?click(\d+)", figure):
        clicks = f"{found[2]} click{'' if found[2] == '1' else 's'}"
        return f"box, {clicks}" if found[1] else clicks
    return _NAMES.get(figure, figure)


def text(figure: str, value: float | None) -> str:
    """A figure's value as a table shows it."""
    if value is None:
        return "–"
    return f"{value:.2f}" if counts_clicks(figure) else f"{value:.3f}"


def counts_clicks(figure: str) -> bool:
    """Whether the figure is a number of clicks, where less is better; every other one is a share."""
    return figure.startswith("noc")


def headline(names: Iterable[str]) -> list[str]:
    """The figures of a table, in the order of a model card.

    Of the clicks only 1, 2, 3, 5 and 9: the curve shows those between.
    """
    given = list(names)
    rest = [name for name in given if name not in _FIRST and not re.fullmatch(r"click\d+", name)]
    return [name for name in _FIRST if name in given] + rest


def click_ticks(first: int, last: int) -> tuple[int, ...]:
    """Where an axis of clicks has its ticks: at each of up to ten, else at the first and each fifth."""
    if last - first < 10:
        return tuple(range(first, last + 1))
    return (first, *range(first // 5 * 5 + 5, last + 1, 5))


def clicks(names: Iterable[str]) -> dict[int, str]:
    """Number of clicks -> figure, of the figures that are the IoU after so many clicks."""
    found = {int(match[1]): name for name in names if (match := re.fullmatch(r"click(\d+)", name))}
    return dict(sorted(found.items()))
