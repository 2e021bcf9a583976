"""What is taken of a user's data, in every layout, and what is said of the rest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anymask.core.errors import InputError
from anymask.evaluate.datasets import open_samples
from anymask.evaluate.samples import Problems
from anymask.finetune.data import Gathered, Layout, Unseen, divide, gather, only, open_chosen, refuse_shared
from tests.evaluate.layouts import broken_shard, picture_file
from tests.finetune.conftest import quick
from tests.train.toys import describe, drawing, png, rle, write_shard


def quiet(what: str, done: int, total: int) -> None:
    """No progress."""


def gathered(path: Path, tmp_path: Path, size: int = 128) -> tuple[Gathered, list[str]]:
    problems = Problems()
    found = gather(open_chosen([path], Layout(), ""), tmp_path / "pictures", size, problems, quiet)
    return found, problems.lines


def coco(root: Path, pictures: int = 3) -> Path:
    """A COCO file with a `patient` for every picture, one wrong size, one empty and one repeated mask."""
    images, rows = [], []
    for i in range(pictures):
        masks = picture_file(root / "images" / f"p{i}.png", i)
        images.append({"id": i, "file_name": f"p{i}.png", "height": 60, "width": 90, "patient": f"x{i % 3}"})
        rows += [{"image_id": i, "category_id": 1, "segmentation": rle(m), "iscrowd": 0} for m in masks]
    rows.append({"image_id": 0, "category_id": 1, "segmentation": rle(masks[0][:20]), "iscrowd": 0})
    rows.append(
        {"image_id": 0, "category_id": 1, "segmentation": rle(np.zeros((60, 90), bool)), "iscrowd": 0}
    )
    rows.append(dict(rows[0]))
    value = {
        "images": images,
        "annotations": [{"id": i, "bbox": [0, 0, 1, 1], "area": 9, **row} for i, row in enumerate(rows, 1)],
        "categories": [{"id": 1, "name": "thing"}],
    }
    path = root / "instances.json"
    path.write_text(json.dumps(value))
    return path


def labelme(root: Path) -> Path:
    for i in range(3):
        picture_file(root / f"p{i}.png", i)
        points = [[5, 5], [40, 5], [40, 40]]
        value = {
            "version": "5.0.0",
            "flags": {},
            "shapes": [{"label": "thing", "shape_type": "polygon", "points": points, "flags": {}}],
            "imagePath": f"p{i}.png",
            "imageData": None,
            "imageHeight": 60,
            "imageWidth": 90,
        }
        (root / f"p{i}.json").write_text(json.dumps(value))
    return root


def yolo(root: Path) -> Path:
    (root / "labels").mkdir(parents=True)
    for i in range(3):
        picture_file(root / "images" / f"p{i}.png", i)
        (root / "labels" / f"p{i}.txt").write_text("0 0.1 0.1 0.5 0.1 0.5 0.6\n")
    (root / "data.yaml").write_text("path: .\ntrain: images\nnames:\n  0: thing\n")
    return root


def folders(root: Path) -> Path:
    for i in range(3):
        masks = picture_file(root / "images" / f"p{i}.png", i)
        (root / "masks").mkdir(exist_ok=True)
        Image.fromarray(masks[0].astype(np.uint8) * 255).save(root / "masks" / f"p{i}.png")
    return root


@pytest.mark.parametrize("make", [labelme, yolo, folders])
def test_every_layout_can_be_learned_from(make: object, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    found, wrong = gathered(make(root), tmp_path)  # type: ignore[operator]
    assert (found.facts.pictures, found.facts.masks, wrong) == (3, 3, [])
    assert found.facts.sizes == ((60, 90), (60, 90))
    assert found.cache.pixels(0).shape == (60, 90, 3)


def test_what_is_wrong_with_masks_is_said(tmp_path: Path) -> None:
    found, wrong = gathered(coco(tmp_path / "data"), tmp_path)
    assert (found.facts.pictures, found.facts.masks, found.facts.twice) == (3, 6, 1)
    assert any("p0.png: annotation 7" in line for line in wrong)
    assert any("p0.png: annotation 8 is empty" in line for line in wrong)
    assert found.facts.labels["thing"] == 7


def test_broken_pictures_are_named_and_left_out(tmp_path: Path) -> None:
    found, wrong = gathered(broken_shard(tmp_path), tmp_path)
    assert {sample.key for sample in found.cache.samples} == {"good", "half"}
    assert {line.split(":")[0] for line in wrong} >= {"text", "empty", "small", "none", "notjson", "list"}


def test_nothing_usable_is_an_error(tmp_path: Path) -> None:
    pixels, masks = drawing(0)
    empty = json.dumps(describe([np.zeros_like(masks[0])])).encode()
    shard = write_shard(tmp_path / "empty.tar", [("a", png(pixels), empty)])
    with pytest.raises(
        InputError, match=r"no picture with a usable mask \(a: no mask can be used: mask 0 is empty\)"
    ):
        gathered(shard, tmp_path)


def test_overlapping_masks_are_counted_and_kept(tmp_path: Path) -> None:
    pixels, masks = drawing(0)
    whole = masks[0] | masks[1]
    about = json.dumps(describe([*masks, whole])).encode()
    found, _ = gathered(write_shard(tmp_path / "o.tar", [("a", png(pixels), about)]), tmp_path)
    assert (found.facts.masks, found.facts.overlapping) == (3, 3)


def test_large_pictures_are_kept_smaller(tmp_path: Path) -> None:
    pixels, masks = drawing(0, 300, 600)
    about = json.dumps(describe(masks)).encode()
    found, _ = gathered(write_shard(tmp_path / "o.tar", [("a", png(pixels), about)]), tmp_path, size=64)
    assert found.cache.pixels(0).shape == (48, 96, 3)
    ratio = found.cache.mask(0, 0).mean() / masks[0].mean()
    assert ratio == pytest.approx(1, abs=0.2)
    assert found.facts.sizes == ((300, 600), (300, 600))


def test_pictures_of_one_patient_stay_together(tmp_path: Path) -> None:
    data = open_samples([coco(tmp_path / "data", 9)])
    found = divide(data, quick(group="attribute:patient"), hold_out=True, problems=Problems())
    for side in (found.train, found.validation, found.held_out):
        assert len({found.groups[key] for key in side}) == 1
        assert len(side) == 3


def test_only_matching_pictures(tmp_path: Path) -> None:
    path = coco(tmp_path / "data")
    assert [e.key for e in open_chosen([path], Layout(), "p[12]").entries] == ["p1.png", "p2.png"]
    with pytest.raises(
        InputError, match=r"matches no picture of instances\.json; its names are like 'p0\.png'"
    ):
        open_chosen([path], Layout(), "scan")


def test_a_picture_on_both_sides_is_refused(tmp_path: Path) -> None:
    first = folders(tmp_path / "a")
    found, _ = gathered(first, tmp_path)
    copy = tmp_path / "b"
    (copy / "images").mkdir(parents=True)
    (copy / "masks").mkdir()
    for kind in ("images", "masks"):
        (copy / kind / "renamed.png").write_bytes((first / kind / "p1.png").read_bytes())
    with pytest.raises(InputError, match=r"'images/renamed\.png' is also trained on \('images/p1\.png'\)"):
        refuse_shared(found.facts, open_samples([copy]), Problems())
    refuse_shared(found.facts, only(open_samples([copy]), []), Problems())


def test_the_guard_has_no_picture_that_was_trained_on(tmp_path: Path) -> None:
    data = open_samples([folders(tmp_path / "a")])
    known = [s.picture.sha256 for s in data.samples(Problems()) if s.key == "images/p1.png"]
    left = Unseen(data, frozenset(known)).samples(Problems())
    assert [sample.key for sample in left] == ["images/p0.png", "images/p2.png"]
