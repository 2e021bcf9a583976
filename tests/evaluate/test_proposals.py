"""Everything mode as proposals: average recall against COCOeval over all pictures at once."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.cli.main import run as anymask
from anymask.core.errors import InputError
from anymask.core.images import Picture
from anymask.core.masks import pairwise_iou
from anymask.core.record import MaskRecord
from anymask.core.rle import encode
from anymask.evaluate.baselines import open_baseline
from anymask.evaluate.coco_metrics import (
    SIZES,
    Judged,
    Scored,
    Truth,
    evaluate_all,
    overlaps,
    recall_of,
)
from anymask.evaluate.predictors import ModelPredictor
from anymask.evaluate.proposals import (
    LIMITS,
    ProposalsSettings,
    average_recall,
    check_predictors,
    evaluate_sample,
    summarise,
)
from anymask.evaluate.report import Report, outcomes_path
from anymask.evaluate.samples import Sample, TrueMask
from tests.evaluate import layouts
from tests.fake_runtime import fake_model, scene
from tests.train.toys import drawing

GRID = {"points_per_side": 6}


def predictor() -> ModelPredictor:
    return ModelPredictor(fake_model(input_size=320, mask_size=80))


def scene_sample(**more: Any) -> Sample:
    """The square with its spot, and the bar of the fake model's scene."""
    pixels = scene()
    square, bar = np.zeros((2, *pixels.shape[:2]), bool)
    square[20:70, 30:80] = True
    bar[40:110, 100:150] = True
    return Sample("scene.png", Picture(pixels), (TrueMask(square), TrueMask(bar)), "scenes", **more)


def line(sample: Sample, settings: ProposalsSettings) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(evaluate_sample(predictor(), sample, settings)))
    return found


def random_picture(rng: np.random.Generator) -> Judged:
    """Rectangles of all sizes, one of four a crowd, and up to 40 masks found, most of them near one."""
    truths, found = [], []
    for _ in range(int(rng.integers(0, 5))):
        mask = np.zeros((150, 200), bool)
        y, x = rng.integers(0, 120), rng.integers(0, 170)
        mask[y : y + rng.integers(3, 140), x : x + rng.integers(3, 140)] = True
        truths.append(Truth(encode(mask), crowd=bool(rng.random() < 0.25)))
        for _ in range(int(rng.integers(0, 12))):
            moved = np.roll(mask, rng.integers(-8, 9, 2), (0, 1))
            found.append(Scored(encode(moved), round(float(rng.random()), 2)))
    return Judged((150, 200), tuple(truths), tuple(found))


