"""Pictures and mask files below a folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from anymask.core.errors import FormatError
from anymask.formats.pictures import ENDINGS
from anymask.formats.trees import open_tree

PICTURE_FOLDERS = (
    "image", "images", "img", "imgs", "jpegimages", "picture", "pictures", "photo", "photos", "original",
    "originals", "rgb", "input", "inputs", "data_gt",
)  # fmt: skip
MASK_FOLDERS = (
    "mask", "masks", "label", "labels", "gt", "gts", "groundtruth", "ground_truth", "ground-truth",
    "annotation", "annotations", "segmentation", "segmentations", "segmentationobject", "segmentationclass",
    "instance", "instances", "object", "objects", "target", "targets", "boundary_gt",
)  # fmt: skip
"""Names of folders, in lower case."""


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


def is_in(name: str, folders: tuple[str, ...]) -> bool:
    """Whether a relative file name lies in a folder that has one of these names (in lower case)."""
    return any(part.lower() in folders for part in PurePosixPath(name).parts[:-1])


@dataclass(frozen=True)
class PictureFinder:
    """The pictures below a folder by what annotation files call them.

    by_stem: names without an ending are understood, too; never a file in a folder of masks.
    """

    root: Path
    by_stem: bool = False

    @cached_property
    def _by_name(self) -> dict[str, str]:
        """Relative name, file name and perhaps stem -> relative name; the longer one wins, then the first."""
        names = pictures_below(self.root)
        files = {PurePosixPath(name).name: name for name in reversed(names)}
        photos = [name for name in reversed(names) if self.by_stem and not is_in(name, MASK_FOLDERS)]
        return {
            **{PurePosixPath(name).stem: name for name in photos},
            **files,
            **{name: name for name in names},
        }

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
