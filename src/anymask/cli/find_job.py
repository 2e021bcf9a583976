"""What `anymask find` was given: which words are pictures, which are texts."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from anymask.cli.everything_results import IMAGE_ENDINGS
from anymask.cli.outputs import STDIN
from anymask.core.errors import InputError
from anymask.text import encoder_of
from anymask.text.encoder import check_texts
from anymask.text.naming import Words


def images_and_texts(
    given: Sequence[str], more: Sequence[str], labels: Path | None
) -> tuple[list[str], tuple[str, ...]]:
    """Pictures and texts, in order. more: texts whatever they look like. labels: a file of further ones.

    Raises InputError if there are none of one kind, or a text cannot be used, FormatError for the file.
    """
    images = [word for word in given if _is_picture(word)]
    texts = [word for word in given if not _is_picture(word)] + list(more)
    if labels is not None:
        from anymask.automatic.naming import read_names

        texts += read_names(labels)
    if not images:
        raise InputError(
            f"none of {' '.join(map(repr, given[:3]))} is a picture; give files, then what to find"
        )
    if not texts:
        raise InputError("nothing to find is given; say what, for example: anymask find photo.jpg 'a dog'")
    return images, check_texts(texts)


def words_of(
    texts: tuple[str, ...],
    encoder: str | None,
    threshold: float | None,
    most: int | None,
    *,
    precision: str,
    threads: int | None,
) -> Words:
    """What keeps the masks that the texts name. Raises InputError, ModelError, MissingExtraError."""
    opened = encoder_of(encoder, precision=precision, threads=threads)
    return Words(texts, opened, threshold, only_hits=True, most=most)


def _is_picture(word: str) -> bool:
    """A file or folder that is there, stdin, a pattern that files match, or a name that ends as pictures do.

    Anything else is a text. The last is so that a picture's name, misspelt, is not looked for in others.
    """
    if word == STDIN or word.lower().endswith(IMAGE_ENDINGS):
        return True
    if not word.strip():  # Path("") is the working directory
        return False
    try:
        return Path(word).exists() or (glob.has_magic(word) and bool(glob.glob(word)))  # noqa: PTH207
    except (OSError, ValueError):  # too long for a name, or with a zero byte
        return False
