"""Tar shards of images with masks, decoded once into a local cache of raw pixels."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image

from anymask.core.errors import FormatError, InputError
from anymask.core.rle import Rle, decode
from anymask.formats.shards import read_shard

Report = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Sample:
    """One cached image: where its pixels lie and what is known of it."""

    key: str
    offset: int
    height: int
    width: int
    source: str
    kind: str
    zero_shot: bool
    exhaustive: bool
    rles: tuple[dict[str, Any], ...]  # {"size": [h, w], "counts": str}
    labels: tuple[str | None, ...]


def decode_sample(
    key: str, encoded: bytes, about: dict[str, Any], report: Report
) -> tuple[NDArray[np.uint8], Sample] | None:
    """Decode one pair; None (and a report by name) for a broken image or one without a usable mask."""
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, ValueError) as error:
        report(f"{key}: skipped, image cannot be read ({error})")
        return None
    height, width = pixels.shape[:2]
    rles, labels = [], []
    for i, mask in enumerate(about.get("masks", [])):
        try:
            rle = Rle.from_coco(mask.get("rle"))
        except FormatError as error:
            report(f"{key}: mask {i} skipped, {error}")
            continue
        if rle.size_hw != (height, width):
            report(f"{key}: mask {i} skipped, its size {rle.size_hw} is not the image's {(height, width)}")
            continue
        rles.append(rle.to_coco())
        labels.append(mask.get("label"))
    if not rles:
        report(f"{key}: skipped, no usable mask")
        return None
    sample = Sample(
        key, 0, height, width, str(about.get("source", "unknown")), str(about.get("kind", "other")),
        bool(about.get("zero_shot", False)), bool(about.get("exhaustive", False)), tuple(rles), tuple(labels),
    )  # fmt: skip
    return pixels, sample


def build_cache(shards: Sequence[Path], folder: Path, report: Report = lambda line: None) -> Path:
    """Decode shards into `folder/<digest>/{pixels.bin,index.jsonl}` unless that is there; return it.

    The index is written last and renamed into place, so a killed run leaves nothing that looks complete.
    """
    if not shards:
        raise InputError("no shards given; expected at least one .tar file")
    digest = hashlib.sha256()
    for shard in shards:
        if not shard.is_file():
            raise InputError(f"shard {shard} does not exist")
        digest.update(f"{shard.name} {shard.stat().st_size}\n".encode())
    target = folder / digest.hexdigest()[:16]
    target.mkdir(parents=True, exist_ok=True)
    with FileLock(target / ".lock"):  # of several processes that start together, one decodes
        if not (target / "index.jsonl").is_file():
            _decode_shards(shards, target, report)
    return target


def _decode_shards(shards: Sequence[Path], target: Path, report: Report) -> None:
    def read(pair: tuple[str, bytes, dict[str, Any]]) -> tuple[NDArray[np.uint8], Sample] | None:
        return decode_sample(*pair, report)

    def decoded() -> Iterator[tuple[NDArray[np.uint8], Sample]]:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for shard in shards:
                yield from filter(None, pool.map(read, list(read_shard(shard))))

    write_cache(decoded(), target)


def write_cache(decoded: Iterable[tuple[NDArray[np.uint8], Sample]], target: Path) -> None:
    """Write pixels (H, W, 3) uint8 with their samples into a folder that `ShardCache` opens.

    The index comes last and in one step, so that what is cut short does not look complete.
    """
    offset, lines = 0, []
    with (target / "pixels.bin").open("wb") as out:
        for pixels, sample in decoded:
            out.write(pixels.tobytes())
            lines.append(json.dumps({**sample.__dict__, "offset": offset}))
            offset += pixels.nbytes
    part = target / "index.part"
    part.write_text("\n".join(lines), encoding="utf-8")
    part.replace(target / "index.jsonl")


class ShardCache:
    """Random access to a built cache: `len`, `samples`, `pixels(i)` and `mask(i, j)`."""

    def __init__(self, folder: Path) -> None:
        rows = [
            json.loads(line) for line in (folder / "index.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        self.samples = [
            Sample(**{**row, "rles": tuple(row["rles"]), "labels": tuple(row["labels"])}) for row in rows
        ]
        self._path = folder / "pixels.bin"
        self._map: NDArray[np.uint8] | None = None
        self._areas: dict[int, NDArray[np.float32]] = {}

    def __len__(self) -> int:
        return len(self.samples)

    def pixels(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 view into the cache."""
        if self._map is None:  # opened on first use, once in each loader process
            self._map = np.memmap(self._path, np.uint8, "r")
        sample = self.samples[index]
        size = sample.height * sample.width * 3
        return self._map[sample.offset : sample.offset + size].reshape(sample.height, sample.width, 3)

    def areas(self, index: int) -> NDArray[np.float32]:
        """(masks,) float32, pixels; counted when first asked for, since every view of the image asks."""
        if index not in self._areas:
            found = [Rle.from_coco(rle).area for rle in self.samples[index].rles]
            self._areas[index] = np.array(found, np.float32)
        return self._areas[index]

    def mask(self, index: int, which: int) -> NDArray[np.uint8]:
        """(H, W) uint8 of 0 and 1."""
        return decode(Rle.from_coco(self.samples[index].rles[which])).view(np.uint8)
