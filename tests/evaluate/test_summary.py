"""From outcomes to means, groups, intervals and calibration."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.evaluate.report import Outcome
from anymask.evaluate.summary import SHARE_NAMES, picture_interval, share_class, source_interval, summarise


def outcome(
    source: str = "s", *clicks: float, key: str = "k", zero_shot: bool = False, **changes: object
) -> Outcome:
    figures = {f"click{i}": value for i, value in enumerate(clicks, 1)} | {"box": 0.7}
    row = Outcome(key, 0, "p", source, None, None, zero_shot, (100, 100), 1000, "small", figures, 0.5)
    return replace(row, **changes)


def test_every_source_counts_alike() -> None:
    rows = [outcome("many", 0.2, 0.4)] * 9 + [outcome("one", 0.8, 1.0, zero_shot=True)]
    summary = summarise(rows)
    assert summary["mean_over_sources"]["click1"] == pytest.approx(0.5)
    assert summary["mean_over_masks"]["click1"] == pytest.approx(0.26)
    assert summary["mean_over_trained_sources"]["click2"] == pytest.approx(0.4)
    assert summary["mean_over_zero_shot_sources"]["click2"] == pytest.approx(1.0)
    assert summary["by_source"]["many"] == {"masks": 9, **summary["mean_over_trained_sources"]}
    assert summary["zero_shot_sources"] == ["one"]
    low, high = summary["interval_95"]["click1"]
    assert 0.19 < low < 0.5 < high < 0.81


def test_groups() -> None:
    rows = [
        outcome("a", 0.2, kind="photo", size="large", area=9500),
        outcome("a", 0.4, kind="photo", size="small", area=50),
        outcome("b", 0.9, kind="photo", size="small", area=50),
        outcome("b", 0.5, size="medium", area=100),
    ]
    summary = summarise(rows)
    assert list(summary["by_size"]) == ["small", "medium", "large"]
    assert summary["by_size"]["small"]["mean_over_masks"]["click1"] == pytest.approx(0.65)
    photo = summary["by_kind"]["photo"]
    assert (photo["masks"], photo["sources"]) == (3, 2)
    assert photo["mean_over_sources"]["click1"] == pytest.approx(0.6)
    assert photo["mean_over_masks"]["click1"] == pytest.approx(0.5)
    assert list(summary["by_kind"]) == ["photo", "unknown"]
    assert {name: group["masks"] for name, group in summary["by_share"].items()} == {
        "below 1 %": 2, "1 % to 5 %": 1, "from 20 %": 1,
    }  # fmt: skip


@given(st.integers(1, 10_000))
def test_every_share_has_its_class(area: int) -> None:
    limits = (0, 100, 500, 2000, 10_001)
    expected = next(i for i in range(4) if limits[i] <= area < limits[i + 1])
    assert share_class(outcome(area=area)) == SHARE_NAMES[expected]


def test_clicks_that_make_it_worse() -> None:
    rows = [
        outcome("s", 0.5, 0.4, 0.46, 0.9, 0.8, 0.1, extra_clicks=4, worse=2),
        outcome("s", 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, extra_clicks=4, worse=0),
    ]
    summary = summarise(rows)
    assert summary["share_of_extra_clicks_that_made_it_worse"] == pytest.approx(2 / 8)
    assert summary["worse_by_click"] == {"2": 0.5, "3": 0, "4": 0, "5": 0.5, "6": 0.5}


def test_calibration() -> None:
    exact = [outcome("s", v, predicted=v) for v in (0.05, 0.35, 0.75, 1.0)]
    boastful = [outcome("s", 0.5, predicted=0.9)] * 3 + [outcome("s", 0.1, predicted=0.1)]
    assert summarise(exact)["predicted_iou_ece"] == pytest.approx(0.0)
    summary = summarise(boastful)
    assert summary["predicted_iou_ece"] == pytest.approx(0.3)
    assert summary["reliability"] == [
        {"from": 0.1, "to": 0.2, "masks": 1, "predicted": 0.1, "true": 0.1},
        {"from": 0.9, "to": 1.0, "masks": 3, "predicted": pytest.approx(0.9), "true": 0.5},
    ]


def test_a_predictor_that_makes_no_guess() -> None:
    summary = summarise([outcome("s", 0.5, predicted=None)])
    assert summary["predicted_iou_ece"] is None
    assert summary["reliability"] == []


def test_no_outcomes() -> None:
    summary = summarise([])
    assert (summary["masks"], summary["mean_over_sources"], summary["interval_95_over_masks"]) == (0, {}, {})
    assert json.loads(json.dumps(summary)) == summary


def test_intervals_cover_the_truth() -> None:
    """Of 60 samples of a known population about 95 % of the intervals must hold its mean."""
    rng = np.random.default_rng(3)
    by_source, by_picture = 0, 0
    for _ in range(60):
        values = rng.normal(0.5, 0.1, 40)
        low, high = source_interval([{"click1": v} for v in values], draws=400)["click1"]
        by_source += low < 0.5 < high
        rows = [outcome("s", v, key=str(i)) for i, v in enumerate(values) for _ in range(3)]
        low, high = picture_interval(rows, draws=400)["click1"]
        by_picture += low < 0.5 < high
    assert 50 <= by_source <= 60
    assert 50 <= by_picture <= 60


def test_masks_of_one_picture_are_drawn_together() -> None:
    """Copies of a mask in its picture bring no new knowledge, so the interval stays as wide."""
    values = np.random.default_rng(0).uniform(size=30)
    single = picture_interval([outcome("s", v, key=str(i)) for i, v in enumerate(values)])
    copies = [outcome("s", v, key=str(i)) for i, v in enumerate(values) for _ in range(10)]
    assert picture_interval(copies)["click1"] == pytest.approx(single["click1"])
