"""Comparing two reports: pairs, differences, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import FormatError, InputError
from anymask.evaluate.compare import Comparison, compare, compare_files
from anymask.evaluate.report import Outcome, PredictorInfo, outcomes_path
from anymask.evaluate.summary import summarise
from tests.evaluate.runs import moved, outcome, save_run

ONE, OTHER = PredictorInfo("one@1", "1" * 64), PredictorInfo("other@1", "2" * 64)


def rows_of(clicks: list[float], sources: int = 3) -> list[Outcome]:
    """Two masks a picture, pictures spread over sources."""
    return [
        outcome(
            f"s{i // 2 % sources}-{i // 2}",
            i % 2,
            click=click,
            figures={"click1": click, "noc85": 20.0 - click},
        )
        for i, click in enumerate(clicks)
    ]


def compared(a: list[Outcome], b: list[Outcome]) -> Comparison:
    return compare("interactive", ("x.tar", "x.tar"), ONE, a, OTHER, b)


values = st.lists(st.floats(0, 1), min_size=2, max_size=24)


@given(values)
def test_nothing_differs_from_itself(clicks: list[float]) -> None:
    found = compared(rows_of(clicks), rows_of(clicks))
    for one in (*found.over_sources.values(), *found.over_masks.values()):
        assert (one.difference, one.interval_95, one.wins, one.losses) == (0.0, (0.0, 0.0), 0, 0)
        assert not one.sure


@given(values, st.floats(0.02, 0.5))
def test_a_constant_gain_is_found_exactly_and_surely(clicks: list[float], gain: float) -> None:
    rows = rows_of(clicks)
    found = compared(rows, moved(rows, gain))
    for group, units in ((found.over_sources, len(found.by_source)), (found.over_masks, len(rows))):
        one = group["click1"]
        assert one.difference == pytest.approx(gain)
        assert one.interval_95 == pytest.approx((gain, gain))
        assert (one.wins, one.losses, one.equal) == (units, 0, 0)
        assert one.sure
        # Of clicks less is better: the same gain is a loss.
        assert (group["noc85"].wins, group["noc85"].losses) == (0, units)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=24))
def test_the_averages_are_those_of_the_reports_and_sides_can_be_swapped(
    pairs: list[tuple[float, float]],
) -> None:
    a, b = rows_of([p[0] for p in pairs]), rows_of([p[1] for p in pairs])
    found, back = compared(a, b), compared(b, a)
    for group, key in (("over_sources", "mean_over_sources"), ("over_masks", "mean_over_masks")):
        one, other = getattr(found, group)["click1"], getattr(back, group)["click1"]
        assert one.a == pytest.approx(summarise(a)[key]["click1"])
        assert one.b == pytest.approx(summarise(b)[key]["click1"])
        assert one.difference == pytest.approx(one.b - one.a) == pytest.approx(-other.difference)
        assert (one.wins, one.losses, one.equal) == (other.losses, other.wins, other.equal)


def test_pairing_sees_a_difference_that_the_spread_of_masks_hides() -> None:
    rng = np.random.default_rng(3)
    hard = rng.uniform(0.1, 0.9, 200)
    a, b = rows_of(list(hard)), rows_of(list(hard + 0.02 + rng.normal(0, 0.01, 200)))
    apart = summarise(a)["interval_95_over_masks"]["click1"]
    one = compared(a, b).over_masks["click1"]
    assert one.sure
    assert one.interval_95[1] - one.interval_95[0] < 0.1 * (apart[1] - apart[0])


def test_what_is_not_common_is_counted_and_left_out() -> None:
    rows = rows_of([0.2, 0.4, 0.6, 0.8, 0.5, 0.3])
    found = compared(rows[:5], moved(rows[1:], 0.1))
    assert (len(found.pairs), found.only_a, found.only_b, found.pictures) == (4, 1, 1, 3)
    assert found.over_masks["click1"].a == pytest.approx(np.mean([0.4, 0.6, 0.8, 0.5]))
    told = found.to_json()
    assert (told["masks"], told["only_a"], told["only_b"]) == (4, 1, 1)
    assert sum(about["masks"] for about in told["by_source"].values()) == 4


def test_a_figure_of_one_side_is_named_and_left_out() -> None:
    rows = rows_of([0.2, 0.4])
    more = [replace(row, figures={**row.figures, "scribble": 0.5}) for row in rows]
    found = compared(rows, more)
    assert found.left_out == ("scribble",)
    assert "scribble" not in found.over_masks
    with pytest.raises(InputError, match="no figure in common"):
        compared(rows, [replace(row, figures={"box": 0.5}) for row in rows])


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"key": "elsewhere"}, "no mask in common"),
        ({"area": 399}, "mask 0 of 's0-0' is not the same in both reports"),
        ({"image_hw": (61, 90)}, "give two reports of the same data"),
    ],
)
def test_other_data_is_refused(change: dict[str, object], hint: str) -> None:
    rows = rows_of([0.2])
    with pytest.raises(InputError, match=hint):
        compared(rows, [replace(row, **change) for row in rows])  # type: ignore[arg-type]


def test_reports_on_disk_that_cannot_be_paired_are_refused(tmp_path: Path) -> None:
    rows = rows_of([0.2, 0.4, 0.6])
    a = save_run(tmp_path / "a.json", rows)
    other = save_run(tmp_path / "b.json", rows, settings={"first_click": "random", "seed": 0})
    with pytest.raises(InputError, match="differ in first_click \\('centre' and 'random'\\)"):
        compare_files(a, other)
    edges = save_run(tmp_path / "e.json", rows, protocol="edges")
    with pytest.raises(InputError, match="`interactive` and `edges`"):
        compare_files(a, edges)
    with pytest.raises(InputError, match="says nothing about single masks"):
        compare_files(edges, edges)
    with pytest.raises(InputError, match="--a 'x' is not in the report; give one of 'one@1'"):
        compare_files(a, a, a_name="x")
    outcomes_path(a).write_text("{}\n{")
    with pytest.raises(FormatError, match=r"a\.outcomes\.jsonl' is damaged"):
        compare_files(a, a)
    outcomes_path(a).unlink()
    with pytest.raises(FormatError, match="cannot read"):
        compare_files(a, a)


def test_one_report_twice_compares_two_of_its_predictors(tmp_path: Path) -> None:
    rows = rows_of([0.2, 0.4, 0.6])
    both = save_run(tmp_path / "r.json", [*rows, *moved(rows, 0.1)])
    found = compare_files(both, both)
    assert (found.a.name, found.b.name) == ("one@1", "other@1")
    assert found.over_masks["click1"].difference == pytest.approx(0.1)
    back = compare_files(both, both, a_name="other@1", b_name="one@1")
    assert back.over_masks["click1"].difference == pytest.approx(-0.1)
