"""Data sets: the masks of any number of images, read from and written to files, folders and archives."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from anymask.core.errors import FormatError
from anymask.core.files import write_atomically
from anymask.formats import registry
from anymask.formats.checks import safe_name
from anymask.formats.contents import Contents
from anymask.formats.kinds import FolderFormat, ImageFormat, SetFormat
from anymask.formats.losses import Loss, losses_of
from anymask.formats.pictures import Pictures
from anymask.formats.trees import Tree, is_tree, only, open_tree, write_tree

StrPath = str | os.PathLike[str]


def read_images(
    path: StrPath, format: str | None = None, *, pictures: StrPath | None = None
) -> list[Contents]:
    """Read the masks of all images in a file, folder, tar or zip.

    format: one of `FORMATS`; by default the file's ending and content say it.
    pictures: the folder of the pictures; sizes come from there where the format holds none.

    Raises FormatError if something is missing, damaged, of another format, or has a name that leads out of
    the folder.
    """
    source = Path(path)
    wanted = registry.known(format) if format else None
    try:
        if is_tree(source):
            with open_tree(source) as tree:
                return _read_tree(tree, wanted, Pictures(_folder(pictures)))
        return _read_file(source, wanted, Pictures(_folder(pictures)))
    except FormatError as error:
        raise FormatError(f"'{source}': {error}") from error
    except (OSError, ValueError) as error:
        raise FormatError(f"cannot read '{source}': {getattr(error, 'strerror', None) or error}") from error


def write_images(
    path: StrPath,
    images: Iterable[Contents],
    format: str | None = None,
    *,
    pictures: StrPath | None = None,
    overwrite: bool = False,
) -> tuple[Loss, ...]:
    """Write the masks of any number of images to a file, folder, tar or zip, whole or not at all.

    format: one of `FORMATS`; by default the ending of `path` says it. Whether it becomes a file or a folder
        follows from the format and the ending; .tar and .zip hold what a folder would.
    pictures: the folder of the pictures; in a folder or archive they are copied to where the format wants
        them.
    overwrite: a folder or archive that exists is replaced as a whole. Files are replaced without it.

    Returns what the format does not hold of these masks. Raises FormatError if the masks do not fit the
    format, OutputError if they cannot be written; what was there stays then.
    """
    target = Path(path)
    chosen = registry.known(format) if format else registry.by_ending(target)
    named = _named(images)
    if isinstance(chosen, FolderFormat) or _is_tree_to_be(path):
        files = _files(chosen, named, Pictures(_folder(pictures)))
        write_tree(target, files, overwrite=overwrite)
    else:
        write_atomically(target, encode_images(chosen, named))
    return losses_of(named, chosen.keeps)


def encode_images(format: registry.AnyFormat, images: Sequence[Contents]) -> bytes:
    """A file's bytes. Raises FormatError for a format of folders, or several images in one that holds one."""
    if isinstance(format, SetFormat):
        return format.encode(images)
    if isinstance(format, FolderFormat):
        raise FormatError(f"{format.name} is a folder of files; write it with write_images or convert")
    if len(images) != 1:
        raise FormatError(f"{len(images)} images do not fit into one file of {format.name}; give a folder")
    return format.encode(images[0])


def _read_file(source: Path, wanted: registry.AnyFormat | None, pictures: Pictures) -> list[Contents]:
    data = source.read_bytes()
    chosen = wanted or registry.of_file(source, data)
    if isinstance(chosen, FolderFormat):
        with open_tree(source.parent) as tree:
            return chosen.load(only(tree, source.name), pictures)
    return _decode(chosen, source.name, data)


def _read_tree(tree: Tree, wanted: registry.AnyFormat | None, pictures: Pictures) -> list[Contents]:
    chosen = wanted or registry.of_tree(tree)
    if isinstance(chosen, FolderFormat):
        return chosen.load(tree, pictures)
    images: list[Contents] = []
    for name, data in registry.files_in(tree, chosen):
        try:
            images += _decode(chosen, name, data)
        except FormatError as error:
            raise FormatError(f"{name}: {error}") from error
    return images


def _decode(format: ImageFormat | SetFormat, name: str, data: bytes) -> list[Contents]:
    if isinstance(format, SetFormat):
        return format.decode(data)
    stem = (
        name[: -len(format.suffix)]
        if name.lower().endswith(format.suffix)
        else str(Path(name).with_suffix(""))
    )
    return [format.decode(data, stem)]


def _files(
    format: registry.AnyFormat, images: Sequence[Contents], pictures: Pictures
) -> Iterator[tuple[str, bytes | Path]]:
    """What goes into a folder or archive: the format's files, then the pictures that are at hand."""
    if isinstance(format, FolderFormat):
        yield from format.files(images)
    elif isinstance(format, SetFormat):
        yield format.file_name, format.encode(images)
    else:
        for image in images:
            yield f"{PurePosixPath(image.image_name).with_suffix('')}{format.suffix}", format.encode(image)
    if pictures.root is None:
        return
    for image in images:
        picture = pictures.find(image.image_name)
        if picture is None:
            raise FormatError(f"the picture '{image.image_name}' is not in '{pictures.root}'")
        yield _picture_name(format, image.image_name), picture


def _picture_name(format: registry.AnyFormat, name: str) -> str:
    if isinstance(format, FolderFormat):
        return format.picture_name(name)
    return name if isinstance(format, ImageFormat) else f"images/{name}"


def _named(images: Iterable[Contents]) -> list[Contents]:
    """The images with names that are safe and different."""
    named: dict[str, Contents] = {}
    for number, image in enumerate(images, 1):
        name = safe_name(image.image_name or f"image-{number}")
        if name in named:
            raise FormatError(f"two images are called '{name}'; give them different names")
        named[name] = replace(image, image_name=name)
    return list(named.values())


def _is_tree_to_be(path: StrPath) -> bool:
    target = Path(path)
    return str(path).endswith(("/", os.sep)) or is_tree(target) or not target.suffix


def _folder(pictures: StrPath | None) -> Path | None:
    if pictures is None:
        return None
    if not Path(pictures).is_dir():
        raise FormatError(f"'{pictures}' is no folder of pictures")
    return Path(pictures)
