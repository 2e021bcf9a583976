"""YOLO segmentation (Ultralytics): `data.yaml` with the classes, and a text file of outlines per image.

A line is a class number and an outline x1 y1 x2 y2 ... as shares of the image's width and height. Holes and
parts are joined to one outline by cuts of no width, so that no pixel gets lost. `labels/train/a.txt` belongs
to `images/train/a.jpg`; the format does not say how large that is, so `anymask.json` does, and without it the
picture is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.formats.checks import listing, mapping, number, safe_name, size_hw, whole
from anymask.formats.contents import Contents
from anymask.formats.kinds import FolderFormat
from anymask.formats.known import UNNAMED, name_of
from anymask.formats.losses import Keeps, Loss
from anymask.formats.outlines import fill, keyhole, polygons_of, ring_of
from anymask.formats.parsing import parse_json, write_json
from anymask.formats.pictures import ENDINGS, Pictures, size_of
from anymask.formats.trees import Tree
from anymask.formats.yaml_names import quoted, read_names

_SIZES = "anymask.json"
_SUBSETS = ("train", "val", "test")
_NO_LABELS = re.compile(r"(classes|train|val|test|readme.*|autosplit.*)\.txt", re.IGNORECASE)
_FARTHEST = 10.0  # shares of the image; outlines may reach a little out of it


def files_of(images: Sequence[Contents]) -> Iterator[tuple[str, bytes]]:
    """data.yaml, the sizes, and the outlines of each image."""
    names = sorted({name_of(record) for image in images for record in image.records})
    yield "data.yaml", _data_yaml(images, names)
    yield _SIZES, write_json({"images": [image.image_json() for image in images]})
    numbers = {name: number_ for number_, name in enumerate(names)}
    for image in images:
        lines = [_line(record, numbers[name_of(record)]) for record in image.records if record.area]
        yield f"labels/{PurePosixPath(image.image_name).with_suffix('.txt')}", "".join(lines).encode()


def load(tree: Tree, pictures: Pictures) -> list[Contents]:
    """The images of every label file in the tree.

    Boxes (lines of four numbers) are left out and counted. A number more than an outline needs is a score, as
    in predictions. Raises FormatError, naming the file, if something is wrong or a size is not known.
    """
    sizes = _sizes(tree)
    names = _class_names(tree)
    images = []
    for file in _label_files(tree):
        try:
            name, size = _name_and_size(file, tree, pictures, sizes)
            images.append(_contents(name, size, tree.read(file), names))
        except FormatError as error:
            raise FormatError(f"{file}: {error}") from error
    if not images:
        raise FormatError("there is no label file; expected labels/**/*.txt")
    return images


def is_yolo(tree: Tree) -> bool:
    """Whether a tree looks like YOLO's."""
    return any(
        PurePosixPath(name).name in ("data.yaml", "data.yml")
        or ("labels" in PurePosixPath(name).parts[:-1] and name.endswith(".txt"))
        for name in tree.names
    )


def _data_yaml(images: Sequence[Contents], names: Sequence[str]) -> bytes:
    first = {PurePosixPath(image.image_name).parts[0] for image in images if "/" in image.image_name}
    subsets = [subset for subset in _SUBSETS if subset in first]
    folders = {subset: f"images/{subset}" for subset in subsets} or {"train": "images"}
    folders.setdefault("train", next(iter(folders.values())))
    folders.setdefault("val", folders["train"])  # Ultralytics wants both
    lines = [f"{subset}: {folders[subset]}" for subset in _SUBSETS if subset in folders]
    lines += [f"nc: {len(names)}", "names:" if names else "names: {}"]
    lines += [f"  {number_}: {quoted(name)}" for number_, name in enumerate(names)]
    return ("\n".join(lines) + "\n").encode()


def _line(record: MaskRecord, class_number: int) -> str:
    height, width = record.image_hw
    shares = keyhole(polygons_of(record.rle)) / (width, height)
    return f"{class_number} {' '.join(f'{share:.10g}' for share in shares.ravel())}\n"


