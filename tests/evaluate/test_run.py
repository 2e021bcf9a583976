"""Runs over data sets: journal, going on, reports, what is said about bad files."""

from __future__ import annotations

import json
import sys
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anymask.core.errors import FormatError, InputError, OutputError, PromptError
from anymask.core.images import Picture
from anymask.evaluate.journal import Journal
from anymask.evaluate.predictors import Answer, Predictor, Request
from anymask.evaluate.report import Outcome, Report, outcomes_path
from anymask.evaluate.run import PictureRun, named
from anymask.evaluate.samples import Problems, Sample, TrueMask

HEADER = {"protocol": "toy", "settings": {"a": 1, "b": [1, 2]}}
MASK = np.ones((4, 5), bool)


@dataclass
class Toys:
    """Ten pictures; the fourth is broken, the sixth has one bad mask."""

    name: str = "toys"
    read: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return 10

    def samples(self, problems: Problems, *, every: int = 1, done: Container[str] = ()) -> Iterator[Sample]:
        for i in range(0, 10, every):
            key = f"toy-{i}"
            if key in done:
                continue
            if i == 3:
                problems.add(key, "is broken")
                continue
            if i == 5:
                problems.add(key, "mask 1 is empty")
            self.read.append(key)
            yield Sample(key, Picture(np.zeros((4, 5, 3), np.uint8)), (TrueMask(MASK),), "toys")


@dataclass(frozen=True)
class Whole:
    """Says that everything is the object."""

    name: str = "whole"
    sha256: str = ""

    def open(self, picture: Picture) -> Whole:
        return self

    def predict_many(self, requests: Sequence[Request]) -> list[Answer]:
        return [Answer((MASK,)) for _ in requests]


def count(name: str, predictor: Predictor, sample: Sample) -> list[dict[str, Any]]:
    return [{"key": sample.key, "value": len(sample.key) + len(name)}]


def total(lines: list[dict[str, Any]]) -> dict[str, Any]:
    return {"masks": len(lines), "sum": sum(line["value"] for line in lines)}


def do(
    out: Path | None,
    *,
    stop_after: int | None = None,
    names: Sequence[str] = ("whole",),
    toys: Toys | None = None,
    **settings: Any,
) -> Report:
    predictors = [Whole(name) for name in names]
    given: dict[str, Any] = {"settings": {"x": 1}, "out": out, **settings}
    with PictureRun("toy", toys or Toys(), predictors, **given) as run:
        for number, _ in enumerate(run.steps(count), 1):
            if number == stop_after:
                break
        return run.report(total)


def lines(report: Path) -> list[dict[str, Any]]:
    """The journal, without the problems: what is broken is met again by a run that goes on."""
    found = map(json.loads, outcomes_path(report).read_text().splitlines())
    return [{name: value for name, value in line.items() if name != "problems"} for line in found]


def test_a_run_and_its_report(tmp_path: Path) -> None:
    report = do(tmp_path / "r.json", names=("a", "bb"))
    assert [info.name for info in report.predictors] == ["a", "bb"]
    assert report.summary == {"a": {"masks": 9, "sum": 9 * 6}, "bb": {"masks": 9, "sum": 9 * 7}}
    assert report.skipped == ("toy-3: is broken", "toy-5: mask 1 is empty")
    assert (report.data.name, report.data.pictures) == ("toys", 10)
    assert report.settings == {"x": 1, "every": 1}
    assert {"anymask", "python", "numpy"} <= set(report.versions)
    assert int(report.machine["cores"]) >= 1
    assert str(tmp_path) not in json.dumps(report.to_json())
    report.save(tmp_path / "r.json")
    assert Report.load(tmp_path / "r.json") == report


@pytest.mark.parametrize("stop_after", [1, 3, 4, 5, 8, 9])
def test_a_run_that_was_stopped_goes_on(tmp_path: Path, stop_after: int) -> None:
    whole = do(tmp_path / "whole.json", names=("a", "b"))
    do(tmp_path / "r.json", names=("a", "b"), stop_after=stop_after)
    toys = Toys()
    assert do(tmp_path / "r.json", names=("a", "b"), toys=toys) == whole
    assert len(toys.read) == 9 - stop_after
    assert lines(tmp_path / "r.json") == lines(tmp_path / "whole.json")


@pytest.mark.parametrize("lost", [1, 20, 150, 10_000])
def test_a_torn_journal_goes_on_after_its_last_complete_line(tmp_path: Path, lost: int) -> None:
    whole = do(tmp_path / "r.json", names=("a", "b"))
    journal = outcomes_path(tmp_path / "r.json")
    data, before = journal.read_bytes(), lines(tmp_path / "r.json")
    journal.write_bytes(data[: max(0, len(data) - lost)])
    assert do(tmp_path / "r.json", names=("a", "b")) == whole
    assert lines(tmp_path / "r.json") == before


def test_other_settings_are_refused(tmp_path: Path) -> None:
    do(tmp_path / "r.json", stop_after=2)
    before = outcomes_path(tmp_path / "r.json").read_bytes()
    with pytest.raises(InputError, match=r"other settings \(x\).*--fresh"):
        do(tmp_path / "r.json", settings={"x": 2})
    with pytest.raises(InputError, match=r"\(predictors\)"):
        do(tmp_path / "r.json", names=("whole", "b"))
    with pytest.raises(InputError, match=r"\(pictures, every\)"):
        do(tmp_path / "r.json", every=3)
    assert outcomes_path(tmp_path / "r.json").read_bytes() == before
    assert do(tmp_path / "r.json", settings={"x": 2}, fresh=True).settings["x"] == 2
    assert do(tmp_path / "r.json", settings={"x": 2}).summary["whole"]["masks"] == 9


