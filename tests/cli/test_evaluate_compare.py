"""`anymask evaluate compare`: what it says, prints and draws, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.evaluate.runs import moved, outcome, save_run
from tests.train.toys import toy_shard


def test_the_command_tells_prints_and_draws(command: Command, tmp_path: Path) -> None:
    shard = toy_shard(tmp_path / "toys.tar", 4)
    words = ("--baseline", "watershed", "--most-clicks", 2, "--quiet")
    assert command("evaluate", "interactive", shard, *words, "-o", "r.json").code == 0
    done = command("evaluate", "compare", "r.json", "r.json", "--html", "c.html", "--data", shard)
    assert (done.code, done.out) == (0, b"")
    assert "common: 8 masks in 4 pictures of 1 sources" in done.err
    assert "A: fake@0.0.1 on toys.tar" in done.err
    assert "B: watershed on toys.tar" in done.err
    page = Path("c.html").read_text("utf-8")
    assert "watershed against fake@0.0.1" in page
    done = command("evaluate", "compare", "r.json", "r.json", "--json")
    told = json.loads(done.out)
    summary = json.loads(Path("r.json").read_bytes())["summary"]
    assert (done.code, told["anymask_comparison"]) == (0, 1)
    assert told["over_masks"]["click1"]["a"] == summary["fake@0.0.1"]["mean_over_masks"]["click1"]
    assert told["over_masks"]["click1"]["b"] == summary["watershed"]["mean_over_masks"]["click1"]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["absent.json", "r.json"], "absent.json"),
        (["r.json", "r.json", "--b", "nobody"], "'nobody' is not in the report"),
        (["r.json", "r.json", "--html", "c.html", "--figure", "noc85"], "figure 'noc85' is not in both"),
        (["r.json", "r.json", "--html", "absent/c.html"], "cannot write"),
        (["r.json", "r.json", "--html", "c.html", "--data", "absent.tar"], "'absent.tar' does not exist"),
    ],
)
def test_what_the_command_refuses_is_one_line(
    command: Command, tmp_path: Path, words: list[str], hint: str
) -> None:
    rows = [outcome(f"toy-{i}", click=0.1 * i) for i in range(3)]
    save_run(Path("r.json"), [*rows, *moved(rows, 0.1)])
    done = command("evaluate", "compare", *words, "--quiet")
    assert done.code in (1, 2)
    assert len(done.err.splitlines()) == len(done.error_lines) == 1
    assert hint in done.err
