"""Small data sets of drawn pictures in every layout, and what their masks are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat

from tests.train.toys import describe, drawing, png, rle, toy_shard, write_shard

HW = (60, 90)


def picture_file(path: Path, seed: int = 0) -> list[np.ndarray]:
    """Write the drawing of this seed; return its two masks."""
    pixels, masks = drawing(seed, *HW)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return masks


def numbers_file(path: Path, numbers: np.ndarray, *, palette: bool = False) -> Path:
    """Write (H, W) numbers or (H, W, 3) colours as an image, as indices of a palette where that is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(numbers)
    if palette:
        image.putpalette(np.random.default_rng(0).integers(0, 256, 768, np.uint8).tobytes())
    image.save(path)
    return path


def numbered(masks: list[np.ndarray], values: tuple[int, ...] = (1, 2)) -> np.ndarray:
    """(H, W) uint8, the value of each mask where it is."""
    found = np.zeros(masks[0].shape, np.uint8)
    for mask, value in zip(masks, values, strict=True):
        found[mask] = value
    return found


def shard(root: Path, count: int = 2) -> Path:
    return toy_shard(root / "toys.tar", count)


def broken_shard(root: Path) -> Path:
    """One good pair, and one for each thing that can be wrong with it."""
    pixels, masks = drawing(0)
    good = json.dumps(describe(masks)).encode()
    empty = json.dumps(describe([np.zeros(HW, bool)])).encode()
    small = json.dumps(describe([masks[0][:20]])).encode()
    half = json.dumps(describe([masks[0], np.zeros(HW, bool)])).encode()
    return write_shard(
        root / "broken.tar",
        [("good", png(pixels), good), ("text", b"words", good), ("empty", png(pixels), empty),
         ("small", png(pixels), small), ("none", png(pixels), b'{"source": "s"}'),
         ("half", png(pixels), half), ("notjson", png(pixels), b"{"), ("list", png(pixels), b"[]")],
    )  # fmt: skip


def coco(root: Path, count: int = 2) -> Path:
    """`images/` and `annotations/instances_val.json`; the last picture has no annotation."""
    value = coco_tables(root / "images", count)
    value["images"].append({"id": 900, "file_name": "nothing.png", "height": HW[0], "width": HW[1]})
    picture_file(root / "images" / "nothing.png", 9)
    return write_json(root / "annotations" / "instances_val.json", value)


def coco_tables(folder: Path, count: int) -> dict[str, Any]:
    images, annotations = [], []
    for i in range(count):
        name = f"p{i}.png"
        images.append({"id": 10 + i, "file_name": name, "height": HW[0], "width": HW[1]})
        for number, mask in enumerate(picture_file(folder / name, i)):
            annotations.append(annotation(len(annotations) + 1, 10 + i, mask, category_id=number + 1))
    categories = [{"id": 1, "name": "disk"}, {"id": 2, "name": "block"}]
    return {"images": images, "annotations": annotations, "categories": categories}


def annotation(number: int, image_id: int, mask: np.ndarray, **more: Any) -> dict[str, Any]:
    y, x = np.nonzero(mask)
    box = [int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1] if len(x) else [0, 0, 0, 0]
    area = int(mask.sum())
    found = {"id": number, "image_id": image_id, "segmentation": rle(mask), "bbox": box, "area": area}
    return {**found, "iscrowd": 0, "category_id": 1, **more}


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def folder(root: Path) -> Path:
    for i in range(2):
        masks = picture_file(root / "images" / f"p{i}.png", i)
        numbers_file(root / "masks" / f"p{i}.png", numbered(masks))
    return root


def davis(root: Path) -> Path:
    """Two sequences of 480p, with palettes as DAVIS 2017 has them, and one resolution more."""
    for i, name in enumerate(("bear/00000", "bear/00001", "dog/00000")):
        masks = picture_file(root / f"JPEGImages/480p/{name}.jpg", i)
        numbers_file(root / f"Annotations/480p/{name}.png", numbered(masks), palette=True)
    picture_file(root / "JPEGImages/Full-Resolution/bear/00000.jpg")
    numbers_file(root / "Annotations/Full-Resolution/bear/00000.png", np.ones(HW, np.uint8))
    lists = root / "ImageSets" / "2017"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("dog\n")
    return root


def trimaps(root: Path, pictures: str = "data_GT", masks: str = "boundary_GT") -> Path:
    """GrabCut's layout (Berkeley's with other names): 255 on the disk, 128 in its lower half's row."""
    for i in range(2):
        disk = picture_file(root / pictures / f"p{i}.jpg", i)[0]
        trimap = disk.astype(np.uint8) * 255
        trimap[40:42] = 128
        numbers_file(root / masks / f"p{i}.bmp", trimap)
    (root / "boundary_GT_lasso").mkdir(exist_ok=True)
    numbers_file(root / "boundary_GT_lasso" / "p0.bmp", np.full(HW, 64, np.uint8))
    return root


def bsds(root: Path, split: str = "test") -> Path:
    """Two pictures of BSDS500, drawn by two people."""
    for i in range(2):
        masks = picture_file(root / "images" / split / f"{i}.jpg", i)
        segments = 1 + numbered(masks).astype(np.uint16)
        matfile(root / "groundTruth" / split / f"{i}.mat", [segments, np.ones(HW, np.uint16)])
    return root


def matfile(path: Path, segmentations: list[np.ndarray]) -> Path:
    """Segments, and as boundaries the pixels whose right neighbour is of another one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = np.empty((1, len(segmentations)), object)
    for i, numbers in enumerate(segmentations):
        edges = np.diff(numbers.astype(int), axis=1, append=numbers[:, -1:].astype(int)) != 0
        cells[0, i] = {"Segmentation": numbers, "Boundaries": edges.astype(np.uint8)}
    savemat(path, {"groundTruth": cells}, do_compression=True)
    return path
