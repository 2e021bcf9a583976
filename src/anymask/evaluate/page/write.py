"""From a report and the lines of its run, or from a comparison, to a page on disk."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from anymask.core.errors import FormatError, InputError
from anymask.core.files import write_atomically
from anymask.evaluate.compare import Comparison
from anymask.evaluate.outcomes import Lines, outcomes_of
from anymask.evaluate.page.boxes import boxes_page
from anymask.evaluate.page.cases import read_samples
from anymask.evaluate.page.comparison import comparison_page, ranking_figure, shown_pairs
from anymask.evaluate.page.edges import edges_page
from anymask.evaluate.page.gallery import chosen
from anymask.evaluate.page.interactive import interactive_page
from anymask.evaluate.page.proposals import proposals_page
from anymask.evaluate.page.speed import speed_page
from anymask.evaluate.report import Outcome, Report
from anymask.evaluate.samples import Sample, SampleSource

_WITH_CASES = {"interactive": interactive_page, "boxes": boxes_page}
_TABLES = {"proposals": proposals_page, "edges": edges_page, "speed": speed_page}


def save_page(
    out: str | os.PathLike[str], report: Report, lines: Lines, data: SampleSource | None = None
) -> Path:
    """Write the page of a report as one HTML file; returns its path. Arguments and errors: `report_page`.

    Raises OutputError if it cannot be written.
    """
    return write_atomically(out, report_page(report, lines, data).encode("utf-8"))


def save_comparison(
    out: str | os.PathLike[str],
    found: Comparison,
    data: SampleSource | None = None,
    *,
    figure: str | None = None,
) -> Path:
    """Write the page of a comparison; returns its path.

    data: what both reports are of, for the pictures. figure: by which sources and pictures are ranked.
    Raises InputError if the figure is not common, FormatError if `data` is other data, OutputError.
    """
    pairs = shown_pairs(found, ranking_figure(found, figure))
    keys = [pair.a.key for group in pairs.values() for pair in group]
    samples = {} if data is None else read_samples(data, keys)
    return write_atomically(out, comparison_page(found, samples, figure).encode("utf-8"))


def report_page(report: Report, lines: Lines, data: SampleSource | None = None) -> str:
    """The page of a report as HTML.

    lines: what the run wrote of each predictor's pictures. data: what the run looked at, for the pictures of
    cases; without it the page has none.
    Raises InputError for a protocol that has no page, FormatError if `lines` or `data` are of another run,
    or the report is damaged.
    """
    if report.protocol not in (*_WITH_CASES, *_TABLES):
        known = ", ".join(sorted({*_WITH_CASES, *_TABLES}))
        raise InputError(f"there is no page for a report of '{report.protocol}'; give one of {known}")
    try:
        if report.protocol in _TABLES:
            return _TABLES[report.protocol](report)
        outcomes = outcomes_of(report, lines)
        return _WITH_CASES[report.protocol](report, outcomes, _samples(outcomes, report, data))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise FormatError(
            f"the report lacks what its page shows ({error!r}); it is damaged or of another version, "
            "run it again"
        ) from error


def _samples(
    outcomes: Mapping[str, Sequence[Outcome]], report: Report, data: SampleSource | None
) -> dict[str, Sample]:
    if data is None:
        return {}
    cases = chosen(outcomes[report.predictors[0].name])
    return read_samples(data, [row.key for rows in cases.values() for row in rows])
