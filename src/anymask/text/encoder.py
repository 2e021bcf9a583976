"""The seam between finding and knowing words: what a text-image encoder must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from anymask.core.arrays import Float32Array
from anymask.core.errors import FormatError, InputError
from anymask.core.images import Picture
from anymask.core.record import MaskRecord
from anymask.text.background import BACKGROUND

MOST_TEXTS = 10_000
LONGEST_TEXT = 500


@dataclass(frozen=True)
class Calibration:
    """From the similarity of a mask and a text to a score between 0 and 1.

    A text competes with `background`, words for what else may be seen:
    score = sigmoid(scale * (similarity - soft maximum of the background's similarities) - offset), which for
    offset 0 is the text's share of a softmax over itself and the background. near: words of the background
    whose similarity to the text is at least this do not compete: they mean the same.
    threshold: a mask with at least this score is said to be what the text names. measured: whether it was set
    on labelled pictures. Raises FormatError for numbers that cannot be meant.
    """

    scale: float
    offset: float = 0.0
    threshold: float = 0.5
    background: tuple[str, ...] = BACKGROUND
    near: float = 0.9
    measured: bool = False

    def __post_init__(self) -> None:
        numbers = [self.scale, self.offset, self.threshold]
        if not (np.isfinite(numbers).all() and self.scale > 0 and 0 < self.threshold < 1 and self.background):
            raise FormatError(f"{numbers} is no calibration; give scale > 0, an offset, 0 < threshold < 1")


class TextImageEncoder(Protocol):
    """Places texts and masked parts of pictures in one space."""

    @property
    def name(self) -> str:
        """What `encoder=` and records call it."""
        ...

    @property
    def calibration(self) -> Calibration:
        """How its similarities are to be read."""
        ...

    @property
    def sha256(self) -> str:
        """Of its weights, 64 hexadecimal digits."""
        ...

    @property
    def taught(self) -> frozenset[str]:
        """The words that it was fitted on, where they are known; reports tell them apart."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> Float32Array:
        """(N, D) float32, rows of length 1. Raises InputError for a text that it cannot read."""
        ...

    def embed_masks(self, picture: Picture, records: Sequence[MaskRecord]) -> Float32Array:
        """(M, D) float32, rows of length 1: what each mask shows."""
        ...


def check_texts(texts: str | Sequence[str]) -> tuple[str, ...]:
    """Texts with single spaces, one or many. Raises InputError for none, an empty, long or repeated one."""
    if isinstance(texts, str):
        texts = [texts]
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"texts are {type(texts).__name__}; give a text or a list of texts")
    if not 0 < len(texts) <= MOST_TEXTS:
        raise InputError(f"{len(texts)} texts are given; give 1 to {MOST_TEXTS:,}")
    clean = tuple(" ".join(text.split()) for text in texts)
    for text in clean:
        if not text:
            raise InputError("a text is empty; say what to look for, for example 'a red bicycle'")
        if len(text) > LONGEST_TEXT:
            raise InputError(f"a text has {len(text):,} characters; give at most {LONGEST_TEXT}")
        if not text.isprintable():
            raise InputError("a text has characters that cannot be printed; give plain text")
    if len(set(clean)) < len(clean):
        twice = next(text for text in clean if clean.count(text) > 1)
        raise InputError(f"{twice!r} is given twice; give every text once")
    return clean


def unit(rows: Float32Array) -> Float32Array:
    """Rows scaled to length 1; a row of zeros stays."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    scaled: Float32Array = (rows / np.maximum(length, 1e-12)).astype(np.float32)
    return scaled


def padded(sequences: Sequence[Sequence[int]]) -> np.ndarray:
    """(N, T) int64, the sequences with zeros after them."""
    rows = np.zeros((len(sequences), max(map(len, sequences))), np.int64)
    for row, sequence in zip(rows, sequences, strict=True):
        row[: len(sequence)] = sequence
    return rows
