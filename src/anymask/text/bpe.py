"""CLIP's tokenizer: text in lower case, cut into words, each word's bytes joined pair by pair.

As in OpenAI's code (Radford et al., arXiv 2103.00020) after byte-pair encoding (Sennrich et al.,
arXiv 1508.07909). The names of special tokens inside a text are text like any other.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from anymask.models.clip.vocabulary import BEGIN, END, WORD_END, Vocabulary, byte_letters

_CONTRACTIONS: Final = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


class BpeTokenizer:
    """Text -> numbers of tokens."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._tokens = vocabulary.tokens
        self._ranks = {pair: rank for rank, pair in enumerate(vocabulary.merges)}
        self._letters = byte_letters()
        self._known: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """The tokens of a text between those that begin and end it, as many as it takes."""
        clean = unicodedata.normalize("NFC", text)
        clean = "".join(letter.lower() for letter in clean)  # one by one: no other sigma at the end of a word
        words = (token for word in words_of(clean) for token in self._word(word))
        return [self._tokens[BEGIN], *words, self._tokens[END]]

    def _word(self, word: str) -> list[int]:
        if word not in self._known:
            letters = [self._letters[byte] for byte in word.encode()]
            parts = self._joined([*letters[:-1], letters[-1] + WORD_END])
            self._known[word] = [self._tokens[part] for part in parts]
        return self._known[word]

    def _joined(self, parts: list[str]) -> list[str]:
        """Join neighbours, those that the vocabulary lists first in front, until none is listed."""
        while True:
            ranked = [(self._ranks[pair], pair) for pair in pairwise(parts) if pair in self._ranks]
            if not ranked:
                return parts
            parts = _join(parts, min(ranked)[1])


def words_of(text: str) -> Iterator[str]:
    """Contractions, runs of letters, single digits, runs of anything else that is no space."""
    at = 0
    while at < len(text):
        contraction = next((c for c in _CONTRACTIONS if text.startswith(c, at)), None)
        kind = _kind(text[at])
        stop = at + 1
        if contraction is not None:
            stop = at + len(contraction)
        elif kind in "LO":
            while stop < len(text) and _kind(text[stop]) == kind:
                stop += 1
        if kind != "S":
            yield text[at:stop]
        at = stop


def _kind(letter: str) -> str:
    """L letter, N number, S space, O anything else."""
    if letter.isspace():
        return "S"
    category = unicodedata.category(letter)[0]
    return category if category in "LN" else "O"


def _join(parts: list[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    at = 0
    while at < len(parts):
        both = tuple(parts[at : at + 2]) == pair
        joined.append(pair[0] + pair[1] if both else parts[at])
        at += 2 if both else 1
    return joined
