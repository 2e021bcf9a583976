"""Where results go: one file, a folder, a pattern with {name}, or stdout."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anymask.core.errors import ImageError, InputError, OutputError

STDIN = "-"
STDOUT = "-"


def expand_images(patterns: Sequence[str]) -> list[str]:
    """File names, with glob patterns expanded where the shell did not do it; `-` stays.

    Raises ImageError for a pattern that matches nothing, InputError for stdin given twice.
    """
    images: list[str] = []
    for pattern in patterns:
        if pattern == STDIN or not glob.has_magic(pattern) or Path(pattern).exists():
            images.append(pattern)
            continue
        # Path.glob takes no absolute patterns.
        found = glob.glob(pattern, recursive=True)  # noqa: PTH207
        matches = sorted(match for match in found if Path(match).is_file())
        if not matches:
            raise ImageError(f"no file matches {pattern!r}; check the folder and the spelling.")
        images.extend(matches)
    if images.count(STDIN) > 1:
        raise InputError("'-' (stdin) is given more than once; it holds one image.")
    return images


def output_names(images: Sequence[str]) -> list[str]:
    """A name for each image's results: its stem; where two would share it, the extension joins in.

    `a.jpg, a.png, b/c.jpg` become `a_jpg, a_png, c`; what is still equal gets `-2`, `-3` in the given order.
    Names are compared without case, because some file systems do.
    """
    stems = ["stdin" if image == STDIN else Path(image).stem for image in images]
    shared = Counter(stem.casefold() for stem in stems)
    names: list[str] = []
    taken: set[str] = set()
    for image, stem in zip(images, stems, strict=True):
        wanted = stem if shared[stem.casefold()] == 1 else f"{stem}_{Path(image).suffix[1:]}".rstrip("_")
        name, number = wanted, 1
        while name.casefold() in taken:
            number += 1
            name = f"{wanted}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


@dataclass(frozen=True)
class Target:
    """One kind of output (`-o`, `--overlay`, `--cutout`) for all images of a run."""

    option: str
    paths: tuple[Path, ...]


def plan(option: str, given: str, images: Sequence[str], *, suffix: str) -> Target:
    """The output file of each image.

    given: a folder (it exists, or ends with a slash, or there are several images and it has no extension), a
        pattern with `{name}`, or one file for one image. suffix: the extension inside a folder, as ".png".

    Raises InputError where several images would go into one file, or a result would replace an image.
    """
    names = output_names(images)
    if "{name}" in given:
        paths = [Path(given.replace("{name}", name)) for name in names]
    elif _is_folder(given, several=len(images) > 1):
        paths = [Path(given) / f"{name}{suffix}" for name in names]
    elif len(images) == 1:
        paths = [Path(given)]
    else:
        raise InputError(
            f"{option} {given!r} is one file for {len(images)} images; "
            "give a folder, or a name with {name} in it."
        )
    _refuse_inputs(option, paths, images)
    return Target(option, tuple(paths))


def check_distinct(targets: Sequence[Target]) -> None:
    """Raises InputError when two results of a run would go into the same file."""
    owners: dict[str, str] = {}
    for target in targets:
        for path in target.paths:
            key = str(path.resolve()).casefold()
            if key in owners:
                both = f"{owners[key]} and {target.option}" if owners[key] != target.option else target.option
                raise InputError(f"{both} would write {str(path)!r} twice; give different files.")
            owners[key] = target.option


def numbered(path: Path, number: int) -> Path:
    """`mask.png` -> `mask-2.png`."""
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def make_folder(folder: Path) -> None:
    """Create an output folder where it is missing. Raises OutputError if that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot create the folder '{folder}': {error.strerror}; choose another."
        ) from error


def _is_folder(given: str, *, several: bool) -> bool:
    path = Path(given)
    return given.endswith(("/", os.sep)) or path.is_dir() or (several and not path.suffix)


def _refuse_inputs(option: str, paths: Sequence[Path], images: Sequence[str]) -> None:
    inputs = {str(Path(image).resolve()).casefold() for image in images if image != STDIN}
    for path in paths:
        if str(path.resolve()).casefold() in inputs:
            raise InputError(f"{option} would replace the image {str(path)!r}; give another name.")
