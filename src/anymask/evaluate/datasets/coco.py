"""COCO instances: a JSON of images, annotations and categories, and the folder of the pictures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from anymask.core.errors import FormatError
from anymask.core.images import load_image
from anymask.core.rle import decode
from anymask.evaluate.datasets.dataset import DataSet, Drawn, Entry, Found, plain_values, sample_of, unique
from anymask.evaluate.datasets.picture_files import PictureFinder
from anymask.formats.coco import record_of_annotation
from anymask.formats.coco_tables import has_tables, image_of_row, size_of_row, tables_of
from anymask.formats.parsing import parse_json

_LOOKED_AT = 50  # images whose files are looked for to find the folder
Row = Mapping[str, Any]


def open_coco(path: Path, pictures: Path | None = None) -> DataSet:
    """The pictures of a COCO file, those without annotations included.

    path: the JSON, or a folder that has it (in it or in `annotations`). pictures: the folder of the pictures;
    by default it is looked for beside the JSON.
    Raises FormatError if the JSON is missing, damaged or no COCO file, or the pictures are not found.
    """
    file = _json_of(path) if path.is_dir() else path
    value = read_json(file)
    if not has_tables(value):
        raise FormatError(
            f"'{file}' is no COCO file; expected an object with lists 'images', 'annotations', 'categories'"
        )
    try:
        images, labels = tables_of(value)
    except FormatError as error:
        raise FormatError(f"'{file}': {error}") from error
    names = {i: str(row.get("file_name") or i) for i, row in images.items()}
    rows, lost = _rows_by_image(value["annotations"], images, file.name)
    finder = PictureFinder(pictures or _folder_of_pictures(file, list(names.values())))
    found, unpaired = unique(
        [
            Entry(name, _reader(finder, name, images[i], rows[i], labels, path.name))
            for i, name in names.items()
        ],
        lost,
    )
    return DataSet(path.name, found, unpaired, names, labels)


def read_json(file: Path) -> Any:
    """The value of a JSON file. Raises FormatError, naming it, if it is missing or damaged."""
    try:
        return parse_json(file.read_bytes())
    except OSError as error:
        raise FormatError(f"cannot read '{file}': {error.strerror or error}") from error
    except FormatError as error:
        raise FormatError(f"'{file}': {error}") from error


def json_files(folder: Path) -> list[Path]:
    """The JSON files that may hold a folder's annotations: COCO's `instances_...` where there are some."""
    places = [folder, *(folder / name for name in ("annotations", "Annotations"))]
    found = sorted({file.resolve(): file for place in places for file in place.glob("*.json")}.values())
    return [file for file in found if file.name.startswith("instances")] or found


def _json_of(folder: Path) -> Path:
    found = json_files(folder)
    if len(found) != 1:
        names = ", ".join(file.name for file in found[:5]) or "none"
        raise FormatError(
            f"'{folder}' has {len(found)} JSON files of annotations ({names}); give one of them"
        )
    return found[0]


def _folder_of_pictures(file: Path, names: Sequence[str]) -> Path:
    """Where the pictures of a COCO file lie: beside it, above it, in `images` or a folder of its split."""
    split = file.stem.rpartition("_")[2]
    above = [file.parent, file.parent.parent]
    inside = ("", "images", "image", split, f"images/{split}", file.stem, "JPEGImages", "data")
    places = [place / name for place in above for name in inside]
    for place in places:
        if any((place / name).is_file() for name in names[:_LOOKED_AT]):
            return place
    raise FormatError(
        f"the pictures of '{file}' ({', '.join(names[:3])}, ...) are not beside it or in a folder "
        f"'images' or '{split}'; say where they are (--images)"
    )


def _rows_by_image(
    rows: Sequence[Any], images: Mapping[Any, Row], file: str
) -> tuple[dict[Any, list[tuple[int, Row]]], list[tuple[str, str]]]:
    """Numbered annotations by image id, and those that belong to none."""
    found: dict[Any, list[tuple[int, Row]]] = defaultdict(list)
    lost = []
    for number, row in enumerate(rows, 1):
        try:
            found[image_of_row(images, row)[0]].append((number, row))
        except FormatError as error:
            lost.append((file, f"annotation {number}: {error}"))
    return found, lost


def _reader(
    finder: PictureFinder,
    name: str,
    image: Row,
    rows: Sequence[tuple[int, Row]],
    labels: Mapping[Any, Any],
    source: str,
) -> Callable[[str], Found]:
    def read(key: str) -> Found:
        picture = load_image(finder.find(name))
        if size_of_row(image) != picture.image_hw:
            raise FormatError(
                f"the JSON says size {size_of_row(image)}, the picture has {picture.image_hw} (height, width)"
            )
        drawn = _drawn(image, rows, labels)
        return sample_of(key, picture, drawn, source=source, attributes=plain_values(image))

    return read


def _drawn(image: Row, rows: Sequence[tuple[int, Row]], labels: Mapping[Any, Any]) -> Iterator[Drawn]:
    for number, row in rows:
        what = f"annotation {number}"
        try:
            record = record_of_annotation(row, image, labels)
        except FormatError as error:
            yield Drawn(what, error)
            continue
        crowd = bool(record.attributes.get("iscrowd"))
        yield Drawn(what, decode(record.rle), record.label, None, crowd, _area(row.get("area")))


def _area(stated: object) -> float | None:
    return float(stated) if isinstance(stated, (int, float)) and stated > 0 else None
