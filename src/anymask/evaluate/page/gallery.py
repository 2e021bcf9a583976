"""Cases as pictures: the best, the median and the worst of a run, each with its outlines and its IoU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anymask.evaluate.page import figures
from anymask.evaluate.page.cases import drawing, extremes, shown
from anymask.evaluate.page.layout import section
from anymask.evaluate.page.markup import Markup, tag
from anymask.evaluate.report import Outcome
from anymask.evaluate.samples import Sample


def main_figure(names: Sequence[str]) -> str:
    """The figure by which masks are ranked: one click if it was measured, else the box, else the first."""
    return next((name for name in ("click1", "box", *names) if name in names), "click1")


def chosen(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """One predictor's best, median and worst outcomes by its main figure."""
    return extremes(outcomes, main_figure(list(outcomes[0].figures))) if outcomes else {}


def gallery(predictor: str, outcomes: Sequence[Outcome], samples: Mapping[str, Sample]) -> Markup | None:
    """The section of cases of one predictor; None if no picture of them is there.

    Raises FormatError if the samples are not those of the report.
    """
    groups: list[Markup] = []
    for name, rows in chosen(outcomes).items():
        pictures = [case_figure(row, samples, main_figure(list(row.figures))) for row in rows]
        if any(pictures):
            groups += [tag("h3", name), tag("div", *pictures, class_="cases")]
    if not groups:
        return None
    main = main_figure(list(outcomes[0].figures))
    note = (
        f"{predictor}, {figures.title(main)}: the highest, the most typical and the lowest IoU, one mask per "
        "source while there are enough. Each view is cut out round the object."
    )
    return section("Cases", note, picture_key(main), *groups)


def case_figure(outcome: Outcome, samples: Mapping[str, Sample], main: str) -> Markup | None:
    """One case with its caption; None if its picture is not there."""
    case = shown(outcome, samples, prompt=prompt_of(main))
    if case is None:
        return None
    score = f"IoU {outcome.figures[main]:.2f}"
    expected = outcome.predicted if prompt_of(main) == "click" else None
    more = f", predicted {expected:.2f}" if expected is not None else ""
    caption = tag("figcaption", tag("strong", score), more, *names_of(outcome))
    return tag(
        "figure", drawing(case, f"{outcome.key}, mask {outcome.number}: {score}"), caption, class_="case"
    )


def names_of(outcome: Outcome) -> tuple[Markup, Markup]:
    """Two lines that say which mask it is."""
    where = f"{outcome.key}, mask {outcome.number}"
    label = outcome.label or "object"
    return tag("span", label, class_="label", title=label), tag("span", where, class_="name", title=where)


def prompt_of(main: str) -> str:
    """The prompt whose mask belongs to a figure: "box" or "click"."""
    return "box" if main.startswith("box") else "click"


def picture_key(main: str) -> Markup:
    """What the lines in the pictures mean."""
    box = prompt_of(main) == "box"
    pointed = tag("li", tag("i", class_="dashes" if box else "click"), "box given" if box else "click")
    true = tag("li", tag("i", class_="true-key"), "true outline")
    found = tag("li", tag("i", class_="found-key"), "found outline")
    return tag("ul", pointed, true, found, class_="key")
