"""`anymask evaluate edges` and `speed`: what they write and say, and that a stopped run goes on."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from anymask.evaluate import speed, timing
from anymask.evaluate.report import Report, outcomes_path
from tests.cli.conftest import Command
from tests.evaluate import layouts
from tests.train.toys import describe, drawing, png, toy_shard, write_shard

QUICK = ("--points-per-side", 4, "--thresholds", 9)


def partitions(path: Path, count: int = 3) -> Path:
    """A shard of drawings whose masks, background included, are a partition."""
    rows = []
    for seed in range(count):
        pixels, masks = drawing(seed)
        about = describe([*masks, ~(masks[0] | masks[1])], exhaustive=True)
        rows.append((f"part-{seed}", png(pixels), json.dumps(about).encode()))
    return write_shard(path, rows)


def test_edges_of_a_shard(command: Command, tmp_path: Path) -> None:
    shard = partitions(tmp_path / "parts.tar")
    words = ("--baseline", "canny", "--baseline", "sobel", "--tolerance", 0.02, *QUICK)
    done = command("evaluate", "edges", shard, *words, "-o", "r.json", "--json")
    assert done.code == 0, done.err
    report = Report.from_json(json.loads(done.out))
    assert report == Report.load("r.json")
    assert list(report.summary) == ["fake@0.0.1", "canny", "sobel"]
    for summary in report.summary.values():
        assert summary["pictures"] == summary["drawings"] == 3
        assert summary["known"] == 1
        assert summary["ods"]["f"] > 0.8
        assert summary["ods"]["f"] <= summary["ois"]["f"] + 0.05
        assert len(summary["curve"]["recall"]) == 9
    assert report.settings["points_per_side"] == 4
    assert len(outcomes_path("r.json").read_text().splitlines()) == 1 + 3 * 3


def test_edges_of_bsds(command: Command, tmp_path: Path) -> None:
    done = command("evaluate", "edges", layouts.bsds(tmp_path / "BSDS500"), *QUICK)
    assert (done.code, done.out) == (0, b""), done.err
    lines = done.err.splitlines()
    assert any(line.startswith("fake@0.0.1: ") and "drawings" in line for line in lines)
    assert [line.split()[0] for line in lines if line[:3] in ("ODS", "OIS", "AP ", "R50")] == [
        "ODS", "OIS", "AP", "R50",
    ]  # fmt: skip


def test_a_stopped_run_goes_on(command: Command, tmp_path: Path) -> None:
    shard = partitions(tmp_path / "parts.tar")
    words = ("evaluate", "edges", shard, "--baseline", "sobel", *QUICK, "-o")
    assert command(*words, "whole.json").code == 0
    lines = outcomes_path("whole.json").read_bytes().splitlines(keepends=True)
    # Stopped after the model's line of the second picture, in the middle of the next one.
    outcomes_path("part.json").write_bytes(b"".join(lines[:4]) + lines[4][:20])
    done = command(*words, "part.json")
    assert done.code == 0
    assert "1 of 3 pictures are done already" in done.err
    assert outcomes_path("part.json").read_bytes() == outcomes_path("whole.json").read_bytes()
    assert Report.load("part.json") == Report.load("whole.json")
    other = command(*words, "part.json", "--tolerance", 0.02)
    assert other.code == 2
    assert "tolerance" in other.error_lines[0]


def test_data_without_edges_is_refused(command: Command, tmp_path: Path) -> None:
    done = command("evaluate", "edges", toy_shard(tmp_path / "toys.tar", 2), *QUICK)
    assert done.code == 2
    assert "toys.tar: no picture with true edges" in done.error_lines[0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--baseline", "prewitt"), "there is no edge detector 'prewitt'; give one of sobel, canny"),
        (("--model", "grabcut"), "grabcut cannot click everywhere"),
        (("--tolerance", "2"), "tolerance is 2.0"),
    ],
)
def test_edges_wrong_words(command: Command, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    done = command("evaluate", "edges", partitions(tmp_path / "parts.tar", 1), *words)
    assert done.code == 2
    assert told in done.error_lines[0]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_SHORTEST_SAMPLE", 0.0)
    monkeypatch.setattr(timing, "_QUIET", math.inf)
    monkeypatch.setattr(speed, "foreign_load", lambda: 0.5)
    monkeypatch.setattr(speed, "peak_memory", lambda name, hw, precision, backend: float(sum(hw)))


@pytest.mark.usefixtures("quick")
def test_speed(command: Command, photo: Path) -> None:
    words = ("--rounds", 2, "--prompts", "2,5", "--points-per-side", 2, "--baseline", "watershed")
    done = command("evaluate", "speed", photo, *words, "-o", "s.json")
    assert (done.code, done.out) == (0, b""), done.err
    report = Report.load("s.json")
    names = ["open", "first_mask", "click", "box", "prompts2", "prompts5"]
    assert list(report.summary["watershed"]["tasks"]) == names
    assert list(report.summary["fake@0.0.1"]["tasks"]) == [*names, "everything"]
    assert report.summary["fake@0.0.1"]["peak_mb"] == 280
    assert "fake@0.0.1: 160 x 120 pixels, 280 MB at most in a new process" in done.err
    row = next(line for line in done.err.splitlines() if line.startswith("prompts5"))
    figures = report.summary["fake@0.0.1"]["tasks"]["prompts5"]
    assert row.split()[1:4] == [f"{figures[key]:.1f}" for key in ("ms", "median_ms", "p10_ms")]
    assert done.err.splitlines()[-1].startswith("others used ")


@pytest.mark.usefixtures("quick")
def test_speed_on_a_drawn_picture(command: Command) -> None:
    words = ("--size", "64x48", "--rounds", 1, "--prompts", "", "--points-per-side", 0, "--no-memory")
    done = command("evaluate", "speed", *words, "--json")
    report = Report.from_json(json.loads(done.out))
    assert report.data.name == "drawn 64 x 48"
    assert report.summary["fake@0.0.1"]["peak_mb"] is None
    assert np.all([t["ms"] > 0 for t in report.summary["fake@0.0.1"]["tasks"].values()])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--size", "big"), "--size is 'big'"),
        (("--size", "8x8"), "at least 16 x 16"),
        (("--prompts", "16,many"), "--prompts is '16,many'"),
        (("--rounds", "0"), "rounds is 0"),
        (("--baseline", "sobel"), "sobel"),
        (("absent.png",), "absent.png"),
    ],
)
def test_speed_wrong_words(command: Command, words: tuple[str, ...], told: str) -> None:
    done = command("evaluate", "speed", "--no-memory", *words)
    assert done.code == 2
    assert told in done.error_lines[0]
