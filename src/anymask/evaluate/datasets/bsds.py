"""BSDS500: pictures in images/SPLIT, and in groundTruth/SPLIT a .mat with what several people drew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from anymask.core.arrays import AnyArray
from anymask.core.errors import FormatError, MissingExtraError
from anymask.core.images import load_image
from anymask.evaluate.datasets.dataset import DataSet, Drawn, Entry, Found, sample_of, unique
from anymask.evaluate.datasets.picture_files import pictures_below

_SPLITS = ("test", "val", "train")
_INSIDE = ("", "data", "BSDS500/data", "BSR/BSDS500/data")
_TRUTH = "groundTruth"


def is_bsds(path: Path) -> bool:
    """Whether a folder is BSDS500, or a part of it that `open_bsds` takes."""
    try:
        root, _ = _root_and_split(path)
    except FormatError:
        return False
    return any((root / _TRUTH).rglob("*.mat"))


def open_bsds(path: Path) -> DataSet:
    """The pictures of BSDS500 with the first person's segments as masks and everyone's boundaries.

    path: the folder as it is unpacked, or one split of its pictures (`.../images/val`); of a folder with
    splits `test` is taken.
    Raises FormatError if the folders are missing.
    """
    root, split = _root_and_split(path)
    pictures, truth = root / "images" / split, root / _TRUTH / split
    names = pictures_below(pictures)
    stems = {Path(name).stem for name in names}
    truths = {file.stem: file for file in sorted(truth.glob("*.mat"))}
    unpaired = [
        (f"{_TRUTH}/{split}/{s}.mat".replace("//", "/"), "there is no picture for it")
        for s in truths
        if s not in stems
    ]
    source = f"bsds-{split}" if split else root.resolve().name
    entries = [
        Entry(name, _reader(pictures / name, truth / f"{Path(name).stem}.mat", source)) for name in names
    ]
    if not entries:
        raise FormatError(f"'{pictures}' has no picture; expected images/test/NAME.jpg as in BSDS500")
    found, lines = unique(entries, unpaired)
    return DataSet(source, found, lines)


def _root_and_split(path: Path) -> tuple[Path, str]:
    if path.name in _SPLITS and (path.parent.parent / _TRUTH).is_dir():
        return path.parent.parent, path.name
    if path.name in ("images", _TRUTH) and (path.parent / _TRUTH).is_dir():
        path = path.parent
    for inside in _INSIDE:
        root = path / inside
        if (root / _TRUTH).is_dir():
            return root, next((split for split in _SPLITS if (root / _TRUTH / split).is_dir()), "")
    raise FormatError(f"'{path}' has no folder '{_TRUTH}'; expected BSDS500's images and {_TRUTH}")


def _reader(file: Path, truth: Path, source: str) -> Callable[[str], Found]:
    def read(key: str) -> Found:
        picture = load_image(file)
        drawings = read_drawings(truth)
        boundaries = tuple(_of_size(b != 0, picture.image_hw, truth.name) for _, b in drawings)
        return sample_of(
            key,
            picture,
            _segments(drawings[0][0]),
            source=source,
            exhaustive=True,
            boundaries=boundaries,
        )

    return read


def read_drawings(file: Path) -> list[tuple[AnyArray, AnyArray]]:
    """What each person drew: (H, W) numbers of the segments, and (H, W), not 0 on the boundaries.

    Raises FormatError if the file is missing, damaged or not as BSDS500's, MissingExtraError without SciPy.
    """
    try:
        from scipy.io import loadmat
    except ImportError:
        raise MissingExtraError("BSDS500's .mat files need SciPy: pip install 'anymask[evaluate]'") from None
    if not file.is_file():
        raise FormatError(f"its ground truth '{file.parent.name}/{file.name}' does not exist")
    try:
        cells = loadmat(file, variable_names=["groundTruth"])["groundTruth"]
        return [(_field(cell, "Segmentation"), _field(cell, "Boundaries")) for cell in _each(cells)]
    except FormatError as error:
        raise FormatError(f"{file.name}: {error}") from error
    except Exception as error:  # SciPy lets many kinds out for damaged files
        reason = " ".join(str(error).split())[:100]
        raise FormatError(
            f"{file.name} is damaged or not as BSDS500's ground truth ({reason}); give another copy"
        ) from error


def _each(cells: Any) -> list[Any]:
    found = list(np.asarray(cells, object).ravel())
    if not found:
        raise FormatError("nobody's drawing is in it")
    return found


def _field(cell: Any, name: str) -> AnyArray:
    """A field of a cell, which is a struct of one element."""
    array = np.asarray(cell[name].ravel()[0])
    if array.ndim != 2 or array.dtype.kind not in "uibf":
        raise FormatError(f"'{name}' is {array.dtype} {array.shape}; expected numbers (H, W)")
    return array


def _of_size(boundary: AnyArray, image_hw: tuple[int, int], name: str) -> AnyArray:
    if boundary.shape != image_hw:
        raise FormatError(
            f"{name} is about size {boundary.shape}, the picture has {image_hw} (height, width)"
        )
    return boundary


def _segments(numbers: AnyArray) -> Iterator[Drawn]:
    for value in np.unique(numbers).tolist():
        yield Drawn(f"segment {value}", numbers == value)
