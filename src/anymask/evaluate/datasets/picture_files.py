"""Pictures and mask files below a folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from anymask.core.errors import FormatError
from anymask.formats.pictures import ENDINGS
from anymask.formats.trees import open_tree


def is_picture(name: str) -> bool:
    """Whether a file is an image by its ending."""
    return PurePosixPath(name).suffix.lower() in ENDINGS


def files_below(root: Path) -> tuple[str, ...]:
    """All files below a folder but hidden ones, relative, with forward slashes, sorted.

    Raises FormatError if there is no such folder.
    """
    if not root.is_dir():
        raise FormatError(f"'{root}' is no folder; give the folder of the data set")
    with open_tree(root) as tree:
        return tree.names


def pictures_below(root: Path) -> tuple[str, ...]:
    """As `files_below`, only images."""
    return tuple(name for name in files_below(root) if is_picture(name))


@dataclass(frozen=True)
class PictureFinder:
    """The pictures below a folder by what annotation files call them."""

    root: Path

    @cached_property
    def _by_name(self) -> dict[str, str]:
        """Relative name, file name and stem -> relative name; what is longer wins where two mean others."""
        names = pictures_below(self.root)
        stems = {PurePosixPath(name).stem: name for name in reversed(names)}
        files = {PurePosixPath(name).name: name for name in reversed(names)}
        return {**stems, **files, **{name: name for name in names}}

    def find(self, name: str) -> Path:
        """The picture called `name`: its path below the folder, its file name, or that without its ending.

        Raises FormatError if there is none.
        """
        given = PurePosixPath(name.replace("\\", "/"))
        direct = self.root / given
        if ".." not in given.parts and not given.is_absolute() and direct.is_file():
            return direct
        for known in (str(given), given.name, given.stem):
            if known in self._by_name:
                return self.root / self._by_name[known]
        raise FormatError(f"the picture '{name}' is not in '{self.root}'")
