"""The command line in this process, with a fake model in place of the loaded one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

import anymask
import anymask.predict.load as loading
from anymask.cli.main import run
from tests.cli import fake_anymask
from tests.fake_runtime import scene


@dataclass(frozen=True)
class Result:
    """What a command did. error_lines: the lines on stderr that name an error."""

    code: int
    out: bytes
    err: str

    @property
    def error_lines(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("anymask: error: ")]


Command = Callable[..., Result]


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> Command:
    """Run `anymask` with these words; the working directory is an empty folder."""
    # The lazy name first: looking it up for the first time keeps what stands behind it then.
    monkeypatch.setattr(anymask, "load", fake_anymask.load)
    monkeypatch.setattr(loading, "load", fake_anymask.load)
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Result:
        code = run([str(word) for word in words])
        out, err = capfdbinary.readouterr()
        return Result(code, out, err.decode())

    return call


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """photo.png, the scene of the fake model."""
    path = tmp_path / "photo.png"
    Image.fromarray(scene()).save(path)
    return path
