"""README, docs and examples do what they say: every snippet that needs no network runs."""

from __future__ import annotations

import contextlib
import glob
import io
import itertools
import json
import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path

import pytest
import typer
from PIL import Image

import anymask
import anymask.predict.load as loading
from anymask.cli import segment
from anymask.cli.main import run
from anymask.cli.outputs import numbered
from anymask.core.prompt import Prompt
from tests.cli import fake_anymask

ROOT = Path(__file__).parents[1]
GUIDES = ("README.md", "docs/python.md", "docs/cli.md")
DOCUMENTS = (*GUIDES, "CONTRIBUTING.md", "GLOSSARY.md", "CHANGELOG.md", "examples/CREDITS.md")
CLICKS = json.loads((ROOT / "examples" / "clicks.json").read_text())["photos"]


def snippets(guide: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / guide).read_text(), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """The `anymask segment` lines of all shell snippets."""
    text = "\n".join(snippet for guide in GUIDES for snippet in snippets(guide, "bash"))
    return [line for line in text.replace("\\\n", " ").splitlines() if line.startswith("anymask segment ")]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples, as the working directory; the model is a fake one."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path / "home"))
    # The lazy name first: looking it up for the first time keeps what stands behind it then.
    monkeypatch.setattr(anymask, "load", fake_anymask.load)
    monkeypatch.setattr(loading, "load", fake_anymask.load)
    return tmp_path


def test_there_are_snippets_to_run() -> None:
    assert len(commands()) >= 12
    assert len(snippets("README.md", "python")) == 2
    assert len(snippets("docs/python.md", "python")) >= 8


@pytest.mark.parametrize("guide", ["README.md", "docs/python.md"])
def test_python_snippets_run_in_order(clone: Path, guide: str) -> None:
    names: dict[str, object] = {}
    for snippet in snippets(guide, "python"):
        exec(snippet, names)
    assert [record.label for record in anymask.read(clone / "cup.json")] == ["cup"]
    objects = clone / ("objects.json" if guide == "README.md" else "objects.coco.json")
    assert anymask.read(objects)[0].label == "cup"


def test_every_option_of_segment_is_explained() -> None:
    shown = (ROOT / "docs" / "cli.md").read_text()
    for parameter in typer.main.get_command(segment.app).params:
        for option in parameter.opts:
            assert option == "images" or option in shown, option


@pytest.mark.parametrize("line", commands())
def test_commands_run(clone: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words, stdin, stdout = parsed(line)
    target = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    if stdin is not None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(stdin).read_bytes())))
    with contextlib.redirect_stdout(target):
        assert run(words) == 0
    target.flush()
    data = target.buffer.getvalue()  # type: ignore[attr-defined]
    if stdout is not None:
        Path(stdout).write_bytes(data)
    for name in promised_files(line):
        assert list(Path().glob(name.replace("{name}", "*"))), name
    if stdout is not None and stdout.endswith(".png"):
        with Image.open(stdout) as image:
            assert image.size == (640, 427)


def parsed(line: str) -> tuple[list[str], str | None, str | None]:
    """The words after `anymask`, globs expanded as in a shell; then where stdin and stdout are redirected."""
    words, files, tokens = [], {"<": None, ">": None}, shlex.split(line, comments=True)[1:]
    while tokens:
        token = tokens.pop(0)
        if token in files:
            files[token] = tokens.pop(0)  # type: ignore[call-overload]
        else:
            words += sorted(glob.glob(token)) if "*" in token else [token]  # noqa: PTH207
    return words, files["<"], files[">"]


def promised_files(line: str) -> list[str]:
    tokens = shlex.split(line, comments=True)
    outputs = [
        after
        for before, after in itertools.pairwise(tokens)
        if before in ("-o", "--overlay", "--cutout", ">")
    ]
    files = [name for name in outputs if name != "-"]
    if "--candidates" not in tokens:
        return files
    return [str(numbered(Path(name), 3)) if Path(name).suffix else name for name in files]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text()
    for link in re.findall(r"\]\(([^)#\s]+)\)", text):
        if not link.startswith("http"):
            assert ((ROOT / document).parent / link).exists(), link


def test_every_photo_is_small_and_credited() -> None:
    credits = (ROOT / "examples" / "CREDITS.md").read_text()
    photos = sorted((ROOT / "examples").glob("*.jpg"))
    assert len(photos) == 4
    for photo in photos:
        assert photo.stat().st_size <= 200_000
        assert f"`{photo.name}`" in credits
        with Image.open(photo) as image:
            assert max(image.size) <= 800


@pytest.mark.parametrize("photo", CLICKS, ids=lambda photo: photo["file"])
def test_clicks_lie_in_their_boxes_and_on_their_photos(photo: dict[str, object]) -> None:
    with Image.open(ROOT / "examples" / str(photo["file"])) as image:
        width, height = image.size
    objects = photo["objects"]
    assert isinstance(objects, list)
    assert len(objects) >= 2
    for thing in objects:
        (x, y), (x0, y0, x1, y1) = thing["point"], thing["box"]
        assert x0 < x < x1
        assert y0 < y < y1
        assert x1 <= width
        assert y1 <= height
        Prompt.of((height, width), points=[(x, y)], box=thing["box"])


def test_every_photo_has_clicks() -> None:
    assert sorted(photo["file"] for photo in CLICKS) == sorted(
        p.name for p in (ROOT / "examples").glob("*.jpg")
    )


def test_everything_is_drawn(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw = runpy.run_path(str(ROOT / "examples" / "everything.py"))["main"]
    draw(str(clone / "images"), "lite", "objects", "flower.jpg")
    assert re.fullmatch(r"flower\.jpg: [1-9]\d* masks\n", capsys.readouterr().out)
    with Image.open(clone / "images" / "everything-flower.jpg") as image:
        assert image.size == (2 * round(320 * 640 / 427) + 8, 320)


def test_the_pictures_are_made(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "pictures.py"))["main"](str(clone / "images"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == sum(len(photo["objects"]) for photo in CLICKS)
    assert all(re.search(r"click [01]\.\d\d  box [01]\.\d\d$", line) for line in lines)
    assert sorted(p.name for p in (clone / "images").iterdir()) == sorted(photo["file"] for photo in CLICKS)
    with Image.open(clone / "images" / "flower.jpg") as image:
        assert image.height == 240
