"""Any of the formats that anymask reads (`formats/`), with the pictures beside the annotations."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from anymask.core.errors import FormatError
from anymask.core.images import load_image
from anymask.core.record import MaskRecord
from anymask.core.rle import decode
from anymask.evaluate.datasets.dataset import DataSet, Drawn, Entry, Found, sample_of, unique
from anymask.evaluate.datasets.picture_files import PictureFinder, files_below
from anymask.formats import read_images, registry
from anymask.formats.contents import Contents
from anymask.formats.kinds import ImageFormat
from anymask.formats.trees import open_tree


def open_annotated(path: Path, format: str | None = None, pictures: Path | None = None) -> DataSet:
    """The pictures of a file or folder of annotations.

    format: its name, found out by default. pictures: the folder of the pictures, by default the folder of the
    annotations and what is below it.
    Raises FormatError if the annotations are missing, damaged or of no known format. Where each picture has a
    file of its own a damaged one harms only its picture.
    """
    folder = path if path.is_dir() else path.parent
    finder = PictureFinder(pictures or folder, by_stem=True)
    if path.is_dir():
        kind = registry.known(format) if format is not None else _format_in(path)
        if isinstance(kind, ImageFormat):
            return _one_file_each(path, kind, finder)
    images = read_images(path, format, pictures=pictures or folder)
    entries = [Entry(image.image_name, _reader(finder, image, path.name)) for image in images]
    found, lines = unique(entries, [])
    return DataSet(path.name, found, lines)


def _format_in(path: Path) -> registry.AnyFormat:
    """The format of a folder's files, whatever is damaged among them. Raises FormatError if none is known."""
    with open_tree(path) as tree:
        try:
            return registry.of_tree(tree)
        except FormatError as error:
            for name in tree.names:
                with contextlib.suppress(FormatError):
                    return registry.of_file(Path(name), tree.read(name))
            raise FormatError(f"'{path}': {error}") from error


def _one_file_each(path: Path, format: ImageFormat, finder: PictureFinder) -> DataSet:
    ending = format.suffix.rpartition(".")[2]
    names = [name for name in files_below(path) if name.lower().endswith(f".{ending}")]
    if not names:
        raise FormatError(f"no file in '{path}' is {format.name} ({format.suffix})")
    entries = [Entry(name, _file_reader(finder, path / name, format.name, path.name)) for name in names]
    return DataSet(path.name, tuple(entries))


def _file_reader(finder: PictureFinder, file: Path, format: str, source: str) -> Callable[[str], Found]:
    def read(key: str) -> Found:
        images = read_images(file, format)
        if len(images) != 1:
            raise FormatError(f"it is about {len(images)} pictures; expected one")
        return _sample(key, finder, images[0], images[0].image_name or file.stem, source)

    return read


def _reader(finder: PictureFinder, image: Contents, source: str) -> Callable[[str], Found]:
    return lambda key: _sample(key, finder, image, image.image_name, source)


def _sample(key: str, finder: PictureFinder, image: Contents, name: str, source: str) -> Found:
    return sample_of(key, load_image(finder.find(name)), _drawn(image.records), source=source)


def _drawn(records: Sequence[MaskRecord]) -> Iterator[Drawn]:
    for number, record in enumerate(records, 1):
        crowd = bool(record.attributes.get("iscrowd"))
        yield Drawn(f"mask {number}", decode(record.rle), record.label, None, crowd)
