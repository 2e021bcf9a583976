"""Masks drawn as images: one object in black and white, or several as numbers or colours.

| file | what it means |
| --- | --- |
| bool, or grey with one value beside 0 | one object |
| grey with exactly 0, 128 and 255 | a trimap: 255 is the object, 128 is not scored |
| palette or grey, 8 or 16 bits | each number but 0 is an object; 255 beside numbers up to 100 is not scored |
| JPEG, or grey that is mostly 0 and 255 with soft edges | one object, cut at 128 |
| RGB | each colour but black is an object; PASCAL VOC's border colour (224, 224, 192) is not scored |
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from anymask.core.arrays import AnyArray, BoolArray
from anymask.core.errors import FormatError
from anymask.core.images import own_size_guard
from anymask.evaluate.datasets.dataset import Drawn
from anymask.formats.checks import raster_size

MOST_OBJECTS = 4096
"""A file with more numbers or colours is a photo or a depth map, no mask."""
_VOID, _LARGEST_BESIDE_VOID, _VOC_BORDER = 255, 100, 224 << 16 | 224 << 8 | 192
_UNDECIDED = 128
_FEW = 32  # a grey mask of more values than this may have soft edges


Meaning = Literal["objects", "one", "trimap"]
"""What a mask file holds: objects by the table above; all of them as one; or an object and, with 128, what is
not scored, as in the GrabCut and Berkeley benchmarks."""


class Numbered(NamedTuple):
    """What a mask image says of every pixel.

    values: (H, W) whole numbers, 0 where there is no object, else the object's number.
    ignore: (H, W) bool, pixels that are not scored; None if all are.
    """

    values: AnyArray
    ignore: BoolArray | None


def drawn_in(path: Path, meaning: Meaning = "objects") -> Iterator[Drawn]:
    """The objects of a mask file, or why it cannot be read."""
    try:
        numbered = _READERS[meaning](path)
        found = _objects(numbered)
    except FormatError as error:
        yield Drawn(path.name, error)
        return
    for value in found:
        what = path.name if len(found) == 1 else f"{path.name} value {value}"
        yield Drawn(what, numbered.values == value, None, numbered.ignore)
    if not found:
        yield Drawn(path.name, numbered.values != 0)


def read_numbers(path: Path) -> Numbered:
    """Read a mask file by the module's table. Raises FormatError if it is no image, or no mask."""
    mode, lossy, pixels = _pixels(path)
    if pixels.ndim == 3:
        return _of_colours(pixels)
    if lossy or (mode == "L" and _has_soft_edges(pixels)):
        return Numbered((pixels >= _UNDECIDED).astype(np.uint8), None)
    present = set(np.unique(pixels).tolist()) - {0}
    if mode == "L" and present == {_UNDECIDED, 255}:
        return _of_trimap(pixels)
    others = present - {_VOID}
    if _VOID in present and others and max(others) <= _LARGEST_BESIDE_VOID:
        return _without(pixels, pixels == _VOID)
    return Numbered(pixels, None)


def read_trimap(path: Path) -> Numbered:
    """Read a mask file in which 128 is not scored and what is above is the object. Raises FormatError."""
    pixels = _pixels(path)[2]
    return _of_trimap(pixels if pixels.ndim == 2 else pixels[..., 0])


def read_union(path: Path) -> Numbered:
    """Read a mask file as one object, whatever it tells apart. Raises FormatError."""
    numbered = read_numbers(path)
    return Numbered((numbered.values != 0).astype(np.uint8), numbered.ignore)


def _objects(numbered: Numbered) -> list[int]:
    found: list[int] = [value for value in np.unique(numbered.values).tolist() if value]
    if len(found) > MOST_OBJECTS:
        raise FormatError(
            f"it has {len(found)} different numbers or colours; a mask image has {MOST_OBJECTS} at most"
        )
    return found


def _of_trimap(pixels: AnyArray) -> Numbered:
    undecided = pixels == _UNDECIDED
    return Numbered((pixels > _UNDECIDED).astype(np.uint8), undecided if undecided.any() else None)


def _of_colours(pixels: AnyArray) -> Numbered:
    numbers = pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    border = numbers == _VOC_BORDER
    if border.any() and (numbers[~border] != 0).any():
        return _without(numbers, border)
    return Numbered(numbers, None)


def _without(values: AnyArray, void: BoolArray) -> Numbered:
    return Numbered(np.where(void, 0, values), void)


def _has_soft_edges(pixels: AnyArray) -> bool:
    """Whether it is black and white but for a seam of greys, as resized and anti-aliased masks are."""
    counts = np.bincount(pixels.ravel(), minlength=256)
    return bool(np.count_nonzero(counts) > _FEW and counts[255] > 0.5 * counts[1:].sum())


def _pixels(path: Path) -> tuple[str, bool, AnyArray]:
    """Pillow's mode, whether the file is a JPEG, and (H, W) numbers or (H, W, 3) colours."""
    from PIL import Image

    try:
        with own_size_guard():
            image = Image.open(path)
        with image:
            raster_size((image.height, image.width))
            return _plain(image)
    except FormatError:
        raise
    except FileNotFoundError:
        raise FormatError("the file does not exist") from None
    except Exception as error:  # Pillow lets many kinds out for damaged files
        raise FormatError(
            f"it is no image, or damaged ({' '.join(str(error).split())[:100]}); give another copy"
        ) from error


def _plain(image: object) -> tuple[str, bool, AnyArray]:
    from PIL import Image

    assert isinstance(image, Image.Image)
    lossy = image.format == "JPEG"
    if image.mode in ("1", "L", "P", "I", "I;16", "I;16B"):
        pixels = np.asarray(image)
        mode = "L" if image.mode == "1" else image.mode
        return mode, lossy, pixels.astype(np.uint8) if pixels.dtype == bool else pixels
    if image.mode == "LA":
        return "L", lossy, np.asarray(image)[..., 0]
    if image.mode not in ("RGB", "RGBA"):
        raise FormatError(
            f"an image of mode {image.mode} is no mask; expected grey, a palette, RGB or 16 bits"
        )
    pixels = np.asarray(image)
    if image.mode == "RGBA":
        pixels = np.where(pixels[..., 3:] == 0, 0, pixels[..., :3])
    if (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 0] == pixels[..., 2]).all():
        return "L", lossy, pixels[..., 0]
    if lossy:
        return "L", lossy, pixels.max(axis=2)
    return "RGB", lossy, pixels


_READERS = {"objects": read_numbers, "one": read_union, "trimap": read_trimap}
