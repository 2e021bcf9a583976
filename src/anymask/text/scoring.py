"""How well texts fit masks: an encoder's similarities made into scores."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from anymask.core.arrays import Float32Array
from anymask.core.errors import InputError
from anymask.core.images import Picture
from anymask.core.record import MaskRecord
from anymask.text.encoder import TextImageEncoder

TEXTS_AT_ONCE = 256


class TextScorer:
    """Scores of masks and texts by one encoder; it keeps the embeddings of texts that it has seen last.

    Also a `Scorer` of `anymask.automatic.naming`.
    """

    def __init__(self, encoder: TextImageEncoder) -> None:
        self.encoder = encoder
        self._texts: tuple[tuple[str, ...], Float32Array] | None = None

    def __call__(self, picture: Picture, records: Sequence[MaskRecord], texts: Sequence[str]) -> Float32Array:
        """(masks, texts) float32 scores between 0 and 1."""
        return self.scores(self.masks(picture, records), texts)

    def masks(self, picture: Picture, records: Sequence[MaskRecord]) -> Float32Array:
        """(M, D): the embeddings of masks. Raises InputError for masks of a picture of another size."""
        for record in records:
            if record.image_hw != picture.image_hw:
                raise InputError(
                    f"a mask is of a picture of {record.image_hw[1]} x {record.image_hw[0]} pixels, this one "
                    f"has {picture.image_hw[1]} x {picture.image_hw[0]}; give masks of this picture"
                )
        return self.encoder.embed_masks(picture, records)

    def scores(self, masks: Float32Array, texts: Sequence[str]) -> Float32Array:
        """(M, N) float32 scores of masks' embeddings (M, D)."""
        if not len(masks):
            return np.zeros((0, len(texts)), np.float32)
        calibration = self.encoder.calibration
        similarities = np.float64(masks @ self._embedded(tuple(texts)).T)
        margins = calibration.scale * similarities - self._background(masks, texts) - calibration.offset
        return (1.0 / (1.0 + np.exp(-np.clip(margins, -80, 80)))).astype(np.float32)

    def _background(self, masks: Float32Array, texts: Sequence[str]) -> np.ndarray:
        """(M, N): the soft maximum of the background's logits; a word that is in the text does not count."""
        calibration = self.encoder.calibration
        logits = calibration.scale * np.float64(masks @ self._background_texts.T)
        whole = _soft_maximum(logits)
        columns = np.repeat(whole[:, None], len(texts), axis=1)
        for column, text in enumerate(texts):
            others = [not _names(word, text) for word in calibration.background]
            if not all(others) and any(others):
                columns[:, column] = _soft_maximum(logits[:, others])
        return columns

    @cached_property
    def _background_texts(self) -> Float32Array:
        return self.encoder.embed_texts(self.encoder.calibration.background)

    def _embedded(self, texts: tuple[str, ...]) -> Float32Array:
        if self._texts is None or self._texts[0] != texts:
            groups = (texts[i : i + TEXTS_AT_ONCE] for i in range(0, len(texts), TEXTS_AT_ONCE))
            self._texts = texts, np.concatenate([self.encoder.embed_texts(group) for group in groups])
        return self._texts[1]


def _soft_maximum(logits: np.ndarray) -> np.ndarray:
    top = logits.max(axis=1)
    soft: np.ndarray = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return soft


def _names(word: str, text: str) -> bool:
    """Whether all words of `word` stand in the text, or the other way round, in the singular or plural."""
    these, those = ({_singular(part) for part in one.lower().split()} for one in (word, text))
    return these <= those or those <= these


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
