"""CLIP's vocabulary, read from the files it is published in: words' parts and the order in which they join.

Known files: `vocab.json` with `merges.txt`, `tokenizer.json` (transformers), `bpe_simple_vocab_16e6.txt.gz`
(OpenAI, open_clip). None comes with anymask.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from anymask.core.errors import FormatError, ModelError

BEGIN: Final = "<|startoftext|>"
END: Final = "<|endoftext|>"
WORD_END: Final = "</w>"

_PLAIN: Final = "bpe_simple_vocab_16e6.txt.gz"
_PLAIN_MERGES: Final = 49152 - 256 - 2  # of the file's 262,000 OpenAI's models know the first so many
_LARGEST: Final = 32 << 20
_PACKAGES: Final = ("open_clip", "clip")


def byte_letters() -> dict[int, str]:
    """A printable letter for each of the 256 bytes: itself where it is printable, else one from 256 up.

    The table of GPT-2 (Radford et al. 2019), which CLIP took over; its order is that of the first tokens.
    """
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    letters = {byte: chr(byte) for byte in printable}
    others = (byte for byte in range(256) if byte not in letters)
    return letters | {byte: chr(256 + place) for place, byte in enumerate(others)}


@dataclass(frozen=True)
class Vocabulary:
    """tokens: text of a token -> its number. merges: pairs of tokens, those that join first in front.

    Raises FormatError if one of the 512 tokens of single bytes, a joined pair, or a special token is missing.
    """

    tokens: Mapping[str, int]
    merges: Sequence[tuple[str, str]]

    def __post_init__(self) -> None:
        numbers = self.tokens.values()
        if not all(type(n) is int and n >= 0 for n in numbers) or len(set(numbers)) != len(self.tokens):
            raise FormatError("the vocabulary's numbers are not different whole numbers from 0")
        letters = byte_letters().values()
        needed = [*letters, *(letter + WORD_END for letter in letters), BEGIN, END]
        needed += [first + second for first, second in self.merges]
        missing = [token for token in needed if token not in self.tokens]
        if missing:
            raise FormatError(
                f"the vocabulary lacks {len(missing)} tokens, {missing[0]!r} for one; get its file again"
            )

    @classmethod
    def of_merges(cls, merges: Sequence[tuple[str, str]]) -> Vocabulary:
        """As OpenAI numbers tokens: bytes, bytes that end a word, joined pairs, begin, end."""
        letters = list(byte_letters().values())
        words = [
            *letters,
            *(letter + WORD_END for letter in letters),
            *(a + b for a, b in merges),
            BEGIN,
            END,
        ]
        return cls({word: number for number, word in enumerate(words)}, merges)

    def to_json(self) -> dict[str, Any]:
        """The JSON object that `from_json` reads."""
        return {"tokens": dict(self.tokens), "merges": [list(pair) for pair in self.merges]}

    @classmethod
    def from_json(cls, value: Any) -> Vocabulary:
        """Read `to_json`'s object, or the "model" of a `tokenizer.json`. Raises FormatError."""
        if not isinstance(value, Mapping):
            raise FormatError("a vocabulary must be a JSON object")
        tokens, merges = value.get("tokens", value.get("vocab")), value.get("merges")
        if not isinstance(tokens, Mapping) or not isinstance(merges, list):
            raise FormatError("a vocabulary needs its tokens and its merges")
        return cls(dict(tokens), [_pair(entry) for entry in merges])

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Read the `vocabulary.json` of a model folder. Raises FormatError."""
        try:
            return cls.from_json(_json(path))
        except FormatError as error:
            raise FormatError(f"{path}: {error}") from error


def find_vocabulary(folder: Path) -> Vocabulary:
    """The vocabulary beside a checkpoint, else that of an installed package of CLIP's (open_clip, clip).

    Raises ModelError if there is none, FormatError if it is broken.
    """
    if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        merges = _merges(_text(folder / "merges.txt"))
        return Vocabulary.from_json({"vocab": _json(folder / "vocab.json"), "merges": merges})
    if (folder / "tokenizer.json").is_file():
        whole = _json(folder / "tokenizer.json")
        return Vocabulary.from_json(whole.get("model") if isinstance(whole, Mapping) else None)
    for place in (folder, *_packages()):
        if (place / _PLAIN).is_file():
            return Vocabulary.of_merges([_pair(e) for e in _merges(_text(place / _PLAIN))[:_PLAIN_MERGES]])
    raise ModelError(
        f"{folder} has no vocabulary; put vocab.json and merges.txt, tokenizer.json, or {_PLAIN} beside the "
        "weights (they are published with them), or pip install open_clip_torch, which carries one."
    )


def _packages() -> list[Path]:
    found = [importlib.util.find_spec(name) for name in _PACKAGES]
    return [Path(spec.origin).parent for spec in found if spec is not None and spec.origin is not None]


def _merges(text: str) -> list[str]:
    """The lines but for the first, which states a version."""
    lines = text.splitlines()
    return [line for line in lines[1 if lines and "#version" in lines[0] else 0 :] if line.strip()]


def _pair(entry: Any) -> tuple[str, str]:
    parts = entry.split() if isinstance(entry, str) else entry
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, str) for part in parts):
        raise FormatError(f"a vocabulary's merge is {str(entry)[:40]!r}; expected two tokens")
    return parts[0], parts[1]


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is not JSON ({error}); get the file again") from error


def _text(path: Path) -> str:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise FormatError(f"{path} is larger than any vocabulary; get the file again")
        return data.decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise FormatError(f"cannot read {path} ({error}); get the file again") from error
