"""How well texts fit masks: an encoder's similarities made into scores."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from anymask.core.arrays import Float32Array, Float64Array
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
        return sigmoid(self.margins(masks, texts) - self.encoder.calibration.offset)

    def margins(self, masks: Float32Array, texts: Sequence[str]) -> Float64Array:
        """(M, N): how far each text outdoes the background, before the calibration's offset."""
        calibration, known = self.encoder.calibration, self._embedded(tuple(texts))
        logits = calibration.scale * (masks @ self._background_texts.T).astype(np.float64)
        margins: Float64Array = calibration.scale * (masks @ known.T).astype(np.float64)
        rivals = known @ self._background_texts.T < calibration.near
        patterns, of_column = np.unique(rivals, axis=0, return_inverse=True)  # few: most texts are near none
        for number, others in enumerate(patterns):
            if others.any():
                margins[:, of_column.reshape(-1) == number] -= _soft_maximum(logits[:, others])[:, None]
        return margins

    @cached_property
    def _background_texts(self) -> Float32Array:
        return self.encoder.embed_texts(self.encoder.calibration.background)

    def _embedded(self, texts: tuple[str, ...]) -> Float32Array:
        if self._texts is None or self._texts[0] != texts:
            groups = (texts[i : i + TEXTS_AT_ONCE] for i in range(0, len(texts), TEXTS_AT_ONCE))
            self._texts = texts, np.concatenate([self.encoder.embed_texts(group) for group in groups])
        return self._texts[1]


def _soft_maximum(logits: Float64Array) -> Float64Array:
    top = logits.max(axis=1)
    soft: Float64Array = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return soft


def sigmoid(margins: Float64Array) -> Float32Array:
    """1 / (1 + exp(-x))."""
    scores: Float32Array = (1.0 / (1.0 + np.exp(-np.clip(margins, -80, 80)))).astype(np.float32)
    return scores
