"""Sections that every report page ends with: quoted figures, what the run was, what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from anymask.evaluate.page.layout import facts, folded, link, section, table
from anymask.evaluate.page.markup import Markup, join, tag
from anymask.evaluate.page.published import PUBLISHED
from anymask.evaluate.report import Report

_FEW = 8  # lines that are shown without being asked for


def quoted(protocol: str) -> Markup | None:
    """Published figures for the protocol, marked as not measured here; None if there are none."""
    known = PUBLISHED.get(protocol)
    if known is None:
        return None
    rows = [[row.model, *row.figures, link(row.address, row.where)] for row in known.rows]
    note = (
        tag("strong", "Not measured here"),
        " but on other data and machines: printed for scale, not for comparison. ",
        known.about,
    )
    return section(
        "Figures from papers",
        note,
        table(["model", *known.columns, "source"], rows, words=(0, len(known.columns) + 1)),
    )


def about_the_run(report: Report) -> Markup:
    """Settings, predictors, versions, machine: what somebody needs to run it again."""
    predictors = (
        tag("div", about.name, " ", tag("code", about.sha256[:16]) if about.sha256 else None)
        for about in report.predictors
    )
    entries: list[tuple[str, object]] = [
        ("Predictors", join(*predictors)),
        ("Data", f"{report.data.name}, {report.data.pictures} pictures"),
        *((name.replace("_", " "), _value(value)) for name, value in report.settings.items()),
        ("Machine", _pairs(report.machine)),
        ("Versions", _pairs(report.versions)),
    ]
    return section("How it was measured", None, facts(entries))


def skipped(report: Report) -> Markup | None:
    """What could not be used; None if everything could."""
    lines = report.skipped
    if not lines:
        return None
    found = listed(lines)
    body = found if len(lines) <= _FEW else folded(f"Show all {len(lines)}", found)
    return section("Left out", f"{len(lines)} files or objects could not be used.", body)


def listed(lines: Iterable[str]) -> Markup:
    """Lines of text, one below the other."""
    return tag("ul", *(tag("li", line) for line in lines), class_="note")


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return _pairs(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_value, value))
    return (
        {True: "yes", False: "no", None: "–"}.get(value, str(value))
        if isinstance(value, (bool, type(None)))
        else str(value)
    )


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items())
