"""Three kinds of formats: a file for one image, a file for many, a folder of files that belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from anymask.formats.contents import Contents
from anymask.formats.losses import Keeps
from anymask.formats.pictures import Pictures
from anymask.formats.trees import Tree


@dataclass(frozen=True)
class Format:
    """What all formats have.

    name: as in `format=` and `--to`. title: what it is, a few words. suffix: how its files end.
    keeps: what it holds beside masks.
    """

    name: str
    title: str
    suffix: str
    keeps: Keeps


@dataclass(frozen=True)
class ImageFormat(Format):
    """A file is about one image; a data set is a folder of such files.

    decode: takes the bytes and the file's name without its ending, which names the image where the format
    does not.
    """

    encode: Callable[[Contents], bytes]
    decode: Callable[[bytes, str], Contents]


@dataclass(frozen=True)
class SetFormat(Format):
    """A file is about any number of images.

    file_name: what it is called in a folder or archive.
    """

    encode: Callable[[Sequence[Contents]], bytes]
    decode: Callable[[bytes], list[Contents]]
    file_name: str


@dataclass(frozen=True)
class FolderFormat(Format):
    """Several files belong together.

    files: their names and contents. load: takes a tree and the pictures (for sizes that the format does not
    hold). picture_name: where the picture of an image belongs in the folder.
    """

    files: Callable[[Sequence[Contents]], Iterator[tuple[str, bytes]]]
    load: Callable[[Tree, Pictures], list[Contents]]
    picture_name: Callable[[str], str]
