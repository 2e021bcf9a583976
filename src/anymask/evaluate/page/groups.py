"""Means by group of masks: by source, by size, by kind, as rows of bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anymask.evaluate.page import figures
from anymask.evaluate.page.layout import Bar, bars, section
from anymask.evaluate.page.markup import Markup, tag
from anymask.evaluate.page.plots import legend

Summary = Mapping[str, Any]
_ZERO_SHOT = " ◇"


def by_group(
    names: Sequence[str], summaries: Sequence[Summary], main: str, groups: Sequence[tuple[str, str]]
) -> Markup | None:
    """The main figure by size, kind and so on; None if nothing is divided.

    groups: (name in the summary, heading). A summary's groups hold the means themselves or under
    "mean_over_masks".
    """
    parts = []
    for key, heading in groups:
        rows = [
            Bar(name, tuple(_mean(s[key].get(name), main) for s in summaries), about["masks"])
            for name, about in summaries[0].get(key, {}).items()
        ]
        if len(rows) > 1:
            parts.append(tag("figure", tag("h3", heading), bars(rows)))
    if not parts:
        return None
    note = (
        f"{_sentence(main)}, mean over the masks of a group. Size as in COCO: small is below 32 x 32 pixels "
        "of area, large 96 x 96 or more."
    )
    return section("Which objects", note, legend(names), tag("div", *parts, class_="plots"))


def by_source(
    names: Sequence[str], summaries: Sequence[Summary], main: str, zero_shot: Sequence[str] = ()
) -> Markup | None:
    """The main figure of every source, highest first, by the first predictor; None for a single source."""
    first = summaries[0]["by_source"]
    if len(first) < 2:
        return None
    ranked = sorted(first.items(), key=lambda item: (-(_mean(item[1], main) or 0.0), item[0]))
    rows = [
        Bar(
            name + (_ZERO_SHOT if name in zero_shot else ""),
            tuple(_mean(s["by_source"].get(name), main) for s in summaries),
            about["masks"],
            mark=name in zero_shot,
        )
        for name, about in ranked
    ]
    note = f"{_sentence(main)}, mean over the masks of a source, with their number."
    if zero_shot:
        note += f" Hatched and{_ZERO_SHOT}: zero-shot, no picture of the source was trained on."
    return section("Sources", note, legend(names), bars(rows, columns=True))


def _mean(group: Mapping[str, Any] | None, main: str) -> float | None:
    found = None if group is None else group.get("mean_over_masks", group).get(main)
    return None if found is None else float(found)


def _sentence(main: str) -> str:
    title = figures.title(main)
    return title[:1].upper() + title[1:]
