"""Data sets: folders, archives, names that must not escape, pictures, and what stays if something fails."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from anymask import formats
from anymask.core.errors import FormatError, OutputError
from anymask.core.record import MaskRecord
from anymask.formats import Contents
from anymask.formats.checks import safe_name
from anymask.formats.parsing import parse_xml
from anymask.formats.trees import open_tree, write_tree

MASK = np.zeros((6, 8), bool)
MASK[1:5, 2:7] = True
RECORD = MaskRecord.of_mask(MASK, label="cat")
IMAGES = [Contents((RECORD,), (6, 8), "train/a.jpg"), Contents((), (6, 8), "val/b.jpg")]
ESCAPES = [
    "../a.jpg",
    "/a.jpg",
    "C:\\a.jpg",
    "c:a.jpg",
    "x/../../a.jpg",
    "..\\a.jpg",
    "\\\\host\\a.jpg",
    "a\0.jpg",
]


def hidden_files(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(".")]  # noqa: PTH208


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for image in IMAGES:
        path = tmp_path / "pictures" / image.image_name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), "red").save(path)
    return tmp_path / "pictures"


@pytest.mark.parametrize("container", ["out", "out.tar", "out.zip"])
@pytest.mark.parametrize("format", formats.FORMATS)
def test_folders_and_archives_say_what_they_are(
    tmp_path: Path, format: str, container: str, pictures: Path
) -> None:
    """Written with pictures, read without naming the format."""
    path = tmp_path / container
    formats.write_images(path, IMAGES, format, pictures=pictures)
    with open_tree(path) as tree:
        assert sum(name.endswith(".jpg") for name in tree.names) == 2
    again = {image.image_name.rpartition(".")[0]: image for image in formats.read_images(path)}
    assert set(again) == {"train/a", "val/b"}
    assert [record.rle for record in again["train/a"].records] == [RECORD.rle]
    assert again["val/b"].image_hw == (6, 8)


def test_one_image_is_one_file_or_a_folder(tmp_path: Path) -> None:
    formats.write_images(tmp_path / "a.json", IMAGES[:1])
    assert formats.read_images(tmp_path / "a.json") == IMAGES[:1]
    with pytest.raises(FormatError, match="2 images do not fit into one file of json; give a folder"):
        formats.write_images(tmp_path / "b.json", IMAGES)
    with pytest.raises(FormatError, match="yolo is a folder"):
        formats.encode(RECORD, "yolo")
    with pytest.raises(FormatError, match="has no ending"):
        formats.write_images(tmp_path / "c", IMAGES)


def test_images_without_names_get_some(tmp_path: Path) -> None:
    formats.write_images(tmp_path / "a.csv", [Contents((RECORD,), (6, 8)), Contents((), (3, 3))])
    assert [image.image_name for image in formats.read_images(tmp_path / "a.csv")] == ["image-1", "image-2"]


def test_names_that_clash(tmp_path: Path) -> None:
    twice = [Contents((), (3, 3), "a.jpg"), Contents((), (3, 3), "a.jpg")]
    with pytest.raises(FormatError, match=r"two images are called 'a.jpg'"):
        formats.write_images(tmp_path / "a.csv", twice)
    stems = [Contents((), (3, 3), "a.jpg"), Contents((), (3, 3), "A.png")]
    with pytest.raises(FormatError, match=r"two files would be called 'A.json'"):
        formats.write_images(tmp_path / "out", stems, "labelme")
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_yolo_sizes_come_from_pictures(tmp_path: Path, pictures: Path) -> None:
    formats.write_images(tmp_path / "out", IMAGES, "yolo")
    (tmp_path / "out" / "anymask.json").unlink()
    with pytest.raises(FormatError, match="give the folder of the pictures"):
        formats.read_images(tmp_path / "out")
    assert formats.read_images(tmp_path / "out", pictures=pictures) == IMAGES
    with pytest.raises(FormatError, match="no folder of pictures"):
        formats.read_images(tmp_path / "out", pictures=tmp_path / "no")
    (pictures / "train" / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(FormatError, match=r"'train/a.jpg' is no picture"):
        formats.read_images(tmp_path / "out", pictures=pictures)


def test_a_missing_picture_is_named(tmp_path: Path, pictures: Path) -> None:
    (pictures / "val" / "b.jpg").unlink()
    with pytest.raises(FormatError, match=r"'val/b.jpg' is not in"):
        formats.write_images(tmp_path / "out", IMAGES, "labelme", pictures=pictures)
    assert not (tmp_path / "out").exists()
    assert hidden_files(tmp_path) == []


def test_a_folder_that_holds_something_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    formats.write_images(out, IMAGES, "labelme")  # an empty one is filled
    (out / "mine.txt").write_text("precious")
    with pytest.raises(OutputError, match="exists; choose another name"):
        formats.write_images(out, IMAGES, "yolo")
    assert (out / "mine.txt").read_text() == "precious"
    formats.write_images(out, IMAGES, "yolo", overwrite=True)
    assert sorted(p.name for p in out.iterdir()) == ["anymask.json", "data.yaml", "labels"]
    assert hidden_files(tmp_path) == []


@pytest.mark.parametrize("container", ["out", "out.tar", "out.zip"])
def test_what_was_there_stays_when_writing_fails(tmp_path: Path, container: str) -> None:
    path = tmp_path / container
    formats.write_images(path, IMAGES, "labelme")
    before = formats.read_images(path)
    many = [MaskRecord.of_mask(MASK, label=f"class {n}") for n in range(300)]
    with pytest.raises(FormatError, match="301 classes; Pascal VOC numbers up to 254"):
        formats.write_images(path, [*IMAGES, Contents(tuple(many), (6, 8), "c.jpg")], "voc", overwrite=True)

    def breaks() -> Any:
        yield "a.txt", b"1"
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        write_tree(path, breaks(), overwrite=True)
    assert formats.read_images(path) == before
    assert hidden_files(tmp_path) == []


def test_places_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="create it first"):
        formats.write_images(tmp_path / "no" / "out", IMAGES, "yolo")
    with pytest.raises(FormatError, match="No such file"):
        formats.read_images(tmp_path / "no.tar")
    with pytest.raises(FormatError, match="cannot read"):
        formats.read_images(tmp_path / "no", "yolo")
    (tmp_path / "empty").mkdir()
    for format in formats.FORMATS:
        with pytest.raises(FormatError, match=r"there is no|no file in it is"):
            formats.read_images(tmp_path / "empty", format)


@pytest.mark.parametrize("name", ESCAPES)
def test_names_that_escape_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FormatError, match=r"image's name is .* expected"):
        safe_name(name)
    with pytest.raises(FormatError):
        formats.write_images(tmp_path / "out", [Contents((RECORD,), (6, 8), name)], "labelme")
    assert os.listdir(tmp_path) == []  # noqa: PTH208


@pytest.mark.parametrize("name", ESCAPES[:-1])
@pytest.mark.parametrize("format", sorted(set(formats.FORMATS) - {"png", "labelmap", "palette", "yolo"}))
def test_names_inside_files_do_not_escape(tmp_path: Path, format: str, name: str) -> None:
    path = tmp_path / "out"
    formats.write_images(path, [Contents((RECORD,), (6, 8), "NAME.jpg")], format)
    for file in [p for p in path.rglob("*") if p.suffix in (".json", ".xml", ".csv", ".svg", ".geojson")]:
        text = file.read_text(encoding="utf-8").replace("NAME.jpg", "ESCAPE")
        written = name if file.suffix in (".xml", ".csv", ".svg") else json.dumps(name)[1:-1]
        file.write_text(text.replace("ESCAPE", written), encoding="utf-8")
    if format == "label-studio" and "\\" not in name and ":" not in name and name[0] == "/":
        assert formats.read_images(path, format)[0].image_name == "a.jpg"  # an address: its last part
    else:
        with pytest.raises(FormatError):
            formats.read_images(path, format)


def test_yolo_and_panoptic_files_of_files_do_not_escape(tmp_path: Path) -> None:
    formats.write_images(tmp_path / "y", IMAGES, "yolo")
    text = (tmp_path / "y" / "anymask.json").read_text()
    (tmp_path / "y" / "anymask.json").write_text(text.replace("train/a.jpg", "../../a.jpg"))
    with pytest.raises(FormatError, match="inside the folder"):
        formats.read_images(tmp_path / "y")
    formats.write_images(tmp_path / "p", IMAGES, "panoptic")
    text = (tmp_path / "p" / "panoptic.json").read_text()
    (tmp_path / "p" / "panoptic.json").write_text(text.replace("train/a.png", "../../../etc/a.png"))
    with pytest.raises(FormatError, match="the PNG's name"):
        formats.read_images(tmp_path / "p")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_bytes(formats.encode(RECORD, "json"))
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(FormatError, match="leads out of the folder"):
        formats.read_images(tmp_path / "set")


@pytest.mark.parametrize("name", ["../a.json", "/a.json", "x/../../a.json", "C:\\a.json"])
def test_archives_that_escape_are_refused(tmp_path: Path, name: str) -> None:
    data = formats.encode(RECORD, "json")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, data)
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    for path in ("a.zip", "a.tar"):
        with pytest.raises(FormatError, match="a name in the archive"):
            formats.read_images(tmp_path / path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_tars_are_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        member = tarfile.TarInfo("a.json")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(FormatError, match="a link or a device"):
        formats.read_images(tmp_path / "a.tar")


def test_archives_that_are_damaged(tmp_path: Path) -> None:
    formats.write_images(tmp_path / "a.zip", IMAGES, "json")
    formats.write_images(tmp_path / "a.tar", IMAGES, "json")
    for name in ("a.zip", "a.tar"):
        whole = (tmp_path / name).read_bytes()
        for data in (b"", b"text", whole[: min(600, len(whole) // 2)], b"\0" * 20 + whole[20:]):
            (tmp_path / name).write_bytes(data)
            with pytest.raises(FormatError):
                formats.read_images(tmp_path / name)


ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE annotations [<!ENTITY a "ha">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><annotations><version>&b;</version></annotations>"""
EXTERNAL = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotations>&x;</annotations>'


@pytest.mark.parametrize("data", [ENTITIES, EXTERNAL, b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>'])
def test_entities_are_never_expanded(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.xml").write_bytes(data)
    with pytest.raises(FormatError, match="document type"):
        formats.read_images(tmp_path / "a.xml")


def test_xml_that_is_too_deep_or_odd() -> None:
    with pytest.raises(FormatError, match="too deeply"):
        parse_xml(b"<a>" * 1000 + b"</a>" * 1000)
    for data in (
        b"",
        b"<a>",
        b"&x;",
        b"\xff",
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b"<a>&undefined;</a>",
    ):
        with pytest.raises(FormatError, match="not XML"):
            parse_xml(data)
