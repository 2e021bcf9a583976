"""The benchmark compares what it says it compares; figures are not looked at."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from bench.report import Part, Row, rows_of, table, write_json
from bench.scene import CELLS, Scene, SceneRuntime
from bench.subjects import MOBILE, OURS, VIT_B, Network, RandomSubjects, Subject, photo

from anymask.core.errors import ModelError
from anymask.evaluate.timing import Sample, Timing, foreign_load, interleave
from anymask.predict.runtime import PromptBatch
from bench import __main__ as command
from bench import parts
from tests.automatic.sam_runtime import save_published, twin_model
from tests.fake_runtime import FakeRuntime, fake_model


class TinySubjects:
    """A small network in the place of ViT-B."""

    def __init__(self, package: ModuleType, folder: Path) -> None:
        path = folder / "tiny.pth"
        theirs = save_published(package, path)
        self._subject = Subject(VIT_B, theirs, path, {"exact": twin_model(path), "fast": twin_model(path)})

    def subject(self, network: Network) -> Subject:
        assert network == VIT_B
        return self._subject


@pytest.fixture(scope="module")
def tiny(segment_anything: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> parts.Setup:
    return parts.Setup(TinySubjects(segment_anything, tmp_path_factory.mktemp("tiny")), rounds=1)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No waiting for others, one call per sample."""
    monkeypatch.setattr("anymask.evaluate.timing._SHORTEST_SAMPLE", 0.0)
    monkeypatch.setattr("anymask.evaluate.timing._QUIET", math.inf)
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path_factory.getbasetemp() / "bench-home"))


@pytest.mark.parametrize("name", ["encoder", "click", "prompts-16", "prompts-64"])
def test_contenders_answer_alike(name: str, tiny: parts.Setup) -> None:
    part = parts.PARTS[name](name, tiny)
    assert [row.contender for row in part.rows][:3] == [VIT_B.title, OURS["exact"], OURS["fast"]]
    assert part.rows[0].difference is None
    for row in part.rows[1:3]:
        assert row.difference is not None
        assert row.difference < 1e-4
    assert all(row.value > 0 and row.unit == "ms" for row in part.rows)


def test_memory_is_that_of_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path))
    part = parts.memory("memory", parts.Setup(RandomSubjects(tmp_path), rounds=1), MOBILE)
    assert [row.contender for row in part.rows] == [MOBILE.title, *OURS.values()]
    assert all(row.unit == "MB" and 50 < row.value < 4000 for row in part.rows)


def test_start_is_that_of_a_new_interpreter(monkeypatch: pytest.MonkeyPatch, tiny: parts.Setup) -> None:
    assert parts.IMPORTS[:2] == ("segment_anything", "anymask")
    monkeypatch.setattr(parts, "IMPORTS", ("json, sqlite3", "anymask"))
    part = parts.start("start", tiny)
    assert [row.contender for row in part.rows] == ["import json, sqlite3", "import anymask"]


def test_everything_is_measured_per_stage_and_process(
    monkeypatch: pytest.MonkeyPatch, tiny: parts.Setup
) -> None:
    asked: list[tuple[str, ...]] = []

    def answer(*arguments: str) -> str:
        asked.append(arguments)
        stages = {"encode": 1.0, "decode": 2.0, "rest": 0.5}
        return json.dumps({"seconds": 3.5, "cpu": 7.0, "stages": stages, "masks": 9, "peak_mb": 400.0})

    monkeypatch.setattr(parts, "_python", answer)
    part = parts.PARTS["everything-vit-b"]("everything-vit-b", tiny)
    assert [arguments[2] for arguments in asked] == ["published", "exact", "fast"]
    assert [row.contender for row in part.rows][:3] == [VIT_B.title, OURS["exact"], OURS["fast"]]
    units = {row.contender: row.unit for row in part.rows}
    assert units[f"{VIT_B.title}: peak memory"] == "MB"
    assert units[f"{OURS['fast']}: decode"] == "s"
    asked.clear()
    parts.PARTS["everything-lite"]("everything-lite", tiny)
    assert [arguments[2:] for arguments in asked] == [("lite",), ("lite-coarse",)]


def test_a_scene_answers_with_nested_regions() -> None:
    scene = Scene((120, 180))
    points = np.array([[500.0, 300.0], [20.0, 20.0], [500.0, 300.0]], np.float32)
    logits, scores = scene.answer(points, 1024)
    assert logits.shape == (3, 3, CELLS, CELLS)
    assert ((scores > 0.6) & (scores < 1.1)).all()
    for number, (x, y) in enumerate((points * CELLS / 1024).astype(int)):
        assert (logits[number, :, y, x] > -1.5).all()
    np.testing.assert_array_equal(logits[0], logits[2])
    areas = (logits > 0).sum(axis=(2, 3)).mean(axis=0)
    assert areas[0] < areas[1] < areas[2]


