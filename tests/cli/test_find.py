"""`anymask find`, with a fake model and an encoder that knows colours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import anymask.cli.find_job as find_job
import anymask.text
from anymask.core.record import MaskRecord
from tests.cli.conftest import Command
from tests.fake_runtime import scene
from tests.text.colours import ColourEncoder


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every encoder's name stands for the one that knows colours."""
    for module in (find_job, anymask.text):
        monkeypatch.setattr(module, "encoder_of", lambda *_, **__: ColourEncoder())


def records(path: Path) -> list[MaskRecord]:
    return [MaskRecord.from_json(one) for one in json.loads(path.read_text())["annotations"]]


def test_hits_go_to_a_file_beside(command: Command, photo: Path, tmp_path: Path) -> None:
    done = command("find", photo, "orange thing", "blue")
    assert (done.code, done.out) == (0, b"")
    assert "2 masks -> photo-found.json" in done.err
    assert {one.label for one in records(tmp_path / "photo-found.json")} == {"orange thing", "blue"}


def test_nothing_found_is_a_result(command: Command, photo: Path, tmp_path: Path) -> None:
    done = command("find", photo, "green")
    assert done.code == 0
    assert "0 masks (none of it is there, or try a lower --threshold)" in done.err
    assert records(tmp_path / "photo-found.json") == []


def test_overlay_json_and_other_formats(command: Command, photo: Path, tmp_path: Path) -> None:
    done = command("find", photo, "blue", "--overlay", "o.png", "--json", "-q")
    (line,) = [json.loads(line) for line in done.out.splitlines()]
    assert [one["category"] for one in line["annotations"]] == ["blue"]
    with Image.open(tmp_path / "o.png") as image:
        changed = (np.asarray(image.convert("RGB")) != scene()).any(axis=2)
    assert changed[45:105, 105:145].mean() > 0.9  # the bar is tinted
    assert changed[25:65, 35:75].mean() < 0.1  # the square is not
    assert command("find", photo, "blue", "-o", "b.coco.json").code == 0
    assert json.loads((tmp_path / "b.coco.json").read_text())["categories"][0]["name"] == "blue"


def test_a_folder_is_a_job_that_goes_on(command: Command, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        Image.fromarray(scene()).save(tmp_path / "in" / f"{name}.png")
    assert command("find", "in", "blue", "-o", "out/").code == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.json")) == ["a.json", "b.json"]
    assert "2 were complete" in command("find", "in", "blue", "-o", "out/").err
    other = command("find", "in", "orange", "-o", "out/")  # other words are another job
    assert (other.code, len(other.error_lines)) == (2, 1)


def test_texts_by_option_and_from_a_file(command: Command, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("blue\n")
    done = command("find", photo, "-t", "orange.png", "--labels", "names.txt", "-o", "f.json")
    assert done.code == 0
    assert {one.label for one in records(tmp_path / "f.json")} == {"orange.png", "blue"}
    assert len(records(tmp_path / "f.json")) == 2
    assert command("find", photo, "blue", "orange", "--most", 1, "-o", "one.json").code == 0
    assert len(records(tmp_path / "one.json")) == 1


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["photo.png"], "nothing to find is given"),
        (["blue"], "none of 'blue' is a picture"),
        (["photo.png", ""], "a text is empty"),
        (["photo.png", "x" * 10_000], "10,000 characters"),
        (["phto.png", "blue"], "phto.png"),
        (["photo.png", "blue", "--threshold", "2"], "threshold is 2"),
        (["photo.png", "blue", "--labels", "nowhere.txt"], "cannot read"),
    ],
)
def test_wrong_input_is_one_line(command: Command, photo: Path, words: list[str], hint: str) -> None:
    done = command("find", *words)
    assert done.code == 2
    assert len(done.error_lines) == 1
    assert hint in done.err


def test_everything_names_its_masks(command: Command, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("blue\norange\n")
    done = command("everything", photo, "--labels", "names.txt", "-o", "e.json")
    assert done.code == 0
    labels = [one.label for one in records(tmp_path / "e.json")]
    assert {"blue", "orange"} <= set(labels)
    assert command("everything", photo, "--label-threshold", "0.5").code == 2
    (tmp_path / "names.txt").write_text("cat\ncat\n")
    assert "line 2" in command("everything", photo, "--labels", "names.txt").err
