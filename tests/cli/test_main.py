"""The entry point: help, version, every failure one line and an exit code, pipes, Ctrl-C, terminals."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

import anymask
import anymask.predict.load as loading
from anymask.cli import main as entry
from anymask.cli.terminal import one_line
from tests.cli import fake_anymask
from tests.cli.conftest import Command
from tests.fake_runtime import scene

ROOT = Path(__file__).parents[2]
FAKE = [sys.executable, "-m", "tests.cli.fake_anymask"]
SQUARE = ["--point", "40,30"]


def environment(**changes: str) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **changes}


def shell(
    *words: str, stdin: bytes = b"", cwd: Path = ROOT, **changes: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*FAKE, *words], input=stdin, cwd=cwd, capture_output=True, timeout=120, env=environment(**changes)
    )


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"photo{i}.png" for i in range(4)]
    for path in paths:
        Image.fromarray(scene()).save(path)
    return [str(path) for path in paths]


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_names_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for name in entry.COMMANDS:
        assert re.search(rf"\b{name}\b", out)


@pytest.mark.parametrize("name", entry.COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"anymask {name}" in out
    assert "install-completion" not in out
    assert importlib.import_module(entry.COMMANDS[name]).__doc__


def test_every_command_is_in_the_guide() -> None:
    shown = (ROOT / "docs" / "cli.md").read_text()
    for name in entry.COMMANDS:
        assert f"\n## anymask {name}\n" in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(["--version"]) == 0
    assert capsys.readouterr().out == f"anymask {anymask.__version__}\n"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["segmant"], "segmant"),
        (["--bogus"], "--bogus"),
        (["segment"], "IMAGES"),
        (["segment", "a.png", "--point"], "--point"),
        (["doctor", "too", "many"], "too"),
        (["models", "bogus"], "bogus"),
    ],
)
def test_wrong_usage(words: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("anymask: error: ")
    assert err.count("\n") == 1
    assert hint in err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (anymask.errors.PromptError("bad\nprompt"), 2, "anymask: error: bad prompt\n"),
        (anymask.errors.ModelError("no model"), 1, "anymask: error: no model\n"),
        (anymask.errors.OutputError("cannot write"), 1, "anymask: error: cannot write\n"),
        (MemoryError(), 1, "anymask: error: not enough memory; "),
        (PermissionError(13, "Permission denied", "x.png"), 1, "anymask: error: x.png: Permission denied.\n"),
        (KeyError("gone"), 1, "anymask: error: unexpected KeyError: 'gone' (set ANYMASK_DEBUG=1 to see"),
        (KeyboardInterrupt(), 130, "anymask: interrupted\n"),
    ],
)
def test_every_failure_is_one_line(
    error: BaseException,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(loading, "load", fail)
    monkeypatch.delenv("ANYMASK_DEBUG", raising=False)
    assert entry.run(["segment", "a.png", *SQUARE]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("gone")

    monkeypatch.setattr(loading, "load", fail)
    monkeypatch.setenv("ANYMASK_DEBUG", "1")
    with pytest.raises(KeyError, match="gone"):
        entry.run(["segment", "a.png", *SQUARE])


@given(st.text())
def test_one_line_is_one_printable_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert "\n" not in line


def test_control_characters_in_a_file_name_do_not_reach_the_terminal(command: Command) -> None:
    done = command("segment", "evil\x1b[2J\nname.png", *SQUARE)
    assert done.code == 2
    assert "\x1b" not in done.err
    assert done.err.count("\n") == 1


# No "/" and "~": a run must stay in its folder. No NUL: no shell can pass it.
TEXT = st.text(st.characters(exclude_characters="\x00/\\~", exclude_categories=()), max_size=8)
PLACES = ["40,30", "40,30:0", "-1,5", "999,1", "nan,nan", "1e400,2", "9" * 400 + ",1", ",", "40,30:7"]
BOXES = ["28,18,82,72", "98,38,152,112", "9,9,3,3", "0,0,0,0", "1,2,3", "-50,-50,500,500"]
LINES = ["35,25 75,30 75,65", "1,1 9,9", "1,1", "", "1,1 nan,2 3,3", "500,1 2,2 3,9"]
FILES = [
    "out.png",
    "out.svg",
    "out.json",
    "sub/",
    "{name}",
    "{name}.png",
    "photo.png",
    "nowhere.bmp",
    ".",
    "x.jpg",
]
VALUES = {
    "--point": PLACES,
    "--box": BOXES,
    "--scribble": LINES,
    "--polygon": LINES,
    "--mask": FILES,
    "-o": [*FILES, "-"],
    "--overlay": FILES,
    "--cutout": FILES,
    "--format": ["png", "json", "coco", "svg", "gif"],
    "--precision": ["fast", "exact", "half"],
    "--threads": ["1", "0", "x"],
    "--label": ["thing", "\udcff"],
}
SETTING = st.one_of(
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda o: st.tuples(st.just(o), st.sampled_from(VALUES[o]) | TEXT)
    ),
    st.sampled_from(["--json", "--quiet", "--candidates", "-", "photo.png", "second.png"]).map(
        lambda w: (w,)
    ),
    TEXT.map(lambda w: (w,)),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(SETTING, max_size=5))
@example([("\udd00",)])
def test_any_words_end_in_a_result_or_one_line(chosen: list[tuple[str, ...]]) -> None:
    """Whatever is typed: a known exit code, no traceback, and an error line unless the code is 0."""
    words = ["segment", "photo.png", "--point", "40,30", *(word for setting in chosen for word in setting)]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "load", fake_anymask.load)
        patch.chdir(folder)
        for name in ("photo.png", "second.png"):
            Image.fromarray(scene()).save(name)
        before = Path("photo.png").read_bytes()
        out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"not an image")))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = entry.run(words)
        assert Path("photo.png").read_bytes() == before
        assert not list(Path().glob("**/.anymask-*"))
    errors = [line for line in err.getvalue().splitlines() if line.startswith("anymask: error: ")]
    assert code in (0, 1, 2)
    assert bool(errors) == (code != 0)
    assert code != 2 or len(errors) == 1
    assert "Traceback" not in err.getvalue()
    assert "unexpected" not in err.getvalue()


def test_stdin_to_stdout(photos: list[str], tmp_path: Path) -> None:
    done = shell("segment", "-", *SQUARE, "-o", "-", stdin=Path(photos[0]).read_bytes())
    assert done.returncode == 0
    shell("segment", photos[0], *SQUARE, "-o", str(tmp_path / "m.png"))
    assert done.stdout == (tmp_path / "m.png").read_bytes()
    assert done.stderr.decode().startswith("-: mask of")


@pytest.mark.parametrize("stdin", [b"", b"text"])
def test_stdin_that_is_no_image(stdin: bytes) -> None:
    done = shell("segment", "-", *SQUARE, "-o", "-", stdin=stdin)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1


def test_a_reader_that_leaves_early(photos: list[str]) -> None:
    running = subprocess.Popen(
        [*FAKE, "segment", *photos, *SQUARE, "--json", "--quiet", "--model", "slow"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert running.stdout is not None
    assert running.stderr is not None
    assert json.loads(running.stdout.readline())["source"] == photos[0]
    running.stdout.close()
    assert running.wait(timeout=120) == 1
    assert running.stderr.read() == b""
    running.stderr.close()


def test_ctrl_c_leaves_what_is_finished(photos: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    running = subprocess.Popen(
        [*FAKE, "segment", *photos, *SQUARE, "-o", str(out), "--model", "slow"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        env=environment(),
        # a suite that runs in the background ignores Ctrl-C and hands that down
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for _ in range(600):
        if (out / "photo0.png").exists():
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=120)
    assert running.returncode == 130
    finished = sorted(p.name for p in out.iterdir())
    assert "photo0.png" in finished
    assert "photo3.png" not in finished
    assert all(name.startswith("photo") for name in finished), "no half-written file"
    assert err.endswith(f"{len(finished)} of 4 images are done\nanymask: interrupted\n".encode())
    assert b"Traceback" not in err
    for name in finished:
        with Image.open(out / name) as image:
            assert image.size == (160, 120)


def on_a_terminal(*words: str, stdout: Path | None = None, **changes: str) -> str:
    """What the command writes to stderr where that is a terminal; stdout goes to a file or nowhere."""
    ours, theirs = pty.openpty()
    with (stdout or Path(os.devnull)).open("wb") as data:
        running = subprocess.Popen(
            [*FAKE, *words],
            cwd=ROOT,
            stdout=data,
            stderr=theirs,
            env=environment(TERM="xterm", COLUMNS="100", **changes),
        )
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux's way to say that the other side is closed
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    assert running.wait(timeout=120) == 0
    return seen.decode()


def test_a_progress_bar_on_a_terminal_only(photos: list[str], tmp_path: Path) -> None:
    words = ["segment", *photos, *SQUARE, "-o", str(tmp_path / "out")]
    assert "━" in on_a_terminal(*words)
    assert "━" not in on_a_terminal(*words, "--quiet")
    piped = shell(*words)
    assert "━" not in piped.stderr.decode()
    assert "\x1b" not in piped.stderr.decode()


def test_data_does_not_get_into_the_progress_bar(photos: list[str], tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    seen = on_a_terminal("segment", *photos, *SQUARE, "--json", stdout=report)
    assert "━" in seen
    assert '"source"' not in seen
    assert [json.loads(line)["source"] for line in report.read_text().splitlines()] == photos


def test_no_color(photos: list[str], tmp_path: Path) -> None:
    colour = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    words = ["segment", *photos, *SQUARE, "-o", str(tmp_path / "out")]
    assert colour.search(on_a_terminal(*words))
    assert not colour.search(on_a_terminal(*words, NO_COLOR="1"))
    assert not colour.search(shell("--help", NO_COLOR="1", FORCE_COLOR="1").stdout.decode())


def test_an_ascii_terminal_shows_any_file_name(tmp_path: Path) -> None:
    Image.fromarray(scene()).save(tmp_path / "фото.png")
    done = shell(
        "segment", "фото.png", *SQUARE, "--json", cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["source"] == "фото.png"
    assert rb"\u0444" in done.stderr
