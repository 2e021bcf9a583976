"""Layouts of the benchmarks of interactive segmentation: DAVIS, GrabCut, Berkeley."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from anymask.core.errors import FormatError
from anymask.evaluate.datasets.dataset import DataSet
from anymask.evaluate.datasets.folder import data_set, open_folder
from anymask.evaluate.datasets.picture_files import pictures_below

_PICTURES, _MASKS = "JPEGImages", "Annotations"
_RESOLUTIONS = ("480p", "1080p", "Full-Resolution")


def open_davis(path: Path) -> DataSet:
    """DAVIS 2016 and 2017 (and YouTube-VOS): JPEGImages/[480p/]SEQUENCE/F.jpg, Annotations/... the same.

    path: the folder, or one of its lists in `ImageSets` (names of sequences, or pairs of files). Of several
    resolutions 480p is taken. Every annotated frame is a picture. The benchmark of interactive segmentation
    (345 frames, folders `img` and `gt`) is read, too; there all of a frame's mask is one object.
    Raises FormatError if the folders or the list are missing, or there is no annotation.
    """
    root = _root(path)
    if not (root / _MASKS).is_dir():
        return open_folder(path, meaning="one")
    base = next((f"{_MASKS}/{r}" for r in _RESOLUTIONS if (root / _MASKS / r).is_dir()), _MASKS)
    masks = [f"{base}/{name}" for name in pictures_below(root / base)]
    if path != root:
        listed = _listed(path)
        masks = [name for name in masks if PurePosixPath(name).parent.name in listed or name in listed]
    if not masks:
        raise FormatError(f"'{path}' names no annotated frame; expected {_MASKS}/480p/SEQUENCE/00000.png")
    return data_set(
        root, _frames(root, masks), name=root.name if path == root else f"{root.name}-{path.stem}"
    )


def open_grabcut(path: Path) -> DataSet:
    """The GrabCut benchmark: pictures in data_GT, masks in boundary_GT (128: not scored). FormatError."""
    _require(path, "data_GT", "boundary_GT")
    return open_folder(path, meaning="trimap")


def open_berkeley(path: Path) -> DataSet:
    """The Berkeley benchmark (McGuinness and O'Connor): images, masks (128: not scored). FormatError."""
    _require(path, "images", "masks")
    return open_folder(path, meaning="trimap")


def _require(path: Path, *folders: str) -> None:
    for name in folders:
        if not (path / name).is_dir():
            raise FormatError(f"'{path}' has no folder '{name}'; expected {' and '.join(folders)}")


def _root(path: Path) -> Path:
    """The data set's folder, from itself or from a list in its `ImageSets`."""
    if path.is_dir():
        return path
    for parent in path.parents:
        if parent.name == "ImageSets":
            return parent.parent
    raise FormatError(f"'{path}' is neither a folder nor a list in a folder 'ImageSets'; give one of them")


def _frames(root: Path, masks: list[str]) -> Iterator[tuple[str, list[str]]]:
    for mask in masks:
        picture = PurePosixPath(_PICTURES, *PurePosixPath(mask).parts[1:])
        names = [str(picture.with_suffix(ending)) for ending in (".jpg", ".jpeg", ".png")]
        yield next((name for name in names if (root / name).is_file()), names[0]), [mask]


def _listed(path: Path) -> set[str]:
    """Names of sequences and of mask files in a list."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"cannot read the list '{path}': {error}") from error
    return {word.lstrip("/") for line in text.splitlines() for word in line.split()[-1:]}
