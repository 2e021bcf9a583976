"""Small shards of drawn pictures: coloured disks and rectangles with their exact masks."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as coco

from anymask.modeling.lite import LiteConfig
from anymask.train.config import TrainConfig

TINY = LiteConfig(backbone="plain_cnn", width16=16, width8=8, width4=8, attention_width=8, mlp_width=16)
BACKGROUND, DISK, BLOCK = (40, 60, 200), (220, 40, 40), (40, 220, 60)


def tiny_config(**changes: Any) -> TrainConfig:
    """Settings with which a step takes a few milliseconds."""
    base: dict[str, Any] = {
        "model": TINY, "image_size": 64, "images": 2, "masks": 2, "steps": 4, "save_every": 2, "warmup": 1,
        "rounds": 2, "points": 6, "lr": 3e-3, "ema": 0.5,
    }  # fmt: skip
    return TrainConfig.from_dict({**base, **changes})


def drawing(seed: int, height: int = 60, width: int = 90) -> tuple[np.ndarray, list[np.ndarray]]:
    """pixels (H, W, 3) uint8 and two masks (H, W) bool that do not overlap."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    cx, cy, radius = rng.uniform(15, 30), rng.uniform(15, height - 15), rng.uniform(8, 13)
    disk = (x - cx) ** 2 + (y - cy) ** 2 < radius**2
    left, top = int(rng.integers(50, 60)), int(rng.integers(5, 25))
    block = np.zeros((height, width), bool)
    block[top : top + 25, left : left + 22] = True
    pixels = np.full((height, width, 3), BACKGROUND, np.uint8)
    pixels[disk], pixels[block] = DISK, BLOCK
    return pixels, [disk, block]


def rle(mask: np.ndarray) -> dict[str, Any]:
    found = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(found["size"]), "counts": found["counts"].decode()}


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def describe(masks: list[np.ndarray], **more: Any) -> dict[str, Any]:
    entries = [{"rle": rle(mask), "label": "thing", "part_of": None} for mask in masks]
    return {
        "source": "toys",
        "kind": "other",
        "zero_shot": False,
        "exhaustive": False,
        "masks": entries,
        **more,
    }


def write_shard(path: Path, pairs: list[tuple[str, bytes, bytes]]) -> Path:
    """A tar of (key, image, JSON) triples."""
    with tarfile.open(path, "w") as tar:
        for key, image, text in pairs:
            for name, data in ((f"{key}.png", image), (f"{key}.json", text)):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return path


def toy_shard(path: Path, count: int = 6) -> Path:
    pairs = []
    for i in range(count):
        pixels, masks = drawing(i)
        pairs.append((f"toys-{i}", png(pixels), json.dumps(describe(masks)).encode()))
    return write_shard(path, pairs)
