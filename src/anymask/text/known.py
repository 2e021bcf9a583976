"""Which encoders there are, and opening them."""

from __future__ import annotations

import difflib
from functools import lru_cache
from pathlib import Path
from typing import Final

from anymask.core.errors import InputError
from anymask.models.registry import Registry
from anymask.text.clip import ClipEncoder
from anymask.text.encoder import TextImageEncoder

WORDS: Final = "words"
"""The encoder of the package itself, experimental."""
_NEVER_LARGER: Final = 2  # encoders kept open


def encoder_of(
    encoder: str | Path | TextImageEncoder | None = None,
    *,
    precision: str = "fast",
    threads: int | None = None,
) -> TextImageEncoder:
    """An encoder, opened.

    encoder: "words" (experimental, `pip install 'anymask[text]'`), the name of an imported CLIP or its
        folder, or an encoder, which is returned as it is. None: the first imported CLIP, else "words".
    Raises InputError for an unknown name, ModelError for a damaged model, MissingExtraError.
    """
    if encoder is None:
        encoder = next(iter(imported()), WORDS)
    if not isinstance(encoder, str | Path):
        return encoder
    return _opened(str(encoder), precision, threads)


def imported() -> list[str]:
    """Names of the CLIPs in the cache."""
    return [
        folder.spec.full_name for folder in Registry().cache.installed() if _is_clip(folder.spec.architecture)
    ]


@lru_cache(maxsize=_NEVER_LARGER)
def _opened(name: str, precision: str, threads: int | None) -> TextImageEncoder:
    if name == WORDS:
        from anymask.text.words import WordsEncoder

        return WordsEncoder(precision=precision, threads=threads)
    registry = Registry()
    if not Path(name).is_dir() and not registry.paths(name.partition("@")[0]):
        raise _unknown(name)
    folder = registry.resolve(name)
    if not _is_clip(folder.spec.architecture):
        raise InputError(
            f"{folder.spec.full_name} finds masks and knows no words; "
            f"give one of {', '.join([WORDS, *imported()])}"
        )
    return ClipEncoder(folder, precision=precision, threads=threads)


def _is_clip(architecture: str) -> bool:
    return architecture == "clip"


def _unknown(name: str) -> InputError:
    known = [WORDS, *imported()]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)};"
    shown = name if len(name) <= 80 else name[:77] + "..."
    return InputError(
        f"there is no encoder {shown!r}; {advice} a CLIP is taken in with: anymask models import FILE"
    )
