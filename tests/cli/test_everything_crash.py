"""Folder jobs that are killed or run out of room: what is finished stays, the next run does the rest."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anymask.cli.job_log import LOCK, NAME
from anymask.core.files import remove_temporaries
from anymask.core.locks import alone_in
from tests.cli.conftest import Command
from tests.fake_runtime import scene

ROOT = Path(__file__).parents[2]
WORDS = (
    "everything",
    "photos",
    "--points-per-side",
    "6",
    "--overlay",
    "drawn/{name}.png",
    "--label-map",
    "maps",
)
FINISHED = tuple("abcdef")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six pictures, and one that is broken."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for place, name in enumerate(FINISHED):
        Image.fromarray(np.roll(scene(), 25 * place, axis=1)).save(folder / f"{name}.png")
    (folder / "broken.png").write_bytes((folder / "b.png").read_bytes()[:200])
    return folder


def line(*words: str) -> list[str]:
    return [sys.executable, "-m", "tests.cli.fake_anymask", *words]


def surroundings() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}


def paths_of(folder: Path) -> list[Path]:
    """Every file of the results but the log, which names its folder."""
    found = (path for name in ("out", "maps", "drawn") for path in (folder / name).glob("*"))
    return [path for path in found if path.name != NAME and path.is_file()]


def files_of(folder: Path) -> dict[str, bytes]:
    """What they hold. Only while nobody writes: a job's unfinished files may go at any moment."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths_of(folder)}


@contextmanager
def at_work(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        line(*WORDS, "-o", "out", *words), env=surroundings(), cwd=folder, stderr=subprocess.DEVNULL
    ) as job:
        try:
            yield job
        finally:
            job.kill()


def undisturbed(command: Command, tmp_path: Path) -> dict[str, bytes]:
    """The files of a run that nothing happens to; then they are removed."""
    done = command(*WORDS, "-o", "out")
    assert done.code == 1
    assert "6 of 7 images done, 0 were complete, 1 failed" in done.err
    whole = files_of(tmp_path)
    assert len(whole) == 3 * len(FINISHED)
    for name in ("out", "maps", "drawn"):
        for path in (tmp_path / name).iterdir():
            path.unlink()
    return whole


@pytest.mark.slow
def test_killed_again_and_again(command: Command, photos: Path, tmp_path: Path) -> None:
    """Five times at moments drawn at random, of which at least one lies between the images."""
    whole = undisturbed(command, tmp_path)
    draw = random.Random(7)
    in_the_middle = 0
    for _ in range(5):
        before = len(paths_of(tmp_path))
        with at_work(tmp_path, "--model", "slow") as job:
            while job.poll() is None and len(paths_of(tmp_path)) == before:
                time.sleep(0.002)
            time.sleep(draw.random() * 0.4)
        in_the_middle += 0 < len(paths_of(tmp_path)) < len(whole)
    assert in_the_middle
    (tmp_path / "maps" / ".anymask-0123456789abcdef.tmp").write_bytes(b"half a file")
    done = command(*WORDS, "-o", "out")
    assert done.code == 1
    assert "broken.png" in done.err
    assert " 0 were complete" not in done.err
    assert files_of(tmp_path) == whole


def test_out_of_room_and_on_again(command: Command, photos: Path, tmp_path: Path) -> None:
    """The system refuses files above 1,500 bytes: the job stops with one line, and no half file is left."""
    whole = undisturbed(command, tmp_path)
    assert min(map(len, whole.values())) < 1500 < max(map(len, whole.values()))

    limited = (
        "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500)); "
        "runpy.run_module('tests.cli.fake_anymask', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", limited, *WORDS, "-o", "out"],
        env=surroundings(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [one for one in done.stderr.splitlines() if one.startswith("anymask: error: ")]
    assert (done.returncode, len(errors)) == (1, 1)
    assert "cannot write" in errors[0]
    assert "free some space" in errors[0]
    assert "0 of 7 images done" in done.stderr
    left = files_of(tmp_path)
    assert left.items() <= whole.items()
    assert left != whole
    assert command(*WORDS, "-o", "out").code == 1
    assert files_of(tmp_path) == whole


def test_one_run_at_a_time(command: Command, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with alone_in(tmp_path / "out", LOCK):
        done = command(*WORDS, "-o", "out")
        assert (done.code, len(done.error_lines)) == (2, 1)
        assert "another run is at work in 'out'" in done.err
    assert command(*WORDS, "-o", "out").code == 1
    assert not (tmp_path / "out" / LOCK).exists()


def test_an_image_that_changes_while_it_is_looked_at_is_done_again(
    command: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from anymask.cli import everything_results

    (photos / "broken.png").unlink()
    real = everything_results.write_atomically

    def meanwhile(path: Path, data: bytes) -> Path:
        if path.name == "a.json":
            Image.fromarray(scene()[::-1]).save(photos / "a.png")
        return real(path, data)

    monkeypatch.setattr(everything_results, "write_atomically", meanwhile)
    assert command(*WORDS, "-o", "out").code == 0
    first = (tmp_path / "out" / "a.json").read_bytes()
    monkeypatch.setattr(everything_results, "write_atomically", real)
    assert "1 of 6 images done, 5 were complete" in command(*WORDS, "-o", "out").err
    assert (tmp_path / "out" / "a.json").read_bytes() != first


def test_only_halves_of_files_are_cleared_away(tmp_path: Path) -> None:
    names = (".anymask-everything.jsonl", ".anymask-0123456789abcdef.tmp.png", ".anymask-notes.tmp", "a.tmp")
    for name in (*names, ".anymask-0123456789abcdef.tmp"):
        (tmp_path / name).touch()
    remove_temporaries(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names)
