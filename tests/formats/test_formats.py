"""What all formats have in common: endings, round trips, refusals, files that stay."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from anymask import formats
from anymask.core.errors import AnymaskError, FormatError, OutputError
from anymask.core.geometry import InputFrame
from anymask.core.images import Picture
from anymask.core.polygons import Polygon, polygons_to_mask
from anymask.core.prediction import Prediction
from anymask.core.record import MaskRecord
from tests.core.strategies import masks
from tests.core.test_record import records

RING = np.zeros((12, 16), bool)
RING[2:9, 3:12] = True
RING[4:6, 5:8] = False
DOT = np.zeros((12, 16), bool)
DOT[10:, 14:] = True
PICTURE = Picture(np.zeros((12, 16, 3), np.uint8), "dog & <cat>.jpg")
RECORDS = [
    MaskRecord.of_mask(RING, label='ring "<&>', score=0.5, stability=0.75, point_xy=(4, 3), id=7),
    MaskRecord.of_mask(
        DOT, label="dot", attributes={"ok": True}, provenance={"model": "lite"}, parent=7, id=8
    ),
]
prediction = Prediction.of(
    np.stack([np.full((4, 4), -1.0), np.full((4, 4), 3.0)]), [0.2, 0.9], InputFrame((12, 16), 16)
)


@pytest.mark.parametrize("name", ["a.json", "a.coco.json", "A.PNG", "a.svg", "ü 照 .json"])
def test_the_ending_says_the_format(tmp_path: Path, name: str) -> None:
    path = formats.write(tmp_path / name, RECORDS, picture=PICTURE)
    start = path.read_bytes()[:20]
    expected = {".png": b"\x89PNG", ".svg": b"<?xml"}.get(path.suffix.lower(), b'{"')
    assert start.startswith(expected)
    assert (b"info" in start) == ("coco" in name)


def test_own_json_keeps_everything(tmp_path: Path) -> None:
    path = formats.write(tmp_path / "a.json", RECORDS, picture=PICTURE)
    assert formats.read(path) == RECORDS
    image = json.loads(path.read_text(encoding="utf-8"))["image"]
    assert image == {"file_name": "dog & <cat>.jpg", "height": 12, "width": 16, "sha256": PICTURE.sha256}


@given(record=records)
def test_own_json_round_trip(record: MaskRecord) -> None:
    data = formats.encode([record], "json")
    assert formats.json.from_bytes(data).records == (record,)
    assert formats.encode([record], "json") == data


def test_a_file_of_sa_1b_is_read(tmp_path: Path) -> None:
    annotation = MaskRecord.of_mask(RING, score=0.9, id=3).to_json()
    image = {"image_id": 1, "width": 16, "height": 12, "file_name": "sa_1.jpg"}
    (tmp_path / "sa_1.json").write_text(json.dumps({"image": image, "annotations": [annotation]}))
    assert np.array_equal(formats.read(tmp_path / "sa_1.json")[0].mask, RING)


def test_one_mask_as_png_is_black_and_white(tmp_path: Path) -> None:
    path = formats.write(tmp_path / "a.png", RECORDS[0])
    with Image.open(path) as image:
        assert image.mode == "L"
        assert np.array_equal(np.asarray(image), RING * 255)
    (again,) = formats.read(path)
    assert np.array_equal(again.mask, RING)


def test_several_masks_as_png_are_numbered(tmp_path: Path) -> None:
    inside = np.zeros_like(RING)
    inside[2:4, 3:6] = True
    path = formats.write(tmp_path / "a.png", [*RECORDS, MaskRecord.of_mask(inside)])
    values = np.asarray(Image.open(path))
    assert (values[inside] == 3).all()  # the smaller one is on top
    assert (values[RING & ~inside] == 1).all()
    assert (values[DOT] == 2).all()
    found = formats.read(path)
    assert [record.id for record in found] == [1, 2, 3]
    assert np.array_equal(found[0].mask, RING & ~inside)


def test_more_than_254_masks_take_16_bits(tmp_path: Path) -> None:
    each = [MaskRecord.of_mask(np.arange(300).reshape(12, 25) == i) for i in range(300)]
    found = formats.read(formats.write(tmp_path / "a.png", each))
    assert [record.rle for record in found] == [record.rle for record in each]


def test_palette_png_of_another_tool_is_read(tmp_path: Path) -> None:
    image = Image.fromarray(RING * np.uint8(15) + DOT * np.uint8(3))
    image = image.convert("P", palette=Image.Palette.ADAPTIVE)
    indices = np.asarray(image)
    image.save(tmp_path / "a.png")
    found = formats.read(tmp_path / "a.png")
    expected = [indices == value for value in np.unique(indices) if value]
    assert all(np.array_equal(f.mask, e) for f, e in zip(found, expected, strict=True))


def drawn(path: ET.Element, size_hw: tuple[int, int]) -> np.ndarray:
    """Fill an SVG path of M, H, V and Z commands by the even-odd rule."""
    rings: list[list[tuple[float, float]]] = []
    for outline in path.get("d", "").split("Z")[:-1]:
        commands = outline.replace("H", " H").replace("V", " V")[1:].split()
        x, y = float(commands[0]), float(commands[1])
        ring = [(x, y)]
        for command in commands[2:]:
            x, y = (float(command[1:]), y) if command[0] == "H" else (x, float(command[1:]))
            ring.append((x, y))
        rings.append(ring)
    assert path.get("fill-rule") == "evenodd"
    mask = np.zeros(size_hw, bool)
    for ring in rings:
        mask ^= polygons_to_mask([Polygon(np.array(ring))], size_hw)
    return mask


@given(mask=masks())
def test_svg_paths_draw_the_mask(mask: np.ndarray) -> None:
    root = ET.fromstring(formats.encode(MaskRecord.of_mask(mask), "svg"))
    assert root.get("viewBox") == f"0 0 {mask.shape[1]} {mask.shape[0]}"
    (path,) = root.findall("{http://www.w3.org/2000/svg}path")
    assert np.array_equal(drawn(path, mask.shape), mask)  # type: ignore[arg-type]


@given(label=st.text(alphabet=st.characters(exclude_categories=["Cs"])), name=st.text())
def test_svg_is_well_formed_whatever_the_names_are(label: str, name: str) -> None:
    name = name.encode("utf-8", "replace").decode()
    data = formats.encode(MaskRecord.of_mask(DOT, label=label), "svg", image_name=name)
    (path,) = ET.fromstring(data).findall("{http://www.w3.org/2000/svg}path")
    if label.isprintable() and label:
        assert path.get("class") == label


@pytest.mark.parametrize("format", formats.FILE_FORMATS)
@pytest.mark.parametrize(
    ("given_masks", "meant"),
    [
        (RECORDS[0], RECORDS[:1]),
        (tuple(RECORDS), RECORDS),
        (prediction, [prediction.best.to_record()]),
        (prediction[1], [prediction[1].to_record()]),
        (list(prediction), [candidate.to_record() for candidate in prediction]),
        ([prediction, RECORDS[0]], [prediction.best.to_record(), RECORDS[0]]),
    ],
    ids=["record", "tuple", "prediction", "candidate", "candidates", "mixed"],
)
def test_every_kind_of_masks_is_written(format: str, given_masks: Any, meant: list[MaskRecord]) -> None:
    assert formats.encode(given_masks, format) == formats.encode(meant, format)
    assert formats.encode(iter(meant), format) == formats.encode(meant, format)


def test_a_prediction_means_its_best_candidate(tmp_path: Path) -> None:
    assert formats.read(formats.write(tmp_path / "a.json", prediction)) == [prediction.best.to_record()]
    assert len(formats.read(formats.write(tmp_path / "b.json", list(prediction)))) == 2


@pytest.mark.parametrize("format", formats.FILE_FORMATS)
def test_no_masks_at_all_need_the_picture(format: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="give the picture"):
        formats.encode([], format)
    path = formats.write(tmp_path / "x", [], format=format, picture=PICTURE)
    assert formats.read(path, format) == []


@pytest.mark.parametrize("format", formats.FILE_FORMATS)
def test_an_empty_mask_is_written(format: str) -> None:
    assert formats.encode(MaskRecord.of_mask(np.zeros((3, 4))), format)


def test_what_is_not_masks_of_one_image_is_refused() -> None:
    with pytest.raises(FormatError, match="about one image"):
        formats.encode([RECORDS[0], MaskRecord.of_mask(np.eye(3))], "json")
    with pytest.raises(FormatError, match="about one image"):
        formats.encode(MaskRecord.of_mask(np.eye(3)), "json", picture=PICTURE)
    for wrong in (7, [RING], [None], "abc"):
        with pytest.raises(FormatError, match="is not a mask"):
            formats.encode(wrong, "json")  # type: ignore[arg-type]


def test_unknown_endings_and_formats_are_refused(tmp_path: Path) -> None:
    for name in ("a.jpg", "a", "json", ".jsonx"):
        with pytest.raises(FormatError, match=r"known are \.coco\.json, \.json, \.geojson, "):
            formats.write(tmp_path / name, RECORDS)
    with pytest.raises(FormatError, match="format 'gif' is not known; known are json, coco, coco-polygons, "):
        formats.write(tmp_path / "a.json", RECORDS, format="gif")
    assert not list(tmp_path.iterdir())


def test_existing_files_stay_when_something_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"precious")
    with pytest.raises(FormatError):
        formats.write(path, [RECORDS[0], MaskRecord.of_mask(np.eye(3))])
    assert path.read_bytes() == b"precious"
    with pytest.raises(OutputError, match="does not exist; create it first"):
        formats.write(tmp_path / "no" / "a.json", RECORDS)
    assert os.listdir(tmp_path) == ["a.json"]  # noqa: PTH208 (hidden files count)


BAD: list[tuple[str, bytes, str]] = [
    ("a.json", b"", "not JSON"),
    ("a.json", b"{", "not JSON .line 1"),
    ("a.json", b"\xff\xfe", "not UTF-8"),
    ("a.json", b"[]", "list 'annotations'"),
    ("a.json", b'{"annotations": 3}', "list 'annotations'"),
    ("a.json", b'{"annotations": [], "format": "other"}', "format 'other'"),
    ("a.json", b'{"annotations": [], "version": 2}', "version 2"),
    ("a.json", b'{"annotations": [{"area": NaN}]}', "finite"),
    ("a.json", b'{"annotations": [{}]}', "annotation 1: .*without 'segmentation'"),
    ("a.json", b"[" * 100_000, "nested too deeply|not JSON"),
    ("a.json", b'{"annotations": ' + b"9" * 5000 + b"}", "not usable JSON"),
    ("a.coco.json", b"{}", "not a COCO file"),
    ("a.png", b"text", "not a PNG"),
    ("a.png", formats.encode(RECORDS, "png")[:60], "damaged"),
]


@pytest.mark.parametrize(("name", "data", "message"), BAD, ids=range(len(BAD)))
def test_broken_files_are_refused(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(FormatError, match=message) as caught:
        formats.read(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_colour_pngs_are_no_masks(tmp_path: Path) -> None:
    Image.new("RGB", (3, 3)).save(tmp_path / "a.png")
    with pytest.raises(FormatError, match="mode RGB is no mask"):
        formats.read(tmp_path / "a.png")


def test_masks_of_another_size_than_the_image_are_refused(tmp_path: Path) -> None:
    value = json.loads(formats.encode(RECORDS, "json"))
    value["image"]["height"] = 13
    (tmp_path / "a.json").write_text(json.dumps(value))
    with pytest.raises(FormatError, match="annotation 1 has size"):
        formats.read(tmp_path / "a.json")


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"cannot read .*No such file"):
        formats.read(tmp_path / "a.json")
    (tmp_path / "b.json").mkdir()
    with pytest.raises(FormatError, match="nothing in it is a file of masks"):
        formats.read(tmp_path / "b.json")


@pytest.mark.parametrize("format", formats.FILE_FORMATS)
@settings(max_examples=40)
@given(cut=st.floats(0, 1), noise=st.binary(min_size=1, max_size=6))
def test_damaged_files_are_refused_or_still_masks(
    tmp_path_factory: pytest.TempPathFactory, format: str, cut: float, noise: bytes
) -> None:
    whole = formats.encode(RECORDS, format)
    at = int(cut * len(whole))
    path = tmp_path_factory.mktemp("f") / "a"
    for data in (whole[:at], whole[:at] + noise + whole[at + len(noise) :]):
        path.write_bytes(data)
        outcome: object
        try:
            outcome = formats.read(path, format)
        except AnymaskError as error:
            outcome = error
        assert isinstance(outcome, (list, FormatError))