def test_every_third_picture(tmp_path: Path) -> None:
    toys = Toys()
    report = do(None, toys=toys, every=3)
    assert toys.read == ["toy-0", "toy-6", "toy-9"]
    assert report.data.pictures == 4
    assert list(tmp_path.iterdir()) == []


def test_refusing_stops_at_the_first_bad_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="toy-3: is broken"):
        do(tmp_path / "r.json", problems=Problems("refuse"))
    assert len(outcomes_path(tmp_path / "r.json").read_text().splitlines()) == 4
    with pytest.raises(InputError, match="skip, refuse"):
        Problems("ignore")  # type: ignore[arg-type]


def test_a_picture_that_one_predictor_cannot_take_is_left_out_for_all(tmp_path: Path) -> None:
    def picky(name: str, predictor: Predictor, sample: Sample) -> list[dict[str, Any]]:
        if name == "b" and sample.key == "toy-1":
            raise PromptError("does not like it")
        return count(name, predictor, sample)

    with PictureRun("toy", Toys(), [Whole("a"), Whole("b")], settings={}) as run:
        keys = list(run.steps(picky))
        report = run.report(total)
    assert "toy-1" not in keys
    assert report.summary["a"]["masks"] == report.summary["b"]["masks"] == 8
    assert "toy-1: does not like it" in report.skipped


def test_names_of_predictors() -> None:
    one, other = Whole("m", "ab" * 32), Whole("m", "cd" * 32)
    assert list(named([one, other, Whole()])) == ["m (abababab)", "m (cdcdcdcd)", "whole"]
    with pytest.raises(InputError, match="given twice"):
        named([one, one])
    with pytest.raises(InputError, match="nothing is to be measured"):
        named([])


def test_a_file_that_is_no_journal_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "notes.outcomes.jsonl"
    path.write_text("my notes\nof a year\n")
    with pytest.raises(InputError, match="no journal"):
        Journal(path, HEADER)
    assert path.read_text() == "my notes\nof a year\n"
    with pytest.raises(OutputError, match="cannot write"):
        Journal(tmp_path / "absent" / "x.jsonl", HEADER)


@pytest.mark.skipif(sys.platform == "win32", reason="no advisory locks")
def test_two_runs_do_not_write_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "r.outcomes.jsonl"
    with Journal(path, HEADER) as first:
        first.add({"key": "a"})
        with pytest.raises(InputError, match="another run is writing"):
            Journal(path, HEADER, fresh=True)
        first.add({"key": "b"})
    with Journal(path, HEADER) as second:
        assert second.entries == [{"key": "a"}, {"key": "b"}]


def test_a_journal_in_memory() -> None:
    with Journal(None, HEADER) as journal:
        journal.add({"a": (1, 2)})
    assert journal.entries == [{"a": [1, 2]}]


OUTCOME = Outcome(
    "a/b.png", 3, "lite", "toys", "other", "thing <b>", True, (4, 5), 7, "small",
    {"click1": 0.1, "box": 1 / 3}, 0.25, 4, 1, (1, 2), (0.0, 1.0, 2.0, 3.0), "abc", None,
)  # fmt: skip


def test_outcomes_survive_their_file(tmp_path: Path) -> None:
    with Journal(outcomes_path(tmp_path / "r.json"), HEADER) as journal:
        journal.add({"key": "a", "masks": [OUTCOME.to_json()]})
        journal.add({"key": "b", "masks": []})
        journal.add({"key": "c", "masks": [replace(OUTCOME, number=4).to_json()]})
    found = [mask for line in lines(tmp_path / "r.json")[1:] for mask in line["masks"]]
    assert [Outcome.from_json(mask) for mask in found] == [OUTCOME, replace(OUTCOME, number=4)]
    assert OUTCOME.area_share == 7 / 20


def test_where_outcomes_lie() -> None:
    assert [outcomes_path(name).name for name in ("a.json", "a", "val.v2")] == [
        "a.outcomes.jsonl", "a.outcomes.jsonl", "val.v2.outcomes.jsonl",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"anymask_report": 2}', '{"anymask_report": 1}', '{"anymask_report": 1, "data": 3}'],
)
def test_damaged_reports_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(FormatError, match=r"r\.json"):
        Report.load(tmp_path / "r.json")


def test_a_missing_report_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"cannot read the report '.*absent\.json'"):
        Report.load(tmp_path / "absent.json")


@pytest.mark.parametrize("value", [1, {}, {**OUTCOME.to_json(), "colour": "red"}])
def test_what_is_no_outcome_is_refused(value: object) -> None:
    with pytest.raises(FormatError, match=r"not an outcome .*expected the fields key, number"):
        Outcome.from_json(value)


def test_samples_are_checked() -> None:
    with pytest.raises(FormatError, match="empty"):
        TrueMask(~MASK)
    with pytest.raises(FormatError, match="uint8"):
        TrueMask(MASK.astype(np.uint8))  # type: ignore[arg-type]
    with pytest.raises(FormatError, match="pixels to ignore"):
        TrueMask(MASK, ignore=MASK[:2])
    with pytest.raises(FormatError, match=r"\(4, 5\)"):
        Sample("a", Picture(np.zeros((9, 9, 3), np.uint8)), (TrueMask(MASK),))