@given(seed=st.integers(0, 10_000))
def test_recall_adds_up_to_cocoevals(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pictures = [random_picture(rng) for _ in range(int(rng.integers(1, 6)))]
    limits = (2, 5, 20)
    evaluation = evaluate_all(pictures, class_agnostic=True, limits=limits)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.accumulate()
    expected = evaluation.eval["recall"]  # thresholds, classes, sizes, limits
    each = [recall_of(picture, limits) for picture in pictures]
    for i, size in enumerate(SIZES):
        count = sum(one.objects[size] for one in each)
        for j, limit in enumerate(limits):
            if count:
                recall = sum(one.hits[size][limit] for one in each) / count
                np.testing.assert_allclose(recall, expected[:, 0, i, j], atol=1e-12)
            else:
                assert (expected[:, 0, i, j] == -1).all()


def test_overlaps_are_ious() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.random((5, 20, 30)) < 0.5, rng.random((3, 20, 30)) < 0.3
    one[0], other[0] = False, False
    found = overlaps([encode(mask) for mask in one], [encode(mask) for mask in other])
    expected = pairwise_iou(one, other)
    expected[0, 0] = 0  # both empty: nothing was found
    np.testing.assert_allclose(found, expected)
    assert overlaps([], [encode(one[1])]).shape == (0, 1)


def test_objects_that_everything_mode_finds() -> None:
    found = line(scene_sample(), ProposalsSettings(changes=GRID))
    assert found["proposals"] >= 2
    assert found["objects"] == {"all": 2, "small": 0, "medium": 2, "large": 0}
    assert min(truth["best_iou"]["1000"] for truth in found["truth"]) > 0.9
    summary = summarise([found])
    assert summary["recall"]["AR@1000"] > 0.8
    assert summary["recall"]["AR@1000_medium"] == summary["recall"]["AR@1000"]
    assert summary["recall"]["AR@1000_small"] is None
    assert summary["mean_over_sources"]["AR@1000"] == summary["recall"]["AR@1000"]
    assert summary["masks"] == 2


def test_more_masks_find_no_less() -> None:
    lines = [line(scene_sample(), ProposalsSettings(preset, GRID)) for preset in (None, "objects", "parts")]
    for found in lines:
        recall = average_recall([found])
        for size in ("", "_medium"):
            values = [recall[f"AR@{limit}{size}"] for limit in LIMITS]
            assert values == sorted(values, key=lambda value: value or 0)
    assert lines[0]["proposals"] >= max(found["proposals"] for found in lines[1:]), "no thresholds"


def test_void_and_crowds_need_not_be_found() -> None:
    whole = scene_sample()
    square, bar = whole.masks
    crowd = Sample("s", whole.picture, (square, TrueMask(bar.mask, crowd=True)), "scenes")
    found = line(crowd, ProposalsSettings(changes=GRID))
    assert found["objects"]["all"] == 1
    assert [truth["number"] for truth in found["truth"]] == [0]
    void = Sample("s", whole.picture, (TrueMask(square.mask, ignore=bar.mask), TrueMask(bar.mask)), "scenes")
    assert line(void, ProposalsSettings(changes=GRID))["objects"]["all"] == 1


@pytest.mark.parametrize(
    ("wrong", "found_by"),  # predicted IoU and stability of ten wrong masks; the right one has 0.6 and 0.6
    [((0.9, 0.1), {"mean", "stability"}), ((0.1, 0.9), {"mean", "iou"}), ((0.9, 0.5), {"stability"})],
)
@pytest.mark.parametrize("rank", ["mean", "iou", "stability"])
def test_the_first_masks_are_those_of_the_best_rank(
    rank: Any, wrong: tuple[float, float], found_by: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = scene_sample().masks[0].mask
    corner = np.zeros_like(right)
    corner[:5, :5] = True
    records = [MaskRecord.of_mask(corner, score=wrong[0], stability=wrong[1]) for _ in range(10)]
    records.append(MaskRecord.of_mask(right, score=0.6, stability=0.6))
    monkeypatch.setattr("anymask.evaluate.proposals.generate_masks", lambda *_, **__: records)
    best = line(scene_sample(), ProposalsSettings(rank=rank))["truth"][0]["best_iou"]
    assert best == {"10": float(rank in found_by), "100": 1.0, "1000": 1.0}


def test_sources_count_alike_and_intervals_hold_the_value() -> None:
    good = line(scene_sample(), ProposalsSettings(changes=GRID))
    blank = Sample("b", Picture(np.zeros((60, 90, 3), np.uint8)), (TrueMask(drawing(0)[1][0]),), "blank")
    bad = line(blank, ProposalsSettings(changes=GRID))
    summary = summarise([good, good, good, bad])
    recall, over_sources = summary["recall"]["AR@1000"], summary["mean_over_sources"]["AR@1000"]
    assert over_sources == pytest.approx((recall_alone(good) + recall_alone(bad)) / 2)
    assert recall == pytest.approx((6 * recall_alone(good) + recall_alone(bad)) / 7)
    low, high = summary["interval_95"]["AR@1000"]
    assert recall_alone(bad) <= low < recall < high <= recall_alone(good)


def recall_alone(found: dict[str, Any]) -> float:
    value = average_recall([found])["AR@1000"]
    assert value is not None
    return value


def test_wrong_settings_and_methods() -> None:
    with pytest.raises(InputError, match="preset 'nonsense'"):
        ProposalsSettings("nonsense")
    with pytest.raises(InputError, match="rank is 'size'"):
        ProposalsSettings(rank="size")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="unknown setting points"):
        ProposalsSettings(changes={"points": 3})
    with pytest.raises(InputError, match="grabcut has no everything mode; give a model"):
        check_predictors([predictor(), open_baseline("grabcut")])


def test_the_command_goes_on_where_it_was_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anymask.predict.load.load", lambda *_, **__: predictor().model)
    data, out = layouts.folder(tmp_path / "data"), tmp_path / "report.json"
    (data / "masks" / "p1.png").write_text("words")
    (data / "images" / "p2.png").write_bytes((data / "images" / "p0.png").read_bytes())
    (data / "masks" / "p2.png").write_bytes((data / "masks" / "p0.png").read_bytes())
    words = ["evaluate", "proposals", str(data), "--points-per-side", "4", "--crop-n-layers", "auto"]
    words += ["-o", str(out)]
    assert anymask(words) == 0
    text = capsys.readouterr().err
    assert "AR@1000" in text
    assert "skipped images/p1.png" in text
    whole, journal = Report.load(out), outcomes_path(out)
    assert whole.settings["points_per_side"] == 4
    assert whole.settings["pred_iou_thresh"] == 0
    assert whole.settings["crop_n_layers"] == "auto"
    lines = journal.read_bytes()
    journal.write_bytes(lines[: len(lines) - 200])
    out.unlink()
    assert anymask([*words, "--quiet"]) == 0
    assert Report.load(out) == whole
    assert journal.read_bytes() == lines
    assert anymask([*words, "--on-error", "refuse", "--fresh"]) == 2
    assert "images/p1.png" in capsys.readouterr().err