def test_a_scene_stands_behind_the_seam() -> None:
    runtime, scene = fake_model().runtime, Scene((120, 180))
    assert isinstance(runtime, FakeRuntime)
    points = np.random.default_rng(0).uniform(0, 200, (12, 1, 2)).repeat(2, axis=1)
    prompts = PromptBatch(points, np.tile(np.array([1, -1], np.int32), (12, 1)))
    features = {"image_embedding": np.zeros((3, 64, 64), np.float32)}
    answer = SceneRuntime(runtime, scene).decode(features, prompts, tokens=slice(1, 4), min_score=0.9)
    np.testing.assert_array_equal(answer.index, np.flatnonzero((answer.scores >= 0.9).any(axis=1)))
    assert sum(len(batch) for batch, _ in runtime.batches) == 12  # all the work is done


def test_lite_is_measured_by_itself(monkeypatch: pytest.MonkeyPatch, tiny: parts.Setup) -> None:
    monkeypatch.setattr(parts, "load", lambda name, precision: fake_model())
    part = parts.lite("lite", tiny)
    assert [row.contender for row in part.rows][:4] == [
        "embed, fast", "decode 1, fast", "decode 16, fast", "decode 64, fast",
    ]  # fmt: skip
    assert part.rows[3].value > part.rows[1].value


def test_a_command_that_fails_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"-c .* failed: \[.no.\]"):
        parts._python("-c", "raise SystemExit('no')")


def test_samples_with_the_least_load_of_others_count() -> None:
    samples = ((9, 1.5), (2, 0.1), (50, 0.9), (4, 0.2), (3, math.nan))
    timing = Timing(tuple(Sample(ms, load) for ms, load in samples))
    assert [sample.ms for sample in timing.clean] == [2, 4, 50]
    assert timing.ms == 4
    assert timing.best_ms == 2
    assert timing.foreign == pytest.approx(0.4)
    assert Timing((Sample(5, 0.0),)).ms == 5


def test_contenders_take_turns() -> None:
    called: list[str] = []
    timings = interleave({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, 3)
    assert "".join(called) == "aabb" + "ab" * 3
    assert [len(timing.samples) for timing in timings.values()] == [3, 3]


def test_own_work_is_not_taken_for_that_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"busy": 10.0, "own": 4.0}

    def work() -> None:
        clock["busy"] += 0.6
        clock["own"] += 0.5

    monkeypatch.setattr("anymask.evaluate.timing._busy_seconds", lambda: clock["busy"])
    monkeypatch.setattr("anymask.evaluate.timing._own_seconds", lambda: clock["own"])
    times = iter([0.0, 2.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(times))
    from anymask.evaluate.timing import _sample

    sample = _sample(work, 4)
    assert sample.ms == 500
    assert sample.foreign == pytest.approx(0.2)


def test_without_proc_the_load_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("anymask.evaluate.timing._STAT", tmp_path / "stat")
    assert math.isnan(foreign_load(0.0))


def test_report(tmp_path: Path) -> None:
    slow, fast = Row("theirs", 120.0, "ms", 100.0, 0.5), Row("ours", 30.0, "ms", 20.0, math.nan, 2e-6)
    part = Part("click", "one click", [slow, fast])
    text = table(part)
    assert "4.00x" in text
    assert "load of others 0.50" in text
    assert "max difference 2.0e-06" in text
    document = json.loads(write_json(tmp_path / "bench.json", [part], math.nan).read_text())
    assert document["machine"]["load_of_others"] is None
    assert document["versions"]["torch"]
    assert document["parts"]["click"]["rows"][1]["ratio"] == 4
    assert document["parts"]["click"]["rows"][1]["foreign"] is None


def test_rows_take_differences_by_name() -> None:
    timing = Timing((Sample(5, 0.0),))
    assert [row.difference for row in rows_of({"a": timing, "b": timing}, {"b": 0.5})] == [None, 0.5]


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(name: str, setup: parts.Setup) -> Part:
        raise ModelError("no such model")

    known: dict[str, Any] = {
        "one": lambda name, setup: Part(name, "one thing", [Row("theirs", setup.rounds, "ms", 1.0)]),
        "two": broken,
    }
    monkeypatch.setattr(command, "PARTS", known)
    monkeypatch.setattr(command, "foreign_load", lambda seconds: 0.25)
    path = tmp_path / "new" / "figures.json"
    assert command.main(["--json", str(path), "--rounds", "3", "one"]) == 0
    assert json.loads(path.read_text())["parts"]["one"]["rows"][0]["value"] == 3
    assert command.main(["--json", str(path)]) == 1
    output = capsys.readouterr()
    assert "one thing  [one]" in output.out
    assert "two: not measured: no such model" in output.err
    for wrong in (["three"], ["--rounds", "0"]):
        with pytest.raises(SystemExit):
            command.main(wrong)
    assert "no part three; there are one, two" in capsys.readouterr().err


def test_the_picture_is_always_the_same() -> None:
    assert photo().shape == (768, 1024, 3)
    np.testing.assert_array_equal(photo(), photo())
