"""Every format gives back what it says it keeps, and says what it does not."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anymask import formats
from anymask.core.record import MaskRecord
from anymask.formats import Contents, Loss, png, registry
from anymask.formats.label_map import visible_areas
from anymask.formats.losses import EVERYTHING, Keeps
from tests.core.test_record import ids, json_values, numbers

LABELS = st.none() | st.sampled_from(["cat", "a dog", "object", "Ünï <&>", "= 1", "'", "0", '"x"', ""])


def fields() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "score": st.none() | st.floats(0, 1),
            "stability": st.none() | st.floats(0, 1),
            "point_xy": st.none() | st.tuples(numbers, numbers),
            "crop_box": st.none() | st.tuples(numbers, numbers, numbers, numbers),
            "label": LABELS,
            "attributes": st.dictionaries(st.text(), json_values, max_size=2),
            "provenance": st.dictionaries(st.text(), json_values, max_size=2),
            "id": ids,
            "parent": ids,
        }
    )


@st.composite
def images(draw: st.DrawFn, name: str = "a.jpg") -> Contents:
    size = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    found = draw(st.lists(st.tuples(arrays(bool, size), fields()), max_size=3))
    boxes = draw(st.lists(st.none() | st.tuples(*[numbers] * 4), min_size=len(found), max_size=len(found)))
    records = [MaskRecord.of_mask(mask, **known) for mask, known in found]
    records = [r if box is None else replace(r, box_xywh=box) for r, box in zip(records, boxes, strict=True)]
    return Contents(tuple(records), size, name)


NAMES = ("a.jpg", "train/b.png", "val/ü 照.jpeg")
data_sets = st.tuples(*(images(name) for name in NAMES)) | st.just(())


def reduced(image: Contents, keeps: Keeps) -> list[MaskRecord]:
    """What a format with this promise must give back, ids of its own left out."""
    visible = image.records
    if not keeps.overlap:
        visible = without_overlap(image)
    kept = [record for record in visible if record.area or keeps.empty]
    return [only_kept(record, keeps) for record in kept]


def without_overlap(image: Contents) -> tuple[MaskRecord, ...]:
    """Each pixel to the smallest mask there; of equal ones to the later."""
    owner = np.full(image.image_hw, -1)
    for place in sorted(range(len(image.records)), key=lambda i: -image.records[i].area):
        owner[image.records[place].mask] = place
    pairs = [(record, MaskRecord.of_mask(owner == i)) for i, record in enumerate(image.records)]
    return tuple(replace(r, rle=seen.rle, area=seen.area, box_xywh=seen.box_xywh) for r, seen in pairs)


def only_kept(record: MaskRecord, keeps: Keeps) -> MaskRecord:
    known = {name: getattr(record, name) for name in keeps.fields - {"box_xywh"}}
    if keeps.whole_ids or keeps.most_id:
        known["id"] = None
    if keeps.text_attributes:
        known["attributes"] = {k: v for k, v in record.attributes.items() if isinstance(v, str)}
    if keeps.fields != EVERYTHING and known.get("label") in ("", "object"):
        known["label"] = None  # formats of names alone call what has none "object"
    same = MaskRecord.of_rle(record.rle, **known)
    return replace(same, box_xywh=record.box_xywh) if "box_xywh" in keeps.fields else same


def clean(images: Sequence[Contents], name: str) -> tuple[Contents, ...]:
    """Data that XML can hold: it has no control characters, and line ends become spaces."""
    if name != "cvat":
        return tuple(images)

    def plain(text: str) -> str:
        return "".join(c for c in text if c.isprintable())

    def attributes(record: MaskRecord) -> dict[str, Any]:
        return {plain(k): plain(v) for k, v in record.attributes.items() if isinstance(v, str)}

    return tuple(
        replace(image, records=tuple(replace(r, attributes=attributes(r)) for r in image.records))
        for image in images
    )


@pytest.mark.parametrize("name", formats.FORMATS)
@settings(max_examples=15, phases=[Phase.explicit, Phase.generate])
@given(given_images=data_sets)
def test_what_is_kept_comes_back(name: str, given_images: tuple[Contents, ...]) -> None:
    keeps = registry.ALL[name].keeps
    given_images = clean(given_images, name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out"
        losses = formats.write_images(path, given_images, name)
        if not given_images:
            return
        again = {image.image_name: image for image in formats.read_images(path, name)}
    assert len(again) == len(given_images)
    for image in given_images:
        wanted = image.image_name
        if name in ("png", "labelmap", "palette"):  # which know the names of their own files
            wanted = str(PurePosixPath(wanted).with_suffix(".png"))
        found = again[wanted]
        assert found.image_hw == image.image_hw
        records = [only_kept(record, keeps) for record in found.records]
        expected = reduced(image, keeps)
        if name in ("png", "labelmap", "palette"):
            records, expected = (sorted(r, key=lambda m: m.rle.counts) for r in (records, expected))
        assert records == expected
    lossless = all(reduced(image, keeps) == list(image.records) for image in given_images)
    assert lossless or losses
    if keeps == Keeps():
        assert losses == ()


RING = np.zeros((8, 9), bool)
RING[1:7, 1:8] = True
RING[3:5, 3:5] = False
INNER = np.zeros((8, 9), bool)
INNER[2:4, 2:6] = True


@pytest.mark.parametrize("name", formats.FORMATS)
def test_two_exports_are_the_same_bytes(name: str, tmp_path: Path) -> None:
    records = [MaskRecord.of_mask(RING, score=0.5, label="cat", id=3), MaskRecord.of_mask(INNER)]
    data_set = [Contents(tuple(records), (8, 9), "b.jpg"), Contents((), (3, 4), "train/a.jpg")]
    for ending in ("tar", "zip"):
        for stem in ("one", "other"):
            formats.write_images(tmp_path / f"{stem}.{ending}", data_set, name)
        one, other = ((tmp_path / f"{stem}.{ending}").read_bytes() for stem in ("one", "other"))
        assert one == other
        in_folder = {
            image.image_name: image for image in formats.read_images(tmp_path / f"one.{ending}", name)
        }
        assert len(in_folder) == 2


def test_losses_are_counted() -> None:
    records = [
        MaskRecord.of_mask(RING, score=0.5, id="x", attributes={"n": 1}),
        MaskRecord.of_mask(INNER, label="cat"),
        MaskRecord.of_mask(INNER),
        MaskRecord.of_mask(np.zeros((8, 9), bool), score=0.5),
    ]
    hidden = np.count_nonzero(RING & INNER)
    assert visible_areas(Contents(tuple(records), (8, 9))) == [RING.sum() - hidden, 0, INNER.sum(), 0]
    assert formats.losses(records, "json") == ()
    assert formats.losses(records, "yolo") == (
        Loss("empty masks", 1),
        Loss("attributes", 1),
        Loss("ids", 1),
        Loss("scores", 1),
    )
    assert formats.losses(records, "png") == (
        Loss("empty masks", 1),
        Loss("attributes", 1),
        Loss("ids", 1),
        Loss("labels", 1),
        Loss("scores", 1),
        Loss("masks partly under smaller ones", 1, int(hidden)),
        Loss("masks wholly under others", 1),
    )
    assert Loss("attributes turned into text", 1) in formats.losses(records, "cvat")
    assert (
        str(Loss("masks partly under smaller ones", 1, 5)) == "masks partly under smaller ones: 1 (5 pixels)"
    )


@pytest.mark.parametrize(
    ("name", "ids", "lost", "numbers"),
    [
        ("labelmap", [300, 7], 0, [300, 7]),
        ("labelmap", [7, 7], 2, [1, 2]),
        ("labelmap", ["x", 7], 2, [1, 2]),
        ("palette", [255, 7], 0, [255, 7]),
        ("palette", [256, 7], 2, [1, 2]),
    ],
)
def test_numbers_of_label_maps(name: str, ids: list[Any], lost: int, numbers: list[int]) -> None:
    records = [MaskRecord.of_mask(np.eye(4) == k, id=n) for k, n in zip((0, 1), ids, strict=True)]
    assert formats.losses(records, name) == ((Loss("ids", lost),) if lost else ())
    image = png.label_map_from_bytes(formats.encode(records, name))
    assert {record.id: record.rle for record in image.records} == dict(
        zip(numbers, (r.rle for r in records), strict=True)
    )
