"""What objects are pasted onto: pictures of a folder, or those of a data set with their own objects kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from anymask.core.arrays import BoolArray, UInt8Array
from anymask.core.errors import AnymaskError, InputError
from anymask.core.images import load_image
from anymask.core.masks import union
from anymask.evaluate.datasets.dataset import DataSet
from anymask.evaluate.datasets.picture_files import pictures_below
from anymask.evaluate.samples import Problems, Sample
from anymask.synthesize.compose import Placed

OWN = "background"
"""The origin of objects that were in the background."""


@dataclass(frozen=True, eq=False)
class Background:
    """pixels (H, W, 3) uint8; own: its objects; region (H, W) bool: where objects may lie, anywhere if
    None.
    """

    name: str
    pixels: UInt8Array
    own: tuple[Placed, ...] = ()
    region: BoolArray | None = None


class Backgrounds(Protocol):
    """Backgrounds by number; `take` is None, noted in problems, for one that cannot be read."""

    def __len__(self) -> int: ...

    def take(self, number: int, problems: Problems) -> Background | None: ...


class PictureFolder:
    """The pictures below a folder. Raises InputError if there are none."""

    def __init__(self, root: Path, long_side: int) -> None:
        self._root, self._long_side = root, long_side
        self._names = pictures_below(root)
        if not self._names:
            raise InputError(f"'{root}' holds no picture to paste objects onto")

    def __len__(self) -> int:
        return len(self._names)

    def take(self, number: int, problems: Problems) -> Background | None:
        name = self._names[number]
        try:
            pixels = load_image(self._root / name).pixels
        except AnymaskError as error:
            problems.add(name, error)
            return None
        return Background(name, shrunk(pixels, self._long_side))


class DataSetPictures:
    """The pictures of a data set with their masks.

    as_region: the masks say where objects may lie (the part that can have a defect) and are no objects
    themselves; otherwise they stay, less what is pasted over them.
    """

    def __init__(self, samples: Sequence[Sample], long_side: int, *, as_region: bool) -> None:
        if not samples:
            raise InputError("the data for backgrounds holds no usable picture")
        self._samples, self._long_side, self._as_region = samples, long_side, as_region

    def __len__(self) -> int:
        return len(self._samples)

    def take(self, number: int, problems: Problems) -> Background | None:
        sample = self._samples[number]
        pixels = shrunk(sample.picture.pixels, self._long_side)
        size = pixels.shape[:2]
        masks = [(resized(true.mask, size), true.label) for true in sample.masks]
        if self._as_region:
            region = union(*(mask for mask, _ in masks)) if masks else None
            return Background(sample.key, pixels, region=region)
        own = tuple(Placed(mask, int(mask.sum()), label, OWN) for mask, label in masks if mask.any())
        return Background(sample.key, pixels, own)


def samples_of(data: DataSet, problems: Problems) -> list[Sample]:
    """All usable pictures of a data set, decoded."""
    return list(data.samples(problems))


def shrunk(pixels: UInt8Array, long_side: int) -> UInt8Array:
    """At most `long_side` pixels on the longer side; smaller pictures stay."""
    height, width = pixels.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA), np.uint8)


def resized(mask: BoolArray, image_hw: tuple[int, ...]) -> BoolArray:
    """A mask (H, W) at another size, by the covered share of each pixel."""
    if mask.shape == image_hw:
        return mask
    shares = cv2.resize(mask.astype(np.float32), (image_hw[1], image_hw[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(shares >= 0.5)
