"""Which layout a path has, and the data set behind it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anymask.core.errors import FormatError, InputError
from anymask.evaluate.datasets.annotated import open_annotated
from anymask.evaluate.datasets.benchmarks import open_berkeley, open_davis, open_grabcut
from anymask.evaluate.datasets.bsds import is_bsds, open_bsds
from anymask.evaluate.datasets.coco import json_files, open_coco, read_json
from anymask.evaluate.datasets.dataset import DataSet, join
from anymask.evaluate.datasets.folder import has_pairs, open_folder
from anymask.evaluate.datasets.picture_files import pictures_below
from anymask.evaluate.datasets.shards import open_shard
from anymask.formats import FORMATS
from anymask.formats.coco_tables import has_tables
from anymask.formats.panoptic import is_panoptic

_FOLDERS = {
    "folder": open_folder,
    "davis": open_davis,
    "grabcut": open_grabcut,
    "berkeley": open_berkeley,
    "bsds": open_bsds,
}
_MASK_IMAGES = ("png", "labelmap", "palette")  # "folder" reads them, with their pictures
LAYOUTS = ("auto", "shards", "coco", *_FOLDERS, *(n for n in FORMATS if n not in ("coco", *_MASK_IMAGES)))
"""What `open_samples` understands; docs/evaluate.md describes each."""


def open_samples(paths: Sequence[Path], layout: str = "auto", *, pictures: Path | None = None) -> DataSet:
    """Open one data set, or several as one.

    paths: files or folders, all of one layout unless it is "auto". layout: one of `LAYOUTS`. pictures: the
    folder of the pictures, for layouts that are annotation files (COCO and the others in `formats`).

    Nothing is decoded yet: a broken picture shows when it is read (`DataSet.samples`). Raises InputError for
    an unknown layout or no path, FormatError for what is missing or cannot be that layout.
    """
    if layout not in LAYOUTS:
        raise InputError(f"layout {layout!r} is not known; give one of {', '.join(LAYOUTS)}")
    if not paths:
        raise InputError("no data is given; give files or folders of pictures with true masks")
    return join([_open(path, layout, pictures) for path in paths], paths)


def _open(path: Path, layout: str, pictures: Path | None) -> DataSet:
    if not path.exists():
        raise FormatError(f"'{path}' does not exist; check the path")
    kind = layout_of(path) if layout == "auto" else layout
    if kind == "shards":
        return _open_shards(path)
    if kind == "coco":
        return open_coco(path, pictures)
    if kind in _FOLDERS:
        return _FOLDERS[kind](path)
    return open_annotated(path, None if kind == "annotated" else kind, pictures)


def layout_of(path: Path) -> str:
    """The layout of an existing file or folder, by its name and its folders; "annotated" for `formats`."""
    if path.is_file():
        return _layout_of_file(path)
    if (path / "data_GT").is_dir() and (path / "boundary_GT").is_dir():
        return "grabcut"
    if (path / "JPEGImages").is_dir() and not (path / "SegmentationObject").is_dir() and _has_frames(path):
        return "davis"
    if is_bsds(path):
        return "bsds"
    if any(path.glob("*.tar")):
        return "shards"
    if any(_is_coco(file) for file in json_files(path)):
        return "coco"
    return "annotated" if _has_annotations(path) and not has_pairs(path) else "folder"


def _has_frames(path: Path) -> bool:
    masks = path / "Annotations"  # PASCAL VOC has XML in a folder of this name
    return masks.is_dir() and bool(pictures_below(masks))


def _is_coco(file: Path) -> bool:
    """Whether a JSON file in a folder is COCO's; one that is damaged is if its name says so."""
    try:
        value = read_json(file)
        return has_tables(value) and not is_panoptic(value)
    except FormatError:
        return file.name.startswith("instances")


def _layout_of_file(path: Path) -> str:
    if path.suffix.lower() == ".tar":
        return "shards"
    if path.suffix.lower() == ".txt":
        return "davis"
    return "coco" if path.suffix.lower() == ".json" and _is_coco(path) else "annotated"


def _has_annotations(path: Path) -> bool:
    """Whether a folder has files that `formats` reads, rather than mask images."""
    return (path / "data.yaml").is_file() or any(
        any(path.glob(pattern)) for pattern in ("*.json", "*.xml", "annotations/*.json", "labels/*.json")
    )


def _open_shards(path: Path) -> DataSet:
    if path.is_file():
        return open_shard(path)
    files = sorted(path.glob("*.tar"))
    if not files:
        raise FormatError(f"'{path}' has no .tar file; give shards or a folder of them")
    return join([open_shard(file) for file in files], files)
