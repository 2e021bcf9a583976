"""`anymask convert`: what it writes, says and refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anymask import formats
from anymask.core.record import MaskRecord
from anymask.formats import Contents
from tests.cli.conftest import Command

MASK = np.zeros((6, 8), bool)
MASK[1:5, 2:7] = True
IMAGES = [
    Contents((MaskRecord.of_mask(MASK, label="cat", score=0.5),), (6, 8), "a.jpg"),
    Contents((), (6, 8), "b.jpg"),
]


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    formats.write_images(tmp_path / "in.json", IMAGES, "coco")
    return tmp_path / "in.json"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    for image in IMAGES:
        Image.new("RGB", (8, 6)).save(tmp_path / "pictures" / image.image_name)
    return tmp_path / "pictures"


def test_to_a_file_of_another_format(command: Command, coco: Path) -> None:
    done = command("convert", coco, "out.csv")
    assert (done.code, done.out, done.err) == (0, b"", "out.csv: 1 mask of 2 images\n")
    assert formats.read_images("out.csv") == IMAGES


def test_there_and_back_through_a_folder(command: Command, coco: Path, pictures: Path) -> None:
    done = command("convert", coco, "set", "--to", "yolo", "--images", pictures)
    assert done.code == 0
    assert done.err.splitlines()[1:] == ["not kept: scores: 1"]
    assert Path("set/images/a.jpg").read_bytes() == (pictures / "a.jpg").read_bytes()
    assert command("convert", "set", "back.json", "--to", "coco", "-q").err == ""
    (record,) = formats.read("back.json", image_name="a.jpg")
    assert (record.label, record.score) == ("cat", None)
    assert np.array_equal(record.mask, MASK)


@pytest.mark.parametrize("format", formats.FORMATS)
def test_every_format_is_a_choice(command: Command, coco: Path, format: str) -> None:
    done = command("convert", coco, "set.zip", "--to", format)
    assert done.code == 0, done.err
    assert command("convert", "set.zip", "again.csv", "--from", format).code == 0
    assert format in " ".join(command("convert", "--help").out.decode().split())


def test_a_folder_that_holds_something_stays(command: Command, coco: Path, tmp_path: Path) -> None:
    assert command("convert", coco, "set", "--to", "labelme").code == 0
    done = command("convert", coco, "set", "--to", "yolo")
    assert (done.code, len(done.error_lines)) == (1, 1)
    assert "exists" in done.err
    assert Path("set/a.json").exists()
    assert command("convert", coco, "set", "--to", "yolo", "--overwrite").code == 0
    assert not Path("set/a.json").exists()
    done = command("convert", coco, tmp_path, "--to", "yolo", "--overwrite")
    assert (done.code, "would replace" in done.err) == (2, True)
    assert coco.exists()


def test_what_is_no_mask_is_counted(command: Command) -> None:
    Path("in.json").write_text(
        '{"shapes": [{"label": "p", "points": [[1, 1]], "shape_type": "point"}], '
        '"imagePath": "a.jpg", "imageHeight": 4, "imageWidth": 4}'
    )
    done = command("convert", "in.json", "out.csv")
    assert done.code == 0
    assert "not read: shapes that are no area (point): 1\n" in done.err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["no.json", "out.csv"], "No such file"),
        (["in.json", "out.gif"], "known are"),
        (["in.json", "out", "--to", "gif"], "format 'gif' is not known"),
        (["in.json", "out.csv", "--from", "svg"], "not XML"),
        (["in.json", "out.svg"], "2 images do not fit"),
        (["in.json", "in.json"], "would replace"),
        (["in.json", "out.csv", "--images", "no"], "no folder of pictures"),
        (["in.json"], "OUT"),
    ],
)
def test_wrong_input_is_one_line(command: Command, coco: Path, words: list[str], hint: str) -> None:
    done = command("convert", *words)
    assert done.code == 2
    assert len(done.err.splitlines()) == len(done.error_lines) == 1
    assert hint in done.err
    assert coco.exists()
    assert [p.name for p in Path().iterdir()] == ["in.json"]
