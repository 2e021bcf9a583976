"""From a report on disk to its page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from anymask.core.errors import InputError
from anymask.core.files import write_atomically
from anymask.evaluate.page.cases import read_samples
from anymask.evaluate.page.interactive import chosen_cases, interactive_page
from anymask.evaluate.report import Outcome, Report, read_outcomes
from anymask.evaluate.samples import SampleSource


def save_page(
    report_path: str | os.PathLike[str], out: str | os.PathLike[str], data: SampleSource | None
) -> Path:
    """Write the page of a report as one HTML file; returns its path.

    report_path: the report, with what its run left beside it. data: what the run looked at, for the pictures
    of cases; without it the page has none.
    Raises FormatError if the report or its outcomes are missing or damaged or `data` is other data,
    OutputError if the page cannot be written.
    """
    report = Report.load(report_path)
    outcomes = read_outcomes(report_path) if report.protocol == "interactive" else []
    return write_atomically(out, report_page(report, outcomes, data).encode("utf-8"))


def report_page(report: Report, outcomes: Sequence[Outcome], data: SampleSource | None) -> str:
    """The page of a report as HTML; arguments as in `save_page`."""
    if report.protocol == "interactive":
        return _interactive(report, outcomes, data)
    raise InputError("")


def _interactive(report: Report, outcomes: Sequence[Outcome], data: SampleSource | None) -> str:
    wanted = [row.key for rows in chosen_cases(report, outcomes).values() for row in rows]
    return interactive_page(report, outcomes, {} if data is None else read_samples(data, wanted))
