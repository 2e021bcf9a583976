"""Files of masks that commands write: which formats one image can have, their endings, what they lose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anymask.core.errors import InputError
from anymask.core.images import Picture
from anymask.core.record import MaskRecord
from anymask.formats import FILE_FORMATS, FORMATS, format_of, losses
from anymask.formats.registry import known

_SUFFIXES = {"coco": ".coco.json", "coco-polygons": ".coco.json"}  # they say more than the formats' own
_PICTURES = ("png", "labelmap", "palette")
_OF_MASKS = ("label", "mask")


def require_file_format(format: str) -> str:
    """The format itself. Raises InputError unless it holds the masks of one image in one file."""
    if format in FILE_FORMATS:
        return format
    if format in FORMATS:
        raise InputError(
            f"--format {format!r} is a folder of files for a whole data set; write json into a folder, then "
            f"run anymask convert FOLDER OUT --to {format}"
        )
    raise InputError(f"--format {format!r} is not known; give one of {', '.join(FILE_FORMATS)}")


def suffix_of(format: str) -> str:
    """The ending of a file's name, as ".coco.json"."""
    return _SUFFIXES.get(format, known(format).suffix)


def is_text(format: str) -> bool:
    """Whether the format can be shown on a terminal."""
    return suffix_of(format) != ".png"


def losses_in_words(records: Sequence[MaskRecord], format: str, picture: Picture | None) -> str:
    """What a file of this format does not hold of these masks: "" or " (not kept: scores: 3, ...)".

    Of pictures of masks only what is lost of the masks themselves and their labels is told: that a picture
    holds no scores goes without saying.
    """
    lost = [str(loss) for loss in losses(records, format, picture=picture)] if records else []
    if format in _PICTURES:
        lost = [words for words in lost if any(part in words for part in _OF_MASKS)]
    return f" (not kept: {', '.join(lost)})" if lost else ""


def format_of_file(path: Path, format: str | None) -> str:
    """The format that was asked for, else the one that the file's ending stands for."""
    return format or format_of(path)
