"""`anymask evaluate report`, and --html of the other commands: the page lands where it was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from anymask.evaluate.report import outcomes_path
from tests.cli.conftest import Command
from tests.evaluate.pages import read, section
from tests.evaluate.runs import outcome, save_run
from tests.train.toys import toy_shard


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return toy_shard(tmp_path / "toys.tar", 3)


def test_a_run_writes_its_page_and_report_writes_the_same(command: Command, shard: Path) -> None:
    words = ("--most-clicks", 2, "-o", "r.json", "--html", "run.html")
    done = command("evaluate", "interactive", shard, *words)
    assert done.code == 0
    assert "anymask: wrote run.html" in done.err
    assert len(section(Path("run.html").read_text("utf-8"), "Cases").of_class("case")) == 6
    done = command("evaluate", "report", "r.json", "--data", shard, "-o", "again.html")
    assert (done.code, done.out, done.err.strip()) == (0, b"", "anymask: wrote again.html")
    assert Path("again.html").read_bytes() == Path("run.html").read_bytes()
    assert command("evaluate", "report", "r.json", "-o", "bare.html", "--quiet").err == ""
    assert Path("bare.html").stat().st_size < Path("run.html").stat().st_size


@pytest.mark.parametrize("protocol", ["boxes", "proposals"])
def test_other_protocols_have_pages_too(command: Command, shard: Path, protocol: str) -> None:
    more = ("--points-per-side", 4) if protocol == "proposals" else ()
    done = command("evaluate", protocol, shard, *more, "-o", "r.json", "--html", "run.html")
    assert done.code == 0, done.err
    done = command("evaluate", "report", "r.json", "--data", shard, "-o", "again.html", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert Path("again.html").read_bytes() == Path("run.html").read_bytes()


def test_a_page_without_its_folder_is_refused_before_the_run(command: Command, shard: Path) -> None:
    done = command("evaluate", "interactive", shard, "-o", "r.json", "--html", "absent/run.html")
    assert (done.code, len(done.error_lines)) == (1, 1)
    assert "absent/run.html" in done.err
    assert not Path("r.json").exists()
    assert not outcomes_path("r.json").exists()


def test_hostile_labels_do_nothing(command: Command) -> None:
    rows = [outcome(f"toy-{i}", source="<script>alert(1)</script>", label="<img src=x>") for i in range(3)]
    save_run(Path("r.json"), rows)
    assert command("evaluate", "report", "r.json", "-o", "r.html").code == 0
    tree = read(Path("r.html").read_text("utf-8"))
    assert tree.all("script") == tree.all("img") == []


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["absent.json", "-o", "x.html"], "cannot read the report 'absent.json'"),
        (["r.json", "-o", "absent/x.html"], "create it first"),
        (["r.json", "-o", "x.html", "--data", "absent.tar"], "'absent.tar' does not exist"),
        (["r.json", "-o", "x.html", "--data", "other.tar"], "is another picture than the report was made on"),
        (["r.json", "-o", "x.html", "--data", "fewer.tar"], "'fewer.tar' has no readable picture 'toys-2'"),
        (["alone.json", "-o", "x.html"], "alone.outcomes.jsonl"),
        (["r.json"], "-o"),
    ],
)
def test_what_is_refused_is_one_line(command: Command, tmp_path: Path, words: list[str], hint: str) -> None:
    save_run(Path("r.json"), [outcome(f"toys-{i}", image_hw=(60, 91)) for i in range(3)])
    toy_shard(Path("other.tar"), 3)
    toy_shard(Path("fewer.tar"), 2)
    Path("alone.json").write_bytes(Path("r.json").read_bytes())
    done = command("evaluate", "report", *words, "--quiet")
    assert done.code in (1, 2)
    assert len(done.err.splitlines()) == len(done.error_lines) == 1
    assert hint in done.err
    assert not Path("x.html").exists()
