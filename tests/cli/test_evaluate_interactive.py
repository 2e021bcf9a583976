"""`anymask evaluate interactive`: what it writes and says, and that a killed run goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from anymask.evaluate.outcomes import outcomes_of, read_lines
from anymask.evaluate.report import Report, outcomes_path
from tests.cli.conftest import Command
from tests.train.toys import describe, drawing, png, toy_shard, write_shard

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return toy_shard(tmp_path / "toys.tar", 5)


def test_a_report_and_its_outcomes(command: Command, shard: Path) -> None:
    done = command("evaluate", "interactive", shard, "-o", "r.json")
    assert (done.code, done.out) == (0, b"")
    assert "fake@0.0.1: 10 masks from 1 sources" in done.err
    header, *rows = [line.split() for line in done.err.splitlines() if line.startswith(("   ", "over"))]
    assert header[:7] == ["click1", "oracle1", "click2", "click3", "click5", "click9", "box"]
    report = Report.load("r.json")
    worse = report.summary["fake@0.0.1"]["share_of_extra_clicks_that_made_it_worse"]
    assert (
        f"extra clicks, up to the fifth, that lowered IoU by more than 0.05: {100 * worse:.1f} %" in done.err
    )
    means = report.summary["fake@0.0.1"]["mean_over_masks"]
    assert rows[0][2:9] == [f"{means[name]:.3f}" for name in header[:7]]
    outcomes = outcomes_of(report, read_lines("r.json"))["fake@0.0.1"]
    assert len(outcomes) == 10
    assert means["click1"] == pytest.approx(np.mean([o.figures["click1"] for o in outcomes]))
    assert (report.data.name, report.data.pictures, report.skipped) == ("toys.tar", 5, ())
    assert report.settings["protocols"] == ["clicks", "box"]


def test_models_and_baselines_see_the_same_masks(command: Command, shard: Path) -> None:
    words = ("--model", "lite", "--baseline", "grabcut", "--baseline", "watershed", "--most-clicks", 2)
    done = command("evaluate", "interactive", shard, *words, "--every", 3, "--json", "-o", "r.json")
    assert done.code == 0, done.err
    report = Report.from_json(json.loads(done.out))
    assert list(report.summary) == ["fake@0.0.1", "grabcut", "watershed"]
    assert report == Report.load("r.json")
    by = outcomes_of(report, read_lines("r.json"))
    boxes = {tuple((o.key, o.number, o.box_xyxy, o.point_xy) for o in rows) for rows in by.values()}
    assert len(boxes) == 1
    assert all(len(rows) == 4 for rows in by.values())
    assert report.summary["grabcut"]["mean_over_masks"]["box"] > 0.9
    assert report.summary["grabcut"]["predicted_iou_ece"] is None


def test_without_clicks_nothing_is_said_about_them(command: Command, shard: Path) -> None:
    done = command("evaluate", "interactive", shard, "--protocols", "box")
    assert done.code == 0
    assert "extra clicks" not in done.err


def test_every_protocol_has_its_column(command: Command, shard: Path) -> None:
    protocols = "clicks, box,box-clicks,scribble,random-click,noc"
    done = command("evaluate", "interactive", shard, "--protocols", protocols, "--every", 4)
    assert done.code == 0
    for column in ("noc85", "noc90", "box_click1", "box_click3", "scribble", "random1", "click1_boundary"):
        assert f" {column}" in done.err


def test_bad_pictures_are_named_skipped_or_refused(command: Command, tmp_path: Path) -> None:
    pixels, masks = drawing(0)
    good = json.dumps(describe(masks)).encode()
    half = json.dumps(describe([masks[0], np.zeros((60, 90), bool)])).encode()
    small = json.dumps(describe([masks[0][:20]])).encode()
    triples = [("good", png(pixels), good), ("text", b"words", good), ("half", png(pixels), half),
               ("small", png(pixels), small)]  # fmt: skip
    shard = write_shard(tmp_path / "x.tar", triples)
    done = command("evaluate", "interactive", shard, "-o", "r.json")
    assert done.code == 0
    report = Report.load("r.json")
    assert report.summary["fake@0.0.1"]["masks"] == 3
    assert {line.split(":")[0] for line in report.skipped} == {"text", "half", "small"}
    assert done.err.count("anymask: skipped ") == 3
    done = command("evaluate", "interactive", shard, "--on-error", "refuse")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "text" in done.error_lines[0]
    done = command("evaluate", "interactive", write_shard(tmp_path / "y.tar", triples[1:2]))
    assert done.code == 2
    assert "no picture with a usable mask" in done.err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["absent.tar"], "absent.tar"),
        (["--protocols", "boxes"], "'boxes' is not known"),
        (["--most-clicks", "30"], "give 1 to 20"),
        (["--baseline", "magic"], "there is no baseline 'magic'"),
        (["--model", "lite", "--model", "lite"], "given twice"),
        (["--layout", "heap"], "heap"),
        (["-o", "absent/r.json"], "cannot write"),
    ],
)
def test_wrong_words_are_one_line(command: Command, shard: Path, words: list[str], hint: str) -> None:
    done = command("evaluate", "interactive", *([] if words[0].endswith("tar") else [shard]), *words)
    assert done.code in (1, 2)
    assert len(done.err.splitlines()) == len(done.error_lines) == 1
    assert hint in done.err


def test_a_journal_of_other_settings_is_refused(command: Command, shard: Path) -> None:
    assert command("evaluate", "interactive", shard, "-o", "r.json", "--every", 3).code == 0
    done = command("evaluate", "interactive", shard, "-o", "r.json", "--every", 3, "--seed", 1)
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "(seed)" in done.err
    assert "--fresh" in done.err
    again = command("evaluate", "interactive", shard, "-o", "r.json", "--every", 3)
    assert "2 of 2 pictures are done already" in again.err
    words = ("-o", "r.json", "--every", 3, "--seed", 1, "--fresh")
    assert command("evaluate", "interactive", shard, *words).code == 0


def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    """Killed in the middle (SIGKILL), started again: the report of an undisturbed run, byte for byte."""
    shard = toy_shard(tmp_path / "toys.tar", 6)
    program = [sys.executable, "-m", "tests.cli.fake_anymask", "evaluate", "interactive", str(shard)]
    words = ["--model", "slow", "--baseline", "watershed", "--most-clicks", "3", "-o"]

    def start(out: Path) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
        return subprocess.Popen(
            [*program, *words, str(out)], cwd=ROOT, env=environment, text=True, stderr=subprocess.PIPE
        )

    with start(tmp_path / "whole.json") as whole:
        whole.communicate(timeout=300)
    assert whole.returncode == 0
    journal = outcomes_path(tmp_path / "r.json")
    with start(tmp_path / "r.json") as killed:
        while not journal.exists() or journal.read_bytes().count(b"\n") < 4:
            assert killed.poll() is None
            time.sleep(0.02)
        killed.send_signal(signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "r.json").exists()
    assert 4 <= journal.read_bytes().count(b"\n") < 13
    with start(tmp_path / "r.json") as second:
        _, said = second.communicate(timeout=300)
    assert second.returncode == 0
    assert "of 6 pictures are done already" in said
    for name in ("json", "outcomes.jsonl"):
        assert (tmp_path / f"r.{name}").read_bytes() == (tmp_path / f"whole.{name}").read_bytes()
