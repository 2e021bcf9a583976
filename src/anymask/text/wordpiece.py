"""BERT's tokenizer (Devlin et al., arXiv 1810.04805): lower case, no accents, longest known parts first."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from anymask.core.errors import ModelError

BEGIN: Final = "[CLS]"
END: Final = "[SEP]"
UNKNOWN: Final = "[UNK]"
_INSIDE: Final = "##"
_LONGEST_WORD: Final = 100
_IDEOGRAPHS: Final = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


class WordPieceTokenizer:
    """Text -> numbers of tokens. tokens: text of a token -> its number."""

    def __init__(self, tokens: Mapping[str, int]) -> None:
        self._tokens = tokens

    @classmethod
    def read(cls, path: Path) -> WordPieceTokenizer:
        """From a `vocab.txt`, a token a line. Raises ModelError if it cannot be read or is none."""
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"Cannot read {path} ({error}).") from error
        tokens = {line.rstrip("\r"): number for number, line in enumerate(lines) if line}
        if not {BEGIN, END, UNKNOWN} <= tokens.keys():
            raise ModelError(f"{path} is no vocabulary of BERT's; it lacks {BEGIN}, {END} or {UNKNOWN}.")
        return cls(tokens)

    def encode(self, text: str) -> list[int]:
        """The tokens of a text between those that begin and end it, as many as it takes.

        Names of special tokens in the text, such as "[SEP]", are read as text.
        """
        parts = [part for word in _words(text) for part in self._parts(word)]
        return [self._tokens[token] for token in (BEGIN, *parts, END)]

    def _parts(self, word: str) -> list[str]:
        if len(word) > _LONGEST_WORD:
            return [UNKNOWN]
        parts: list[str] = []
        start = 0
        while start < len(word):
            prefix = _INSIDE if start else ""
            ends = range(len(word), start, -1)
            stop = next((end for end in ends if prefix + word[start:end] in self._tokens), None)
            if stop is None:
                return [UNKNOWN]
            parts.append(prefix + word[start:stop])
            start = stop
        return parts


def _words(text: str) -> Iterator[str]:
    """Words in lower case and without accents; punctuation and ideographs stand for themselves."""
    plain = unicodedata.normalize("NFD", "".join(letter.lower() for letter in text))
    word = ""
    for letter in plain:
        if unicodedata.category(letter) in ("Mn", "Cc", "Cf") and not letter.isspace():
            continue
        alone = _is_punctuation(letter) or any(low <= ord(letter) <= high for low, high in _IDEOGRAPHS)
        if (alone or letter.isspace()) and word:
            yield word
            word = ""
        if alone:
            yield letter
        elif not letter.isspace():
            word += letter
    if word:
        yield word


def _is_punctuation(letter: str) -> bool:
    """Unicode's punctuation, and all signs of ASCII that are no letters or digits."""
    sign = letter.isascii() and letter.isprintable() and not letter.isalnum() and letter != " "
    return sign or unicodedata.category(letter).startswith("P")
