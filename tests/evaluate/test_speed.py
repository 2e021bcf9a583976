"""Speed: what is called how often, and what is made of the samples; no figure of a clock is looked at."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from anymask.core.errors import InputError, ModelError
from anymask.core.images import Picture
from anymask.evaluate import memory, speed, timing
from anymask.evaluate.baselines import open_baseline
from anymask.evaluate.predictors import ModelPredictor
from anymask.evaluate.report import Report
from anymask.evaluate.speed import SpeedSettings, drawn_picture, measure, speed_report, summarise, tasks
from anymask.evaluate.timing import Sample, Timing
from tests.fake_runtime import FakeRuntime, fake_model, scene

NAMES = ["open", "first_mask", "click", "box", "prompts3", "everything"]
SETTINGS = SpeedSettings(rounds=2, prompts=(3,), points_per_side=2, patience=0)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for others, one call per sample."""
    monkeypatch.setattr(timing, "_SHORTEST_SAMPLE", 0.0)
    monkeypatch.setattr(timing, "_QUIET", math.inf)


def runtime_of(predictor: ModelPredictor) -> FakeRuntime:
    runtime = predictor.model.runtime
    assert isinstance(runtime, FakeRuntime)
    return runtime


def test_each_task_does_what_it_says() -> None:
    """Two pictures: everything happens once for each."""
    predictor = ModelPredictor(fake_model())
    runtime = runtime_of(predictor)
    found = tasks(predictor, [Picture(scene()), Picture(scene()[:, ::-1])], SETTINGS)
    assert list(found) == NAMES
    embeds = {"open": 2, "first_mask": 2, "everything": 2}
    prompts = {"first_mask": [1, 1], "click": [1, 1], "box": [1, 1], "prompts3": [3, 3], "everything": [4, 4]}
    for name, call in found.items():
        runtime.encoded = 0
        runtime.batches.clear()
        call()
        assert runtime.encoded == embeds.get(name, 0), name
        assert [len(batch) for batch, _ in runtime.batches] == prompts.get(name, []), name
        labels = {label for batch, _ in runtime.batches for label in batch.labels.ravel().tolist()}
        assert (labels == {2, 3}) == (name == "box")


def test_everything_can_be_left_out_and_is_of_models_only() -> None:
    pictures = [Picture(scene())]
    without = SpeedSettings(prompts=(), points_per_side=0)
    assert list(tasks(ModelPredictor(fake_model()), pictures, without)) == NAMES[:4]
    assert list(tasks(open_baseline("watershed"), pictures, SETTINGS)) == NAMES[:5]


def test_predictors_take_turns() -> None:
    one, other = ModelPredictor(fake_model()), open_baseline("watershed")
    timings = measure([one, other], [Picture(scene())], SETTINGS)
    assert {name: list(by) for name, by in timings.items()} == {"fake@0.0.1": NAMES, "watershed": NAMES[:5]}
    assert all(len(t.samples) == 2 for by in timings.values() for t in by.values())
    # Opened once for all tasks; then open, first_mask and everything: twice to warm up and two rounds.
    assert runtime_of(one).encoded == 1 + 3 * 4


def test_figures_are_per_picture() -> None:
    found = summarise(Timing(tuple(Sample(ms, 0.25) for ms in (40.0, 20.0, 80.0, 60.0))), 2)
    assert found == {
        "ms": 15.0,  # others alike in all: the first half counts
        "median_ms": 25.0,
        "p10_ms": 13.0,
        "p90_ms": 37.0,
        "best_ms": 10.0,
        "rounds": 4,
        "foreign": 0.25,
    }
    assert summarise(Timing((Sample(3.0, math.nan),)), 1)["foreign"] is None


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_quantiles_are_numpys(count: int) -> None:
    times = np.random.default_rng(count).uniform(1, 9, count)
    taken = Timing(tuple(Sample(float(ms), 0.0) for ms in times))
    for share in (0, 0.1, 0.5, 0.77, 1):
        assert taken.quantile_ms(share) == pytest.approx(np.quantile(times, share))


def test_the_report_says_what_others_used(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = iter([0.5, 1.5])
    monkeypatch.setattr(speed, "foreign_load", lambda: 0.75)
    monkeypatch.setattr(
        speed,
        "interleave",
        lambda calls, rounds, patience: {
            name: Timing((Sample(10.0, next(loads, math.nan)),)) for name in calls
        },
    )
    report = speed_report(
        [ModelPredictor(fake_model())],
        [drawn_picture(60, 80)],
        SETTINGS,
        about={"precision": "fast"},
        peak_mb={"fake@0.0.1": 99.0},
    )
    assert report.machine["load_before"] == 0.75
    assert report.machine["load_of_others"] == 1.0
    assert report.summary["fake@0.0.1"]["peak_mb"] == 99.0
    assert list(report.summary["fake@0.0.1"]["tasks"]) == NAMES
    assert report.settings["sizes"] == "80 x 60"
    assert report.settings["precision"] == "fast"
    assert (report.data.name, report.data.pictures) == ("drawn 80 x 60", 1)
    assert Report.from_json(report.to_json()) == report


def test_the_drawn_picture_is_always_the_same() -> None:
    first = drawn_picture(96, 128)
    assert first.image_hw == (96, 128)
    np.testing.assert_array_equal(first.pixels, drawn_picture(96, 128).pixels)
    assert len(np.unique(first.pixels.reshape(-1, 3), axis=0)) > 20


def test_memory_is_that_of_a_process_of_its_own() -> None:
    """A method without a network needs what Python, NumPy and OpenCV need, whatever this process holds."""
    peak = speed.peak_memory("grabcut", (120, 160), precision="fast", backend="auto")
    ballast = np.ones(60_000_000, np.float64)
    again = speed.peak_memory("grabcut", (120, 160), precision="fast", backend="auto")
    assert 30 < peak < 400
    assert again < ballast.nbytes / 2**20


def test_a_process_that_fails_is_named() -> None:
    with pytest.raises(ModelError, match=r"memory of 'absent-model' failed: .*absent-model"):
        speed.peak_memory("absent-model", (60, 80), precision="fast", backend="auto")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: SpeedSettings(rounds=0), "rounds is 0"),
        (lambda: SpeedSettings(prompts=(16, 0)), "give numbers from 1"),
        (lambda: SpeedSettings(points_per_side=-1), "points_per_side is -1"),
        (lambda: SpeedSettings(patience=math.inf), "patience inf"),
        (lambda: drawn_picture(8, 100), "100 x 8 pixels"),
        (lambda: measure([ModelPredictor(fake_model())], [], SETTINGS), "no picture"),
    ],
)
def test_what_cannot_be_meant(wrong: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        wrong()  # type: ignore[operator]


def test_memory_without_proc_is_getrusages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = memory.peak_mb()
    monkeypatch.setattr(memory, "_STATUS", tmp_path / "absent")
    assert memory.peak_mb() >= 0.9 * known  # a parent's peak may count there
    monkeypatch.setitem(sys.modules, "resource", None)
    with pytest.raises(ModelError, match="--no-memory"):
        memory.peak_mb()
