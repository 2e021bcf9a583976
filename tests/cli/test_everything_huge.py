"""`anymask everything --huge`: files, refusals, automatic choice, crashes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.errors import NotGeoreferencedWarning

import anymask.cli.everything_huge as everything_huge
import anymask.predict.load as loading
from anymask.automatic.huge import journal
from anymask.core.images import load_image
from anymask.formats import read
from tests.automatic.huge.field import Boxes, field, save_png, scattered
from tests.cli import fake_field
from tests.cli.conftest import Command

ROOT = Path(__file__).parents[2]
SIZE = (150, 200)
BOXES: Boxes = scattered(120, 180, 30, 28, seed=3) | {(130, 140, 5, 195)}
WORDS = ("--huge", "--window", 64, "--points-per-side", 16, "--stability-score-thresh", 0.5)


@pytest.fixture
def fields(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command, in a folder with field.png, with a model that finds its boxes."""
    monkeypatch.setattr(loading, "load", fake_field.load)
    save_png(tmp_path / "field.png", field(*SIZE, BOXES))
    return command


def boxes_of(records: list) -> Boxes:
    return {(int(y), int(y + h), int(x), int(x + w)) for x, y, w, h in (r.box_xywh for r in records)}


def label_map(path: Path) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path) as file:
            assert file.profile["tiled"]
            return file.read(1)


def test_lines_and_a_label_map(fields: Command, tmp_path: Path) -> None:
    done = fields("everything", "field.png", *WORDS, "-o", "m.jsonl", "--label-map", "m.tif")
    assert (done.code, done.out) == (0, b"")
    assert f"field.png: {len(BOXES)} masks -> m.jsonl, m.tif" in done.err
    head, *lines = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert head["image"] == {
        "file_name": "field.png",
        "height": SIZE[0],
        "width": SIZE[1],
        "sha256": load_image(tmp_path / "field.png").sha256,
    }
    assert head["provenance"]["windows"]["window"] == 64
    labels = label_map(tmp_path / "m.tif")
    assert (labels.dtype, labels.shape) == (np.uint32, SIZE)
    found = set()
    for line in lines:
        x, y = line["offset"]
        height, width = line["segmentation"]["size"]
        found.add((y, y + height, x, x + width))
        assert (labels[y : y + height, x : x + width] == line["id"]).all()
        assert line["area"] == height * width
        assert line["bbox"] == [x, y, width, height]
    assert found == BOXES
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["m.json", "m.coco.json", "m.geojson"])
def test_formats_that_others_read(fields: Command, tmp_path: Path, name: str) -> None:
    assert fields("everything", "field.png", *WORDS, "-o", name).code == 0
    records = read(tmp_path / name)
    assert boxes_of(records) == BOXES
    whole = field(*SIZE, BOXES)
    for record in records:
        assert len(np.unique(whole[record.mask], axis=0)) == 1
        assert record.area == record.mask.sum()
    assert sorted(record.id for record in records) == list(range(1, len(BOXES) + 1))


def test_no_masks(fields: Command, tmp_path: Path) -> None:
    save_png(tmp_path / "empty.png", field(*SIZE, set()))
    for name in ("m.json", "m.coco.json", "m.geojson"):
        assert fields("everything", "empty.png", *WORDS, "-o", name).code == 0
        assert read(tmp_path / name) == []
    assert fields("everything", "empty.png", *WORDS, "--label-map", "m.tif").code == 0
    assert not label_map(tmp_path / "m.tif").any()


