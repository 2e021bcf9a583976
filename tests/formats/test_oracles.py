"""Files judged by others: pycocotools, shapely, PyYAML, Pillow, and values that other programs wrote."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import sys
import tarfile
import types
import warnings
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import shapely
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from anymask import formats
from anymask.core.errors import FormatError, MissingExtraError
from anymask.core.polygons import mask_to_polygons
from anymask.core.record import MaskRecord
from anymask.core.rle import encode
from anymask.formats import Contents, Loss, geojson, labelme
from anymask.formats.label_studio import decode_brush, encode_brush
from anymask.formats.outlines import fill, keyhole
from anymask.formats.supervision import from_supervision, to_supervision
from anymask.formats.yaml_names import quoted, read_names
from tests.core.strategies import masks

RING = np.zeros((20, 30), bool)
RING[2:15, 3:20] = True
RING[5:9, 6:10] = False
PARTS = np.zeros((20, 30), bool)
PARTS[16:19, 1:6] = True
PARTS[16:19, 8:12] = True
BOX = np.zeros((20, 30), bool)
BOX[1:6, 22:29] = True
CAT, DOG, BIRD = (
    MaskRecord.of_mask(mask, label=label, score=score)
    for mask, label, score in ((RING, "cat", 0.9), (PARTS, "dog", 0.8), (BOX, "bird", 0.7))
)
IMAGES = [Contents((CAT, DOG), (20, 30), "a.jpg"), Contents((BIRD,), (20, 30), "b.jpg")]


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def written(tmp_path: Path, format: str, images: list[Contents] = IMAGES) -> dict[str, bytes]:
    formats.write_images(tmp_path / format, images, format)
    return files_of(tmp_path / format)


@pytest.mark.parametrize("format", ["coco", "coco-polygons"])
def test_pycocotools_evaluates(tmp_path: Path, format: str) -> None:
    path = tmp_path / "a.json"
    formats.write_images(path, IMAGES, format)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools with NumPy 2
        truth = COCO(str(path))
        found = truth.loadRes([dict(row) for row in json.loads(path.read_bytes())["annotations"]])
        judge = COCOeval(truth, found, "segm")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    assert judge.stats[0] == pytest.approx(1.0)
    kinds = [type(row["segmentation"]) for row in json.loads(path.read_bytes())["annotations"]]
    assert kinds == ([dict, list, list] if format == "coco-polygons" else [dict] * 3)


def test_panoptic_pngs_say_the_segments(tmp_path: Path) -> None:
    big = MaskRecord.of_mask(RING, id=70_000, label="cat")
    files = written(tmp_path, "panoptic", [Contents((big,), (20, 30), "a.jpg")])
    with Image.open(io.BytesIO(files["panoptic/a.png"])) as image:
        red, green, blue = np.moveaxis(np.asarray(image.convert("RGB")).astype(int), 2, 0)
    assert np.array_equal(red + 256 * green + 65536 * blue, RING * 70_000)
    (annotation,) = json.loads(files["panoptic.json"])["annotations"]
    (segment,) = annotation["segments_info"]
    assert annotation["file_name"] == "a.png"
    assert (segment["id"], segment["area"], segment["iscrowd"]) == (70_000, RING.sum(), 0)
    assert segment["bbox"] == [3, 2, 17, 13]


def test_voc_has_its_colours_and_boxes(tmp_path: Path) -> None:
    files = written(tmp_path, "voc")
    with Image.open(io.BytesIO(files["SegmentationObject/a.png"])) as image:
        assert image.mode == "P"
        assert np.array_equal(np.asarray(image), RING * 1 + PARTS * 2)
        # VOC's first colours, as its development kit has them
        colours = image.getpalette()
    assert colours is not None
    assert colours[:15] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0, 0, 0, 128]
    with Image.open(io.BytesIO(files["SegmentationClass/a.png"])) as image:
        assert np.array_equal(np.asarray(image), RING * 2 + PARTS * 3)  # bird, cat, dog
    root = ET.fromstring(files["Annotations/a.xml"])
    assert [root.findtext(f"object/bndbox/{end}") for end in ("xmin", "ymin", "xmax", "ymax")] == [
        "4", "3", "20", "15",
    ]  # fmt: skip
    assert files["ImageSets/Segmentation/default.txt"] == b"a\nb\n"
    assert files["labelmap.txt"].splitlines()[1:3] == [b"background:0,0,0::", b"bird:128,0,0::"]


def test_voc_of_others_is_read(tmp_path: Path) -> None:
    """As VOC 2012 comes: no labelmap, 255 round the objects, classes only in the class image."""
    objects, classes = RING * np.uint8(1), RING * np.uint8(8)
    objects[0], classes[0] = 255, 255
    for folder, values in (("SegmentationObject", objects), ("SegmentationClass", classes)):
        (tmp_path / "VOC2012" / folder).mkdir(parents=True)
        Image.fromarray(values).save(tmp_path / "VOC2012" / folder / "x.png")
    (image,) = formats.read_images(tmp_path)
    assert (image.image_name, [r.label for r in image.records]) == ("x.jpg", ["cat"])
    assert np.array_equal(image.records[0].mask, RING)


def test_yolo_yaml_is_yaml(tmp_path: Path) -> None:
    odd = [
        MaskRecord.of_mask(BOX, label=label) for label in ("a: b", "no", '"', "\x7f\x85", "#1", "ü\U0001f600")
    ]
    images = [Contents(tuple(odd), (20, 30), "train/a.jpg"), Contents((), (20, 30), "val/b.jpg")]
    files = written(tmp_path, "yolo", images)
    value = yaml.safe_load(files["data.yaml"])
    assert value["nc"] == 6
    assert sorted(value["names"].values()) == sorted(record.label or "" for record in odd)
    assert (value["train"], value["val"]) == ("images/train", "images/val")
    assert {"labels/train/a.txt", "labels/val/b.txt"} <= set(files)
    assert read_names(files["data.yaml"].decode()) == value["names"]


@given(names=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4))
def test_quoted_names_are_yaml(names: list[str]) -> None:
    text = "names:\n" + "".join(f"  {i}: {quoted(name)}\n" for i, name in enumerate(names)) + "nc: 3\n"
    assert (yaml.safe_load(text)["names"] or {}) == read_names(text) == dict(enumerate(names))
    flow = f"names: [{', '.join(map(quoted, names))}]\n"
    assert yaml.safe_load(flow)["names"] == list(read_names(flow).values()) == names


@pytest.mark.parametrize(
    "text",
    [
        "nc: 2\nnames: [cat, 'a dog']\n",
        "names: ['cat',\n  'a dog' ]\n",
        "names: {0: cat, 1: a dog}\n",
        "names:\n- cat\n- a dog # a comment\nnc: 2\n",
        "path: x\nnames:\n  # classes\n  0: cat\n  1: 'a dog'\n\ntrain: y\n",
        "names:\r\n  0: cat\r\n  1: a dog\r\n",
    ],
)
def test_names_of_other_tools(text: str) -> None:
    assert read_names(text) == {0: "cat", 1: "a dog"}
    value = yaml.safe_load(text)["names"]
    assert list(value.values() if isinstance(value, dict) else value) == ["cat", "a dog"]


@pytest.mark.parametrize("text", ["names:\n  cat dog\n", "names: [a, b", 'names: ["a', "names: [[a]]"])
def test_names_that_are_not_understood(text: str) -> None:
    with pytest.raises(FormatError, match="'names' "):
        read_names(text)


@given(mask=masks())
def test_a_keyhole_is_the_mask(mask: np.ndarray) -> None:
    polygons = mask_to_polygons(mask)
    size = (mask.shape[0], mask.shape[1])
    if polygons:
        ring = keyhole(polygons)
        shares = ring / size[::-1]
        written = np.array([[float(f"{n:.10g}") for n in xy] for xy in shares])
        assert fill([[written * size[::-1]]], size) == encode(mask)
    assert fill([polygon.rings for polygon in polygons], size) == encode(mask)


def test_yolo_of_ultralytics_is_read(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    Image.new("RGB", (40, 20)).save(tmp_path / "images" / "x.JPG")
    lines = "0 0.25 0.5 0.75 0.5 0.75 1 0.25 1\n1 0.5 0.5 0.2 0.2\n1 0 0 0.5 0 0.5 0.5 0.875\n"
    (tmp_path / "labels" / "x.txt").write_text(lines)
    (tmp_path / "data.yaml").write_text("names: [cat, dog]\n")
    (image,) = formats.read_images(tmp_path)
    assert (image.image_name, image.image_hw) == ("x.JPG", (20, 40))
    assert [(r.label, r.score, r.area) for r in image.records] == [("cat", None, 200), ("dog", 0.875, 100)]
    assert image.left_out == (Loss("boxes without an outline", 1),)


@given(mask=masks())
def test_geojson_is_valid_geometry(mask: np.ndarray) -> None:
    record = MaskRecord.of_mask(mask)
    contents = Contents((record,), record.image_hw, "a.tif")
    for affine in (None, (0.3, 0.0, 451_000.5, 0.0, -0.3, 5_411_000.25), (0.5, 0.1, 7.0, -0.2, 0.4, 9.0)):
        data = geojson.to_bytes(contents, affine)
        (feature,) = json.loads(data)["features"]
        scale = 1.0 if affine is None else abs(affine[0] * affine[4] - affine[1] * affine[3])
        if feature["geometry"] is not None:
            shape = shapely.from_geojson(json.dumps(feature["geometry"]))
            assert shape.is_valid
            assert shape.area == pytest.approx(record.area * scale, rel=1e-5)
            assert all(part.exterior.is_ccw for part in shape.geoms)
            assert not any(hole.is_ccw for part in shape.geoms for hole in part.interiors)
        assert geojson.from_bytes(data) == contents


def test_geojson_of_others_is_read() -> None:
    square = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [square]}}
    value = {"type": "FeatureCollection", "features": [{**feature, "properties": {"name": "roof", "fid": 3}}]}
    with pytest.raises(FormatError, match="give image_hw"):
        geojson.from_bytes(json.dumps(value).encode())
    (record,) = geojson.from_bytes(json.dumps(value).encode(), "x", image_hw=(10, 10)).records
    assert (record.area, record.label, record.attributes) == (16, "roof", {"name": "roof", "fid": 3})


# The 5 x 7 mask below, written by label_studio_sdk 2.1.2 (converter.brush.mask2rle) and cvat_sdk 2.80
# (masks.encode_mask).
SMALL = np.zeros((5, 7), bool)
SMALL[1:4, 2:6] = True
SMALL[2, 3] = False
BRUSH = [
    0, 0, 0, 140, 57, 27, 254, 35, 0, 191, 255, 108, 2, 63, 248, 192, 39, 255, 182, 1, 127, 255, 15, 128, 0,
]  # fmt: skip
RUNS = "0, 5, 1, 6"


def test_a_brush_mask_of_label_studio_is_read() -> None:
    assert decode_brush(BRUSH, (5, 7)) == encode(SMALL)


@given(mask=masks())
def test_brush_masks_come_back(mask: np.ndarray) -> None:
    rle = encode(mask)
    assert decode_brush(encode_brush(rle), rle.size_hw) == rle


def test_long_runs_of_brush_masks() -> None:
    rle = encode(np.ones((300, 400)))
    assert decode_brush(encode_brush(rle), rle.size_hw) == rle


def test_an_export_of_label_studio_is_read(tmp_path: Path) -> None:
    size = {"original_width": 20, "original_height": 10}
    box = {"x": 10, "y": 20, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["car"]}
    outline = {"points": [[0, 0], [50, 0], [50, 100], [0, 100]], "polygonlabels": ["road"]}
    result = [
        {"type": "rectanglelabels", "value": box, **size},
        {"type": "polygonlabels", "value": outline, "score": 0.5, **size},
        {"type": "keypointlabels", "value": {"x": 1, "y": 1}, **size},
    ]
    tasks = [
        {"id": 4, "data": {"image": "/data/upload/1/ab%20c.jpg"}, "annotations": [{"result": result}]},
        {"data": {"image": "/data/local-files/?d=set/d.jpg"}, "predictions": [{"result": result[:1]}]},
    ]
    (tmp_path / "x.json").write_text(json.dumps(tasks))
    first, second = formats.read_images(tmp_path / "x.json")
    assert (first.image_name, second.image_name) == ("ab c.jpg", "d.jpg")
    assert [(r.label, r.area, r.score) for r in first.records] == [("car", 50, None), ("road", 100, 0.5)]
    assert first.left_out == (Loss("regions that are no area (keypointlabels)", 1),)


def test_cvat_masks_are_runs_of_the_box(tmp_path: Path) -> None:
    record = MaskRecord.of_mask(SMALL, label="cat", attributes={"colour": "red", "n": 2})
    root = ET.fromstring(written(tmp_path, "cvat", [Contents((record,), (5, 7), "a.jpg")])["annotations.xml"])
    mask = root.find("image/mask")
    assert mask is not None
    assert mask.get("rle") == RUNS
    assert [mask.get(key) for key in ("left", "top", "width", "height")] == ["2", "1", "4", "3"]
    assert {a.get("name"): a.text for a in mask} == {"colour": "red", "n": "2"}
    assert [e.text for e in root.iterfind("meta/task/labels/label/name")] == ["cat"]


def test_cvat_of_others_is_read(tmp_path: Path) -> None:
    (tmp_path / "annotations.xml").write_text(
        """<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>
        <image id="0" name="set/a.jpg" width="10" height="10">
        <polygon label="car" points="0.00,0.00;4.00,0.00;4.00,4.00;0.00,4.00" occluded="0" z_order="0"/>
        <box label="cat" xtl="2" ytl="2" xbr="8" ybr="4" rotation="90"><attribute name="k">v</attribute></box>
        <polyline label="x" points="1,1;2,2"/><points label="x" points="1,1"/>
        </image></annotations>"""
    )
    (image,) = formats.read_images(tmp_path)
    assert (image.image_name, [(r.label, r.area) for r in image.records]) == (
        "set/a.jpg",
        [("car", 16), ("cat", 12)],
    )
    assert image.records[1].box_xywh == (4, 0, 2, 6)
    assert image.records[1].attributes == {"k": "v"}
    assert [loss.count for loss in image.left_out] == [1, 1]


def test_labelme_shapes(tmp_path: Path) -> None:
    contents = Contents((CAT, DOG), (20, 30), "a.jpg")
    value = json.loads(labelme.to_bytes(contents))
    keys = {"version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"}
    assert set(value) == keys
    mask, *polygons = value["shapes"]
    assert (mask["shape_type"], mask["points"]) == ("mask", [[3, 2], [19, 14]])  # both corners inside
    with Image.open(io.BytesIO(base64.b64decode(mask["mask"]))) as image:
        assert np.array_equal(np.asarray(image) > 0, RING[2:15, 3:20])
    assert [shape["shape_type"] for shape in polygons] == ["polygon", "polygon"]
    assert len({shape["group_id"] for shape in polygons}) == 1
    needed = {"label", "points", "group_id", "description", "shape_type", "flags", "mask"}
    assert all(needed <= set(shape) for shape in value["shapes"])
    assert labelme.from_bytes(json.dumps(value).encode()) == contents
    value["shapes"][0]["label"] = "tiger"  # somebody edits the label in labelme
    assert labelme.from_bytes(json.dumps(value).encode()).records[0].label == "tiger"


def test_labelme_of_others_is_read() -> None:
    shapes: list[dict[str, Any]] = [
        {"label": "a", "points": [[2, 1], [6, 5]], "shape_type": "rectangle", "group_id": None},
        {"label": "b", "points": [[10, 10], [10, 14]], "shape_type": "circle"},
        {"label": "c", "points": [[1, 1]], "shape_type": "point"},
        {"label": "d", "points": [[0, 0], [3, 0], [3, 3]]},
    ]
    value = {"shapes": shapes, "imagePath": "sub\\x.jpg", "imageHeight": 20, "imageWidth": 20}
    image = labelme.from_bytes(json.dumps(value).encode())
    assert image.image_name == "sub/x.jpg"
    assert [record.label for record in image.records] == ["a", "b", "d"]
    assert image.records[0].area == 16
    assert image.records[1].area == pytest.approx(np.pi * 16, abs=3)
    assert image.left_out == (Loss("shapes that are no area (point)", 1),)


def test_sa_1b_has_its_fields(tmp_path: Path) -> None:
    record = MaskRecord.of_mask(
        RING, score=0.5, stability=0.9, point_xy=(1, 2), crop_box=(0, 0, 30, 20), id=5
    )
    files = written(tmp_path, "sa1b", [Contents((record,), (20, 30), "sa_223750.jpg")])
    value = json.loads(files["sa_223750.json"])
    assert value["image"] == {"image_id": 223750, "width": 30, "height": 20, "file_name": "sa_223750.jpg"}
    assert set(value["annotations"][0]) == {
        "id", "segmentation", "bbox", "area", "predicted_iou", "stability_score", "point_coords", "crop_box",
    }  # fmt: skip


def test_tars_of_sa_1b_are_read(tmp_path: Path) -> None:
    """As SA-1B is published: pictures and JSON side by side in a tar, annotations with its own fields."""
    counts = MaskRecord.of_mask(RING).to_json()["segmentation"]
    annotation = {
        "id": 125918, "segmentation": counts, "bbox": [3.0, 2.0, 16.0, 12.0], "area": int(RING.sum()),
        "predicted_iou": 0.9, "point_coords": [[5.5, 4.5]], "crop_box": [0.0, 0.0, 30.0, 20.0],
        "stability_score": 0.95,
    }  # fmt: skip
    with tarfile.open(tmp_path / "sa_000020.tar", "w") as tar:
        for number in (223750, 223751):
            image = {"image_id": number, "width": 30, "height": 20, "file_name": f"sa_{number}.jpg"}
            for name, data in (
                (f"./sa_{number}.jpg", b"a picture"),
                (f"./sa_{number}.json", json.dumps({"image": image, "annotations": [annotation]}).encode()),
            ):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    images = formats.read_images(tmp_path / "sa_000020.tar")
    assert [image.image_name for image in images] == ["sa_223750.jpg", "sa_223751.jpg"]
    (record,) = images[1].records
    assert (record.id, record.point_xy, record.crop_box) == (125918, (5.5, 4.5), (0, 0, 30, 20))
    assert np.array_equal(record.mask, RING)
    formats.write_images(tmp_path / "again.tar", images, "sa1b")
    assert [image.records for image in formats.read_images(tmp_path / "again.tar")] == [
        image.records for image in images
    ]


def test_spreadsheets_see_no_formula(tmp_path: Path) -> None:
    labels = ["=1+1", "+a", "-a", "@SUM(A1)", "\tx", "'=x", "plain", ""]
    records = [MaskRecord.of_mask(BOX, label=label, id=f"@{label}") for label in labels]
    image = Contents(tuple(records), (20, 30), "=cmd.jpg")
    formats.write_images(tmp_path / "a.csv", [image])
    rows = list(csv.reader((tmp_path / "a.csv").read_text().splitlines()))
    risky = [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert risky == []
    assert formats.read_images(tmp_path / "a.csv") == [image]


class Detections:
    """The fields of supervision 0.31's Detections that masks need, checked as it checks them."""

    def __init__(self, xyxy: Any, mask: Any, confidence: Any, class_id: Any, data: Any) -> None:
        n = len(xyxy)
        assert xyxy.shape == (n, 4)
        assert mask.dtype == bool
        assert mask.shape[0] == n
        assert class_id.shape == (n,)
        assert confidence is None or confidence.shape == (n,)
        assert data["class_name"].shape == (n,)
        self.xyxy, self.mask, self.confidence = xyxy, mask, confidence
        self.class_id, self.data = class_id, data

    def __len__(self) -> int:
        return len(self.xyxy)