def _sizes(tree: Tree) -> dict[str, tuple[str, tuple[int, int]]]:
    """Name without its ending -> name and size, as our own writer has noted them."""
    if _SIZES not in tree.names:
        return {}
    rows = listing(mapping(parse_json(tree.read(_SIZES)), _SIZES).get("images"), f"'images' of {_SIZES}")
    found = {}
    for row in rows:
        name = safe_name(mapping(row, f"a row of {_SIZES}").get("file_name"))
        size = size_hw(row.get("height"), row.get("width"))
        found[str(PurePosixPath(name).with_suffix(""))] = (name, size)
    return found


def _class_names(tree: Tree) -> Mapping[int, str]:
    for name in tree.names:
        if PurePosixPath(name).suffix in (".yaml", ".yml"):
            return read_names(_text(tree.read(name)))
    for name in tree.names:
        if PurePosixPath(name).name == "classes.txt":
            return dict(enumerate(_text(tree.read(name)).splitlines()))
    return {}


def _label_files(tree: Tree) -> list[str]:
    texts = [PurePosixPath(name) for name in tree.names if name.lower().endswith(".txt")]
    inside = [path for path in texts if "labels" in path.parts[:-1]]
    return [str(path) for path in inside or texts if not _NO_LABELS.fullmatch(path.name)]


def _name_and_size(
    file: str, tree: Tree, pictures: Pictures, sizes: Mapping[str, tuple[str, tuple[int, int]]]
) -> tuple[str, tuple[int, int]]:
    path = PurePosixPath(file).with_suffix("")
    stem = str(PurePosixPath(*(part for part in path.parts if part != "labels")))
    if stem in sizes:
        return sizes[stem]
    beside = PurePosixPath(*("images" if part == "labels" else part for part in path.parts))
    for ending in ENDINGS:
        for name in (f"{beside}{ending}", f"{beside}{ending.upper()}"):
            if name in tree.names:
                with tree.open(name) as picture:
                    return f"{stem}{PurePosixPath(name).suffix}", size_of(picture, name)
    found = pictures.with_stem(stem)
    if found is None:
        raise FormatError(
            "its picture is not at hand, so its size is not known; give the folder of the pictures"
        )
    return found, pictures.size_hw(found)


def _contents(name: str, image_hw: tuple[int, int], data: bytes, names: Mapping[int, str]) -> Contents:
    records, boxes = [], 0
    for place, line in enumerate(_text(data).splitlines(), 1):
        words = line.split()
        if len(words) == 5:
            boxes += 1
        elif words:
            try:
                records.append(_record(words, image_hw, names))
            except FormatError as error:
                raise FormatError(f"line {place}: {error}") from error
    losses = (Loss("boxes without an outline", boxes),) if boxes else ()
    return Contents(tuple(records), image_hw, name, left_out=losses)


def _record(words: Sequence[str], image_hw: tuple[int, int], names: Mapping[int, str]) -> MaskRecord:
    class_number = whole(words[0], "the class")
    values = [number(word, "a coordinate") for word in words[1:]]
    score = values.pop() if len(values) % 2 else None
    if any(abs(value) > _FARTHEST for value in values):
        raise FormatError("coordinates are shares of the image from 0 to 1; these look like pixels")
    ring = ring_of(np.array(values).reshape(-1, 2), "the outline") * np.array(image_hw[::-1])
    label = names.get(class_number, str(class_number))
    return MaskRecord.of_rle(fill([[ring]], image_hw), label=None if label == UNNAMED else label, score=score)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8 text (byte {error.start})") from error


FORMAT = FolderFormat(
    "yolo",
    "YOLO segmentation, a folder",
    ".txt",
    Keeps(frozenset({"label"}), empty=False),
    files_of,
    load,
    lambda name: f"images/{name}",
)