def test_above_the_limit_without_being_told(
    fields: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(everything_huge, "DEFAULT_MAX_PIXELS", SIZE[0] * SIZE[1])
    assert not everything_huge.is_huge(["field.png"])
    monkeypatch.setattr(everything_huge, "DEFAULT_MAX_PIXELS", SIZE[0] * SIZE[1] - 1)
    assert everything_huge.is_huge(["field.png"])
    assert not everything_huge.is_huge(["field.png", "field.png"])
    words = [word for word in WORDS if word != "--huge"]
    assert fields("everything", "field.png", *words).code == 0
    assert len((tmp_path / "field-masks.jsonl").read_text().splitlines()) == len(BOXES) + 1


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("field.png", "field.png"), "one image file"),
        (("-",), "one image file"),
        ((".",), "one image file"),
        (("nowhere.png",), "is not a file"),
        (("field.png", "--overlay", "o.jpg"), "--overlay needs the whole image"),
        (("field.png", "--tree"), "--tree needs the whole image"),
        (("field.png", "--format", "svg"), "jsonl, json, coco, geojson"),
        (("field.png", "--format", "coco", "-o", "m.jsonl"), "does not end in .coco.json"),
        (("field.png", "-o", "-"), "give a file"),
        (("field.png", "-o", "m.svg"), "no ending"),
        (("field.png", "-o", "m.tif"), "does not end in"),
        (("field.png", "--label-map", "m.png"), "no ending"),
        (("field.png", "--window", 8), "at least 32"),
        (("field.png", "--halo", 30), "give 0 to 24"),
        (("field.png", "--crop-n-layers", 1), "windows have no crops"),
        (("notes.txt",), "a text, not an image"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_line(fields: Command, tmp_path: Path, words: tuple[object, ...], hint: str) -> None:
    (tmp_path / "notes.txt").write_text("words")
    done = fields("everything", *WORDS, *words)
    assert (done.code, len(done.error_lines)) == (2, 1), done.err
    assert hint in done.err


def test_windows_are_for_huge_images(fields: Command) -> None:
    done = fields("everything", "field.png", "--window", 64)
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "give --huge as well" in done.err


def test_a_full_disk_stops_cleanly_and_the_next_run_goes_on(
    fields: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fields("everything", "field.png", *WORDS, "-o", "whole.jsonl").code == 0
    real, room = journal._write, [700]

    def write(file: object, data: bytes) -> None:
        """As a disk that has a little room: what fits is written, then it is full."""
        fits = data[: room[0]]
        room[0] -= len(fits)
        real(file, fits)
        if len(fits) < len(data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "_write", write)
    done = fields("everything", "field.png", *WORDS, "-o", "m.jsonl")
    assert (done.code, len(done.error_lines)) == (1, 1)
    assert "No space left" in done.err
    assert "it goes on from here" in done.err
    assert not (tmp_path / "m.jsonl").exists()
    monkeypatch.setattr(journal, "_write", real)
    done = fields("everything", "field.png", *WORDS, "-o", "m.jsonl")
    assert done.code == 0
    assert "windows were done" in done.err
    assert (tmp_path / "m.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_another_run_in_the_same_place_is_refused(
    fields: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(everything_huge, "write_huge", stop)
    assert fields("everything", "field.png", *WORDS, "-o", "m.jsonl").code == 130
    monkeypatch.undo()
    monkeypatch.setattr(loading, "load", fake_field.load)
    monkeypatch.chdir(tmp_path)
    done = fields("everything", "field.png", *WORDS, "--halo", 8, "-o", "m.jsonl")
    assert (done.code, len(done.error_lines)) == (2, 1)
    assert "other settings" in done.err
    assert fields("everything", "field.png", *WORDS, "--halo", 8, "-o", "m.jsonl", "--overwrite").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("lines", [0, 1, 4, 9], ids=lambda n: f"after {n} windows")
def test_killed_at_any_moment(fields: Command, tmp_path: Path, lines: int) -> None:
    """Killed with so many windows done, started again: the bytes of an undisturbed run."""
    words = [str(word) for word in ("everything", "field.png", *WORDS, "--label-map", "m.tif")]
    line = [sys.executable, "-m", "tests.cli.fake_field", *words, "--model", "slow", "-o", "m.jsonl"]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    with subprocess.Popen(line, env={**os.environ, "PYTHONPATH": paths}, stderr=subprocess.DEVNULL) as job:
        notes = tmp_path / ".anymask-huge-m.jsonl" / "windows.jsonl"
        while job.poll() is None and not (notes.is_file() and len(notes.read_bytes().splitlines()) > lines):
            time.sleep(0.005)
        job.kill()
    assert not (tmp_path / "m.jsonl").exists()
    whole = notes.read_bytes().count(b"\n")
    assert fields(*words, "-o", "m.jsonl").code == 0
    first = {name: (tmp_path / name).read_bytes() for name in ("m.jsonl", "m.tif")}
    assert whole > lines
    assert fields(*words, "-o", "m.jsonl", "--overwrite").code == 0
    assert first == {name: (tmp_path / name).read_bytes() for name in ("m.jsonl", "m.tif")}
    assert boxes_of(_records(tmp_path / "m.jsonl")) == BOXES


class _Line:
    def __init__(self, line: str) -> None:
        self.box_xywh = json.loads(line)["bbox"]


def _records(path: Path) -> list[_Line]:
    return [_Line(line) for line in path.read_text().splitlines()[1:]]


def test_turned_photos_are_upright(fields: Command, tmp_path: Path) -> None:
    pixels = field(*SIZE, BOXES)
    image = Image.fromarray(np.ascontiguousarray(np.rot90(pixels)))  # the camera was turned
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    assert load_image(tmp_path / "turned.png").image_hw == SIZE
    assert fields("everything", "turned.png", *WORDS, "-o", "m.jsonl").code == 0
    assert boxes_of(_records(tmp_path / "m.jsonl")) == BOXES