def test_supervision(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("supervision")
    module.Detections = Detections  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "supervision", module)
    records = [MaskRecord.of_mask(RING, label="cat", score=0.5), MaskRecord.of_mask(BOX, score=0.25)]
    detections = to_supervision(records)
    assert detections.xyxy.tolist() == [[3, 2, 20, 15], [22, 1, 29, 6]]
    assert detections.class_id.tolist() == [0, 1]
    assert from_supervision(detections) == records
    whole = [
        MaskRecord.of_mask(
            mask,
            label=label,
            score=score,
            stability=0.9,
            point_xy=(1, 2),
            id=i,
            attributes={"n": i},
            parent="p",
        )
        for i, (mask, label, score) in enumerate(
            [(RING, "object", 0.1), (BOX, None, None), (PARTS, "dog", 0.3)]
        )
    ]
    detections = to_supervision(whole)
    assert detections.confidence is None  # not every mask has one
    assert from_supervision(detections) == whole
    detections.data["class_name"] = np.array(["object", "cat", "dog"])  # renamed, scored and cut elsewhere
    detections.confidence = np.array([0.1, 0.2, 0.75], np.float32)
    detections.mask[2, 17:] = False
    renamed = from_supervision(detections)
    assert [record.label for record in renamed] == ["object", "cat", "dog"]
    assert [record.score for record in renamed] == [0.1, pytest.approx(0.2), 0.75]
    assert renamed[2].area < whole[2].area
    assert renamed[2].box_xywh == renamed[2].rle.box_xywh
    assert renamed[1].attributes == {"n": 1}
    detections.data["anymask"] = np.array([3, 4, 5], object)
    with pytest.raises(FormatError, match="'anymask' is 3"):
        from_supervision(detections)
    foreign = Detections(
        detections.xyxy, detections.mask, None, np.array([0, 1, 1]), {"class_name": np.array(["a", "b", "b"])}
    )
    assert [(record.label, record.id) for record in from_supervision(foreign)] == [
        ("a", None),
        ("b", None),
        ("b", None),
    ]
    detections.mask = None
    with pytest.raises(FormatError, match="no masks"):
        from_supervision(detections)
    with pytest.raises(FormatError, match="different sizes"):
        to_supervision([records[0], MaskRecord.of_mask(np.eye(3))])


def test_supervision_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(MissingExtraError, match="pip install supervision"):
        to_supervision([CAT])
