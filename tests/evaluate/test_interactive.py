"""The interactive protocol on drawn pictures with a model whose answers are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from anymask.core.errors import FormatError
from anymask.evaluate.interactive import (
    Outcome,
    centre,
    evaluate_case,
    expected_calibration_error,
    next_click,
    read_case,
    shard_cases,
    summarise,
)
from tests.fake_runtime import fake_model
from tests.train.toys import describe, drawing, png, toy_shard, write_shard

regions = arrays(bool, (12, 17)).filter(np.any)


@given(regions)
def test_centre_is_the_deepest_pixel(region: np.ndarray) -> None:
    x, y, depth = centre(region)
    exact = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    assert region[y, x]
    assert exact[y, x] == pytest.approx(exact.max(), abs=1e-3)
    assert depth == pytest.approx(exact.max(), abs=1e-3)


@given(regions, arrays(bool, (12, 17)))
def test_next_click_corrects_an_error(mask: np.ndarray, guess: np.ndarray) -> None:
    clicks = next_click(mask, guess)
    assert (clicks == []) == bool((mask == guess).all())
    for x, y, label in clicks:
        assert mask[y, x] == bool(label)
        assert mask[y, x] != guess[y, x]


def test_a_model_that_is_right_scores_one() -> None:
    """The fake model finds regions of one colour, which is just what the drawings' masks are."""
    pixels, masks = drawing(1, 128, 192)
    case = read_case("toy", png(pixels), describe(masks))
    outcomes = evaluate_case(fake_model(input_size=768, mask_size=192), case)
    assert len(outcomes) == 2
    for outcome in outcomes:
        assert outcome.clicks[0] > 0.9
        assert outcome.oracle >= outcome.clicks[0]
        assert outcome.predicted == pytest.approx(0.9)
        assert len(outcome.clicks) == 5


def outcome(
    source: str, clicks: tuple[float, ...], *, zero_shot: bool = False, predicted: float = 0.5
) -> Outcome:
    return Outcome("k", 0, source, zero_shot, 0.1, clicks, max(clicks[0], 0.6), predicted, 0.7)


def test_every_source_counts_alike() -> None:
    rows = [outcome("many", (0.2, 0.4))] * 9 + [outcome("one", (0.8, 1.0), zero_shot=True)]
    report = summarise(rows)
    assert report["mean_over_sources"]["click1"] == pytest.approx(0.5)
    assert report["mean_over_masks"]["click1"] == pytest.approx(0.26)
    assert report["mean_over_trained_sources"]["click2"] == pytest.approx(0.4)
    assert report["mean_over_zero_shot_sources"]["click2"] == pytest.approx(1.0)
    low, high = report["interval_95"]["click1"]
    assert 0.19 < low < 0.5 < high < 0.81


def test_clicks_that_make_it_worse_are_counted() -> None:
    rows = [outcome("s", (0.5, 0.4, 0.46, 0.9, 0.8)), outcome("s", (0.5, 0.5, 0.5, 0.5, 0.5))]
    assert summarise(rows)["share_of_extra_clicks_that_made_it_worse"] == pytest.approx(2 / 8)


def test_calibration() -> None:
    exact = [outcome("s", (v,), predicted=v) for v in (0.05, 0.35, 0.75, 1.0)]
    boastful = [outcome("s", (0.5,), predicted=0.9)] * 4
    assert expected_calibration_error(exact) == pytest.approx(0.0)
    assert expected_calibration_error(boastful) == pytest.approx(0.4)


def test_broken_pictures_are_named_and_left_out(tmp_path: Path) -> None:
    pixels, masks = drawing(0)
    good = json.dumps(describe(masks)).encode()
    empty = json.dumps(describe([np.zeros((60, 90), bool)])).encode()
    small = json.dumps(describe([masks[0][:20]])).encode()
    shard = write_shard(
        tmp_path / "x.tar",
        [("good", png(pixels), good), ("text", b"words", good), ("empty", png(pixels), empty),
         ("small", png(pixels), small), ("none", png(pixels), b'{"source": "s"}')],
    )  # fmt: skip
    trouble: list[str] = []
    assert [case.key for case in shard_cases([shard], trouble)] == ["good"]
    assert [line.split(":")[0] for line in trouble] == ["text", "empty", "small", "none"]


def test_every_nth_picture(tmp_path: Path) -> None:
    shard = toy_shard(tmp_path / "toys.tar", 7)
    assert [case.key for case in shard_cases([shard], [], every=3)] == ["toys-0", "toys-3", "toys-6"]


def test_not_a_shard(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is no shard"):
        list(shard_cases([tmp_path / "absent.tar"], []))
