"""A folder of pictures and mask images, paired by their names.

| picture | its masks |
| --- | --- |
| `images/a.jpg` | `masks/a.png` (the folders also at any depth: `train/images`, `images/train`) |
| `images/a.jpg` | `masks/a_mask.png`, `masks/a_0.png`, `masks/a_1.png` |
| `images/a.jpg` | `masks/a/*.png`, one object a file |
| `x/images/a.jpg` | `x/masks/*.png`, where `a` is the only picture of `x` |
| `a.jpg` | `a.png` or `a_mask.png` in the same folder |

What the numbers and colours of a mask image mean is said in `mask_images`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from anymask.core.errors import FormatError
from anymask.core.images import load_image
from anymask.evaluate.datasets.dataset import DataSet, Drawn, Entry, Found, sample_of, unique
from anymask.evaluate.datasets.mask_images import Meaning, drawn_in
from anymask.evaluate.datasets.picture_files import MASK_FOLDERS, PICTURE_FOLDERS, pictures_below

_SUFFIX = re.compile(
    r"[ _.-](masks?|labels?|gt|seg|segmentation|annotations?|instances?|matte)$", re.IGNORECASE
)
_NUMBER = re.compile(r"[ _.#-]+\d+$")
_LOSSY = (".jpg", ".jpeg")
_OBJECTS, _CLASSES = "SegmentationObject/", "SegmentationClass/"  # PASCAL VOC


@dataclass(frozen=True)
class _File:
    """A file of one kind. place: the folders it lies in but the one that names its kind. stem: its name's."""

    name: str
    place: tuple[str, ...]
    stem: str


def open_folder(path: Path, *, meaning: Meaning = "objects") -> DataSet:
    """The pictures of a folder. meaning: of its mask files.

    Raises FormatError if there is no folder, or nothing in it is a picture with a mask.
    """
    pictures, masks = _split(pictures_below(path))
    owners, unpaired = _pair(pictures, masks)
    if not owners:
        raise FormatError(
            f"'{path}' has {len(pictures)} pictures and {len(masks)} mask images, but no pair of them; "
            "expected images/NAME.jpg with masks/NAME.png, or NAME.jpg with NAME.png"
        )
    return data_set(path, [(name, owners[name]) for name in sorted(owners)], unpaired, meaning=meaning)


def data_set(
    root: Path,
    pairs: Iterable[tuple[str, Sequence[str]]],
    unpaired: Sequence[tuple[str, str]] = (),
    *,
    meaning: Meaning = "objects",
    name: str | None = None,
) -> DataSet:
    """A data set of pictures, each with its mask images; names are below `root`.

    name: of the data set, the folder's by default.
    """
    source = name or root.resolve().name
    entries = [Entry(picture, _reader(root, picture, masks, source, meaning)) for picture, masks in pairs]
    found, lines = unique(entries, unpaired)
    return DataSet(source, found, lines)


def _reader(
    root: Path, picture: str, masks: Sequence[str], source: str, meaning: Meaning
) -> Callable[[str], Found]:
    def read(key: str) -> Found:
        return sample_of(key, load_image(root / picture), _drawn(root, masks, meaning), source=source)

    return read


def _drawn(root: Path, masks: Sequence[str], meaning: Meaning) -> Iterator[Drawn]:
    for mask in masks:
        yield from drawn_in(root / mask, meaning)


def has_pairs(path: Path) -> bool:
    """Whether a folder has folders of pictures and of masks by their names."""
    kinds = {_kind(PurePosixPath(name).parent.parts)[0] for name in pictures_below(path)}
    return {"picture", "mask"} <= kinds


def _split(names: Sequence[str]) -> tuple[list[_File], list[_File]]:
    """Pictures and masks, by the names of their folders or, where no folder says it, of themselves."""
    pictures: list[_File] = []
    masks: list[_File] = []
    for name in _without_classes(names):
        kind, place = _kind(PurePosixPath(name).parent.parts)
        file = _File(name, place, PurePosixPath(name).stem)
        if kind is not None:
            (pictures if kind == "picture" else masks).append(file)
    if pictures and masks:
        return pictures, masks
    return _split_by_name([_File(n, PurePosixPath(n).parent.parts, PurePosixPath(n).stem) for n in names])


def _without_classes(names: Sequence[str]) -> Sequence[str]:
    """All but PASCAL VOC's maps of classes, where there are its maps of objects."""
    if not any(_OBJECTS in name for name in names):
        return names
    return [name for name in names if _CLASSES not in name]


def _kind(folders: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """Whether a folder holds pictures or masks, by the last of its names that says so, and the others."""
    for i in reversed(range(len(folders))):
        for kind, known in (("mask", MASK_FOLDERS), ("picture", PICTURE_FOLDERS)):
            if folders[i].lower() in known:
                return kind, folders[:i] + folders[i + 1 :]
    return None, folders


def _split_by_name(files: Sequence[_File]) -> tuple[list[_File], list[_File]]:
    """Of files in one folder: a_mask.png is a mask, and so is a.png beside a.jpg."""
    photos = {(file.place, file.stem) for file in files if file.name.lower().endswith(_LOSSY)}
    pictures: list[_File] = []
    masks: list[_File] = []
    for file in files:
        twin = (file.place, file.stem) in photos and not file.name.lower().endswith(_LOSSY)
        (masks if twin or _SUFFIX.search(file.stem) else pictures).append(file)
    return pictures, masks


def _pair(
    pictures: Sequence[_File], masks: Sequence[_File]
) -> tuple[dict[str, list[str]], list[tuple[str, str]]]:
    """Names of the masks of every picture that has some, and files without the other."""
    by_stem = {(file.place, file.stem): file.name for file in reversed(pictures)}
    alone: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for file in pictures:
        alone[file.place].append(file.name)
    owners: dict[str, list[str]] = defaultdict(list)
    unpaired = []
    for mask in masks:
        owner = next((by_stem[key] for key in _owner_keys(mask) if key in by_stem), None)
        if owner is None and mask.place and len(alone[mask.place]) == 1:
            owner = alone[mask.place][0]
        if owner is None:
            unpaired.append((mask.name, "there is no picture for this mask"))
        else:
            owners[owner].append(mask.name)
    if not any(_OBJECTS in mask.name for mask in masks):  # most pictures of VOC are not segmented
        lonely = [file.name for file in pictures if file.name not in owners]
        unpaired += [(name, "there is no mask for this picture") for name in lonely]
    return owners, unpaired


def _owner_keys(mask: _File) -> Iterator[tuple[tuple[str, ...], str]]:
    """Places and stems of the pictures that a mask may belong to, the likeliest first."""
    yield mask.place, mask.stem
    bare = _SUFFIX.sub("", mask.stem)
    yield mask.place, bare
    yield mask.place, _SUFFIX.sub("", _NUMBER.sub("", bare))
    if mask.place:
        yield mask.place[:-1], mask.place[-1]
