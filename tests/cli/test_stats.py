"""`anymask stats`: what masks in files are like, as a table, JSON and a page of plots."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anymask.automatic.statistics import MaskStatistics
from anymask.core.record import MaskRecord
from anymask.formats import Contents, write_images
from tests.cli.conftest import Command


@pytest.fixture
def images() -> list[Contents]:
    masks = [np.tri(20, 30, k, dtype=bool) for k in (0, 5, 12)]
    records = tuple(MaskRecord.of_mask(mask, label="slope", score=0.5) for mask in masks)
    return [Contents(records, (20, 30), "a.jpg"), Contents(records[:1], (20, 30), "b.jpg")]


@pytest.mark.parametrize("format", ["coco", "sa1b", "csv", "json", "cvat"])
def test_any_format_is_counted(command: Command, tmp_path: Path, images: list[Contents], format: str) -> None:
    write_images(tmp_path / "masks", images, format)
    done = command("stats", "masks", "--json")
    assert (done.code, done.err) == (0, "")
    found, expected = json.loads(done.out), MaskStatistics.of(images).to_json()
    for name in ("images", "masks", "masks_per_image", "area", "relative_size", "concavity", "centres"):
        assert found[name] == expected[name], name


def test_several_results_are_one(command: Command, tmp_path: Path, images: list[Contents]) -> None:
    write_images(tmp_path / "a.coco.json", images, "coco")
    write_images(tmp_path / "b.csv", images, "csv")
    found = json.loads(command("stats", "a.coco.json", "b.csv", "--json").out)
    assert found["masks_per_image"]["mean"] == 2
    assert (found["images"], found["labels"]) == (4, {"slope": 8})


def test_table_plots_and_file(command: Command, tmp_path: Path, images: list[Contents]) -> None:
    write_images(tmp_path / "a.coco.json", images, "coco")
    done = command("stats", "a.coco.json", "--plots", "new/p.png", "-o", "new/s.json")
    assert done.code == 0
    lines = done.out.decode().splitlines()
    assert lines[0] == "4 masks in 2 images"
    assert any(line.split()[:5] == ["masks", "per", "image", "2", "1"] for line in lines)
    assert "labels: slope: 4" in lines
    assert json.loads((tmp_path / "new" / "s.json").read_bytes()) == MaskStatistics.of(images).to_json()
    with Image.open(tmp_path / "new" / "p.png") as page:
        assert page.size == (1920, 1440)
    assert command("stats", "a.coco.json", "--plots", "p.svg").code == 0
    assert b"a.coco.json" in (tmp_path / "p.svg").read_bytes()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("nowhere.json",), "nowhere.json"),
        (("bad.json",), "bad.json"),
        (("bad.json", "--from", "docx"), "format 'docx' is not known"),
        (("bad.json", "--plots", "p.pdf"), "ends in .png or .svg"),
        ((), "RESULTS"),
    ],
)
def test_bad_input_is_one_line(command: Command, tmp_path: Path, words: tuple[str, ...], hint: str) -> None:
    (tmp_path / "bad.json").write_text("{")
    done = command("stats", *words)
    assert (done.code, done.out, len(done.error_lines)) == (2, b"", 1)
    assert hint in done.err
