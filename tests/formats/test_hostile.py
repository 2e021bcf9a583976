"""Files made to hurt: whatever is in them, reading ends in images or in one FormatError, in little memory."""

from __future__ import annotations

import json
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from anymask import formats
from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.formats import Contents
from anymask.formats.label_studio import decode_brush, encode_brush

RING = np.zeros((9, 11), bool)
RING[1:8, 2:9] = True
RING[3:5, 4:6] = False
PARTS = np.zeros((9, 11), bool)
PARTS[8, ::2] = True
RECORDS = (
    MaskRecord.of_mask(RING, label="cat", score=0.5, attributes={"a": "b"}, id=4),
    MaskRecord.of_mask(PARTS, label="dog", point_xy=(1, 2)),
)
IMAGES = [Contents(RECORDS, (9, 11), "a.jpg")]
ODD: list[Any] = [
    None, True, -1, 0, 0.5, 1e300, 10**30, "", "x", "-1", "nan", "1e999", [], {}, [[]], [None], [[1, 2]],
    {"a": 1}, 2**31, "../x", [1e308, -1e308], ["a"] * 3,
]  # fmt: skip


def read_quietly(path: Path, format: str) -> None:
    """Read; anything but images or a one-line FormatError fails the test."""
    message = ""
    try:
        formats.read_images(path, format)
    except FormatError as error:
        message = str(error)
    assert "\n" not in message


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [found for key, inner in items for found in places(inner, (*path, key))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = value.copy()
    copied[path[0]] = changed(value[path[0]], path[1:], new)
    return copied


JSON_FORMATS = ("json", "coco", "coco-polygons", "panoptic", "sa1b", "labelme", "label-studio", "geojson")


@pytest.mark.parametrize("format", JSON_FORMATS)
@settings(max_examples=120, phases=[Phase.generate])
@given(data=st.data())
def test_any_value_anywhere_in_json(format: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        formats.write_images(Path(folder) / "out", IMAGES, format)
        (file,) = [p for p in (Path(folder) / "out").rglob("*") if p.suffix in (".json", ".geojson")]
        value = json.loads(file.read_bytes())
        place = data.draw(st.sampled_from(places(value)))
        file.write_text(json.dumps(changed(value, place, data.draw(st.sampled_from(ODD)))))
        read_quietly(Path(folder) / "out", format)


@pytest.mark.parametrize("format", formats.FORMATS)
@settings(max_examples=40, phases=[Phase.generate])
@given(data=st.data())
def test_damage_anywhere(format: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        formats.write_images(Path(folder) / "out", IMAGES, format)
        files = sorted(p for p in (Path(folder) / "out").rglob("*") if p.is_file())
        file = data.draw(st.sampled_from(files))
        whole = file.read_bytes()
        at = data.draw(st.integers(0, len(whole)))
        noise = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"9", b"-", b"1e999", b"nan", b'"', b"<", b","])
        )
        file.write_bytes(
            whole[:at] + noise + whole[at + data.draw(st.sampled_from([0, len(noise), 10**6])) :]
        )
        read_quietly(Path(folder) / "out", format)


@pytest.mark.parametrize("format", formats.FORMATS)
def test_deep_json_and_binary(tmp_path: Path, format: str) -> None:
    for name in ("a.json", "a.xml", "a.csv", "a.svg", "a.geojson", "a.png", "data.yaml", "labels.txt"):
        for content in (b"[" * 100_000, b'{"a":' * 50_000, b"<a>" * 50_000, b"\0" * 100, b""):
            (tmp_path / name).write_bytes(content)
            read_quietly(tmp_path / name, format)


HUGE = 46_340  # squared it is just below 2**31


def test_huge_sizes_cost_nothing_or_are_refused(tmp_path: Path) -> None:
    """Each of these would be two gigabytes if it were unrolled."""
    square = [[0, 0], [9, 0], [9, 9], [0, 9]]
    labelme = {"shapes": [{"label": "a", "points": square}], "imagePath": "a.jpg"}
    (tmp_path / "a.json").write_text(json.dumps({**labelme, "imageHeight": HUGE, "imageWidth": HUGE}))
    (image,) = formats.read_images(tmp_path / "a.json")
    assert (image.image_hw, image.records[0].area) == ((HUGE, HUGE), 81)
    for format in ("png", "labelmap", "palette", "voc", "panoptic", "label-studio"):
        with pytest.raises(FormatError, match="too large for a format made of pixels"):
            formats.write_images(tmp_path / "out", [image], format)
    (tmp_path / "a.json").write_text(json.dumps({**labelme, "imageHeight": HUGE, "imageWidth": 2 * HUGE}))
    with pytest.raises(FormatError, match="more than 2147483647 in all"):
        formats.read_images(tmp_path / "a.json")


def test_outlines_without_end_are_refused(tmp_path: Path) -> None:
    zigzag = [[0, k] if k % 2 else [HUGE, k] for k in range(2000)]
    shape = {"label": "a", "points": zigzag}
    value = {"shapes": [shape], "imagePath": "a.jpg", "imageHeight": HUGE, "imageWidth": HUGE}
    (tmp_path / "a.json").write_text(json.dumps(value))
    with pytest.raises(FormatError, match="this is no outline of a mask"):
        formats.read_images(tmp_path / "a.json")


def test_a_png_that_declares_more_than_it_holds(tmp_path: Path) -> None:
    data = bytearray(formats.encode(RECORDS, "labelmap"))
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(FormatError, match="too large for a format made of pixels"):
        formats.read_images(tmp_path / "a.png")


def test_brush_masks_that_lie() -> None:
    good = encode_brush(RECORDS[0].rle)
    with pytest.raises(FormatError, match="does not have the image's"):
        decode_brush(good, (9, 12))
    with pytest.raises(FormatError, match="ends too early"):
        decode_brush(good[:-3], (9, 11))
    for wrong in (None, "x", [256], [1.5], [True], [-1]):
        with pytest.raises(FormatError, match="'rle' is"):
            decode_brush(wrong, (9, 11))
    with pytest.raises(FormatError, match="too large"):
        decode_brush(good, (HUGE, HUGE))


def test_runs_that_do_not_fit_their_image(tmp_path: Path) -> None:
    cvat = '<annotations><image name="a.jpg" width="9" height="9">{}</image></annotations>'
    box = '<mask label="x" left="{}" top="0" width="3" height="3" rle="{}"/>'
    for left, runs, message in (
        (0, "0, 8", "cover 8"),
        (8, "0, 9", "out of the image"),
        (0, "0,x", "a run of"),
    ):
        (tmp_path / "a.xml").write_text(cvat.format(box.format(left, runs)))
        with pytest.raises(FormatError, match=message):
            formats.read_images(tmp_path / "a.xml")
