"""What happened to each mask, from the lines of a run: for pages and comparisons of several protocols."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from anymask.core.errors import FormatError, InputError
from anymask.evaluate.report import Outcome, Report, outcomes_path

Lines = Mapping[str, Sequence[Mapping[str, Any]]]
"""Predictor -> its lines, as the protocol wrote them."""

WITH_MASKS = ("interactive", "boxes")
"""The protocols whose lines say what happened to each mask."""


def read_lines(report_path: str | os.PathLike[str]) -> dict[str, list[Mapping[str, Any]]]:
    """The lines beside a report, by predictor, in the order of the run.

    Raises FormatError, naming the file, if it is missing or damaged.
    """
    path = outcomes_path(report_path)
    lines: dict[str, list[Mapping[str, Any]]] = {}
    try:
        for text in path.read_bytes().splitlines()[1:]:
            entry = json.loads(text)
            lines.setdefault(entry["predictor"], []).extend(entry["masks"])
    except OSError as error:
        raise FormatError(
            f"cannot read '{path}': {error.strerror}; it is written beside the report and belongs there"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"'{path}' is damaged ({error}); run the evaluation again") from error
    return lines


def outcomes_of(report: Report, lines: Lines) -> dict[str, list[Outcome]]:
    """Predictor -> what happened to each mask, in the order of the run.

    Raises InputError if the protocol is none of WITH_MASKS, FormatError if the lines are not its lines.
    """
    if report.protocol not in WITH_MASKS:
        raise InputError(
            f"a report of `anymask evaluate {report.protocol}` says nothing about single masks; "
            f"give one of {' or '.join(WITH_MASKS)}"
        )
    try:
        return {
            about.name: list(_outcomes(report, about.name, lines.get(about.name, ())))
            for about in report.predictors
        }
    except (KeyError, TypeError, IndexError) as error:
        raise FormatError(f"the lines of the run are damaged ({error!r}); run it again") from error


def _outcomes(report: Report, predictor: str, lines: Sequence[Mapping[str, Any]]) -> Iterator[Outcome]:
    if report.protocol == "interactive":
        yield from (Outcome.from_json(line) for line in lines)
        return
    from anymask.evaluate.boxes import outcomes_of as outcomes_of_boxes

    for line in lines:
        for outcome in outcomes_of_boxes(line, class_agnostic=bool(report.settings["class_agnostic"])):
            yield replace(outcome, predictor=predictor)
