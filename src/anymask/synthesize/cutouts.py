"""Objects cut out of real pictures: their pixels, their exact shape, and what surrounded them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anymask.core.arrays import BoolArray, UInt8Array
from anymask.core.errors import ImageError, InputError
from anymask.core.images import load_image
from anymask.core.masks import mask_box
from anymask.evaluate.samples import Problems, Sample

MARGIN = 12  # pixels round the object that are kept, for soft edges and what lies round it
OPAQUE = 128  # alpha from which a pixel of a transparent picture belongs to the object


@dataclass(frozen=True, eq=False)
class Cutout:
    """pixels (h, w, 3) uint8 with a margin, mask (h, w) bool; label; origin: picture and number it is
    from.
    """

    pixels: UInt8Array
    mask: BoolArray
    label: str | None
    origin: str


def cutouts_of(
    samples: Iterable[Sample], *, labels: Sequence[str] = (), least_area: int = 64, whole: bool = True
) -> Iterator[Cutout]:
    """The objects of a data set.

    labels: only these; all if none is given. least_area: smaller ones are left out, pixels. whole: objects
    that touch the picture's edge are left out, since they are cut off there.
    """
    for sample in samples:
        for number, true in enumerate(sample.masks):
            if (labels and true.label not in labels) or true.crowd or int(true.mask.sum()) < least_area:
                continue
            if whole and touches_edge(true.mask):
                continue
            yield cut(sample.picture.pixels, true.mask, true.label, f"{sample.key}#{number}")


def read_cutouts(folder: Path, problems: Problems) -> Iterator[Cutout]:
    """Transparent pictures (PNG, WebP) of a folder: `dog/one.png` is labelled "dog", `one.png` is not.

    Raises InputError for what is no folder.
    """
    from PIL import Image

    if not folder.is_dir():
        raise InputError(f"'{folder}' is no folder of transparent pictures")
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".png", ".webp")):
        name = path.relative_to(folder)
        try:
            load_image(path)  # judged as every picture is: size, content, damage
            with Image.open(path) as image:
                rgba = np.asarray(image.convert("RGBA"))
        except (ImageError, OSError) as error:
            problems.add(str(name), error)
            continue
        mask = rgba[..., 3] >= OPAQUE
        if not mask.any() or mask.all():
            problems.add(
                str(name), "not a cut-out: " + ("nothing" if not mask.any() else "all of it") + " is opaque"
            )
            continue
        yield cut(rgba[..., :3], mask, name.parts[0] if len(name.parts) > 1 else None, name.as_posix())


def cut(pixels: UInt8Array, mask: BoolArray, label: str | None, origin: str) -> Cutout:
    """The part of a picture (H, W, 3) uint8 that holds a mask (H, W) bool, with a margin."""
    x0, y0, x1, y1 = (int(v) for v in mask_box(mask))
    height, width = mask.shape
    rows = slice(max(0, y0 - MARGIN), min(height, y1 + MARGIN))
    columns = slice(max(0, x0 - MARGIN), min(width, x1 + MARGIN))
    return Cutout(
        np.ascontiguousarray(pixels[rows, columns]), np.ascontiguousarray(mask[rows, columns]), label, origin
    )


def touches_edge(mask: BoolArray) -> bool:
    """Whether a mask (H, W) reaches the picture's first or last row or column."""
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())
