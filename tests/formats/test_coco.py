"""COCO files: ours in pycocotools, others' in ours."""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from anymask import formats
from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.formats.coco import from_bytes
from anymask.formats.losses import Loss
from tests.formats.test_formats import DOT, PICTURE, RECORDS, RING


def by_pycocotools(path: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def mask_by_pycocotools(coco: COCO, annotation: dict[str, Any]) -> np.ndarray:
    with warnings.catch_warnings():  # pycocotools 2.0.11 with NumPy 2
        warnings.simplefilter("ignore", DeprecationWarning)
        return np.asarray(coco.annToMask(annotation)).astype(bool)


def test_pycocotools_reads_our_files(tmp_path: Path) -> None:
    coco = by_pycocotools(formats.write(tmp_path / "a.coco.json", RECORDS, picture=PICTURE))
    (image,) = coco.loadImgs(coco.getImgIds())
    assert (image["file_name"], image["height"], image["width"]) == (PICTURE.name, 12, 16)
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
    assert [a["bbox"] for a in annotations] == [[3, 2, 9, 7], [14, 10, 2, 2]]
    assert [a["area"] for a in annotations] == [RING.sum(), DOT.sum()]
    for annotation, mask in zip(annotations, (RING, DOT), strict=True):
        assert np.array_equal(mask_by_pycocotools(coco, annotation), mask)
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    assert [names[a["category_id"]] for a in annotations] == ['ring "<&>', "dot"]


def test_our_files_give_our_records_back(tmp_path: Path) -> None:
    path = formats.write(tmp_path / "a.coco.json", RECORDS)
    assert formats.read(path) == RECORDS
    assert [row["id"] for row in json.loads(path.read_bytes())["annotations"]] == [7, 8]
    # seen inside .json, too
    assert formats.read(formats.write(tmp_path / "b.json", RECORDS, format="coco")) == RECORDS


def coco(annotation: dict[str, Any] | None = None, **tables: Any) -> bytes:
    base = {"id": 1, "image_id": 1, "category_id": 3, "bbox": [0, 0, 1, 1], "area": 1, "iscrowd": 0}
    value = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 20, "width": 30}],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [] if annotation is None else [{**base, **annotation}],
    }
    return json.dumps({**value, **tables}).encode()


SQUARE = [2, 3, 12, 3, 12, 13, 2, 13]
CASES: list[Any] = [
    [SQUARE],
    [SQUARE, [20, 5, 25, 5, 25, 9]],
    [SQUARE, [15.5, 3.25, 15.5, 10, 9, 10]],  # two parts that overlap
    [[-5, -5, 500, -5, 500, 500, -5, 500]],
    {"size": [20, 30], "counts": [10, 5, 585]},
    MaskRecord.of_mask(np.eye(20, 30)).rle.to_coco(),
]


@pytest.mark.parametrize("segmentation", CASES, ids=range(len(CASES)))
@pytest.mark.parametrize("iscrowd", [0, 1])
def test_every_form_of_mask_equals_pycocotools(tmp_path: Path, segmentation: Any, iscrowd: int) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(coco({"segmentation": segmentation, "iscrowd": iscrowd}))
    (record,) = formats.read(path)
    theirs = by_pycocotools(path)
    assert np.array_equal(record.mask, mask_by_pycocotools(theirs, theirs.anns[1]))
    assert record.label == "cat"
    assert record.area == record.mask.sum()
    assert record.attributes == ({"iscrowd": 1} if iscrowd else {})


@pytest.mark.parametrize("segmentation", [[], [[]], [[1, 2, 3, 4]], [[5, 5, 5, 5, 5, 5]]])
def test_polygons_without_a_pixel_are_left_out(segmentation: Any) -> None:
    (image,) = from_bytes(coco({"segmentation": segmentation}))
    assert image.records == ()
    assert image.left_out == (Loss("polygons without a pixel", 1),)


def test_ids_that_are_floats_or_text() -> None:
    data = coco({"segmentation": [SQUARE], "image_id": 1.0, "category_id": 3.0, "id": "x"})
    (record,) = from_bytes(data)[0].records
    assert (record.label, record.id) == ("cat", "x")


def test_several_images(tmp_path: Path) -> None:
    size = {"height": 20, "width": 30}
    images = [{"id": 1, "file_name": "a.jpg", **size}, {"id": 2, "file_name": "b.jpg", **size}]
    path = tmp_path / "instances.json"
    path.write_bytes(coco({"segmentation": [SQUARE], "image_id": 2}, images=images))
    empty, found = formats.read_images(path)
    assert (empty.image_name, empty.image_hw, empty.records) == ("a.jpg", (20, 30), ())
    assert formats.read(path, image_name="b.jpg") == list(found.records)
    with pytest.raises(FormatError, match=r"2 images \(a\.jpg, b\.jpg\); say which"):
        formats.read(path)
    with pytest.raises(FormatError, match="no image 'c"):
        formats.read(path, image_name="c.jpg")
    with pytest.raises(FormatError, match="cannot read"):
        formats.read_images(tmp_path / "no.json")


BAD: list[tuple[bytes, str]] = [
    (coco({"segmentation": None}), "annotation 1: 'segmentation' is neither"),
    (coco({"segmentation": "x"}), "neither"),
    (coco({"segmentation": [[1, 2, 3, 4, 5, "6"]]}), "flat list"),
    (coco({"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}), "flat list"),
    (coco({"segmentation": [[1, 2, 3, 4, 5, 1e300]]}), "flat list"),
    (coco({"segmentation": ["polygon"]}), "flat list"),
    (coco({"segmentation": {"size": [30, 20], "counts": [600]}}), "the mask has size"),
    (coco({"segmentation": {"size": [20, 30], "counts": "zz"}}), "RLE"),
    (coco({"segmentation": [SQUARE], "image_id": 9}), "its image 9 is not in the file"),
    (coco({"segmentation": [SQUARE], "image_id": None}), "no usable 'image_id'"),
    (coco({"segmentation": [SQUARE]}, images=[{"id": 1, "height": 20, "width": None}]), "whole numbers"),
    (coco({"segmentation": [SQUARE]}, images=[{"id": 1, "height": "20", "width": 30}]), "whole numbers"),
    (coco(images=[{"file_name": "a.jpg"}]), "an image has no usable 'id'"),
    (coco(categories=[7]), "a category has no usable 'id'"),
    (coco(annotations=[7]), "no usable 'image_id'"),
    (coco(images=[{"id": 1, "height": 2, "width": 2}] * 2), "two images have the id 1"),
    (coco(images=[{"id": 1, "height": 2, "width": 2, "file_name": "../a.jpg"}]), "inside the folder"),
    (coco(images={}), "not a COCO file"),
    (b"[]", "not a COCO file"),
]


@pytest.mark.parametrize(("data", "message"), BAD, ids=range(len(BAD)))
def test_what_is_not_coco_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        from_bytes(data)
