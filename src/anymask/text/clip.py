"""CLIP over masks: each mask is shown to the image tower cut out, texts go through the text tower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np

from anymask.core.arrays import Float32Array
from anymask.core.errors import FormatError, InputError, ModelError
from anymask.core.images import Picture
from anymask.core.record import MaskRecord
from anymask.models.checkpoint import read_checkpoint
from anymask.models.clip.config import ClipConfig
from anymask.models.clip.importer import VOCABULARY
from anymask.models.clip.vocabulary import Vocabulary
from anymask.models.folder import ModelFolder
from anymask.text.bpe import BpeTokenizer
from anymask.text.crops import crops_of
from anymask.text.encoder import Calibration, padded, unit
from anymask.text.graph import Network
from anymask.text.transformer import clip_image_network, clip_text_network

CROPS_AT_ONCE: Final = 8
TEXTS_AT_ONCE: Final = 64
MARGIN: Final = 0.1
TEMPLATE: Final = "a photo of {}"
"""What CLIP was trained on are captions, so a name alone is put into one (arXiv 2103.00020, 3.1.4)."""

_CAPTION_WORDS: Final = 4
"""A text of more words than this is taken for a caption already."""


class ClipEncoder:
    """A `TextImageEncoder` made of a CLIP model folder (`anymask models import`).

    The embedding of a mask is the mean of two looks: the mask on a plain ground, and in its surroundings.
    precision, threads: as in `anymask.load`. Raises ModelError for a folder that is no CLIP's.
    """

    def __init__(self, folder: ModelFolder, *, precision: str = "fast", threads: int | None = None) -> None:
        if folder.spec.architecture != "clip":
            raise ModelError(f"{folder.spec.full_name} is no CLIP but a {folder.spec.architecture}.")
        self.name = folder.spec.full_name
        self.sha256 = folder.sha256
        self.taught: frozenset[str] = frozenset()  # captions of all kinds
        self.config = ClipConfig.from_json(folder.spec.config["network"])
        self._weights = read_checkpoint(folder.weights)
        self._tokenizer = BpeTokenizer(Vocabulary.read(folder.file(VOCABULARY)))
        self._precision, self._threads = precision, threads
        self.calibration = self._calibration(folder.spec.config.get("calibration", {}))

    def embed_texts(self, texts: Sequence[str]) -> Float32Array:
        """See `TextImageEncoder`. A text of few words is read as "a photo of ..."."""
        return self.embed_captions([_caption(text) for text in texts])

    def embed_captions(self, captions: Sequence[str]) -> Float32Array:
        """(N, D): the captions as they are. Raises InputError for one with too many tokens."""
        tokens = [self._tokenizer.encode(caption) for caption in captions]
        for caption, numbers in zip(captions, tokens, strict=True):
            if len(numbers) > self.config.context:
                raise InputError(
                    f"a text has {len(numbers) - 2} tokens, {self.name} reads {self.config.context - 2}; "
                    f"shorten {caption[:40]!r}..."
                )
        groups = [tokens[i : i + TEXTS_AT_ONCE] for i in range(0, len(tokens), TEXTS_AT_ONCE)]
        return unit(np.concatenate([self._text(group) for group in groups]))

    def embed_masks(self, picture: Picture, records: Sequence[MaskRecord]) -> Float32Array:
        """See `TextImageEncoder`."""
        size, mean = self.config.image_size, self.config.pixel_mean
        looks: list[Float32Array] = []
        for start in range(0, len(records), CROPS_AT_ONCE):
            group = records[start : start + CROPS_AT_ONCE]
            crops = list(crops_of(picture, group, size, MARGIN, mean))
            views = np.stack([view for crop in crops for view in (crop.painted(mean), crop.pixels)])
            both = unit(self.embed_pixels(views)).reshape(len(group), 2, -1)
            looks.append(both.mean(axis=1))
        return unit(np.concatenate([np.zeros((0, self.config.embed_dim), np.float32), *looks]))

    def embed_pixels(self, pixels: np.ndarray) -> Float32Array:
        """(B, S, S, 3) uint8 RGB -> (B, D), not of length 1: the image tower on whole squares."""
        mean = np.array(self.config.pixel_mean, np.float32)
        std = np.array(self.config.pixel_std, np.float32)
        normal = ((pixels - mean) / std).transpose(0, 3, 1, 2)
        embedding: Float32Array = self._image_network(normal.astype(np.float32))["embedding"]
        return embedding

    def _calibration(self, given: Mapping[str, Any]) -> Calibration:
        """What the manifest says; else the temperature that the model was trained with, and one half."""
        try:
            own = {**given, "background": tuple(given["background"])} if "background" in given else given
            return Calibration(**{"scale": float(np.exp(self._weights["logit_scale"])), **own})
        except TypeError as error:
            raise FormatError(
                f"the manifest's calibration is not one ({error}); import the model again"
            ) from error

    def _text(self, tokens: Sequence[Sequence[int]]) -> Float32Array:
        last = np.array([[len(numbers) - 1] for numbers in tokens], np.int64)
        embedding: Float32Array = self._text_network(padded(tokens), last)["embedding"]
        return embedding

    @cached_property
    def _image_network(self) -> Network:
        return clip_image_network(
            self.config, self._weights, precision=self._precision, threads=self._threads
        )

    @cached_property
    def _text_network(self) -> Network:
        return clip_text_network(self.config, self._weights, precision=self._precision, threads=self._threads)


def _caption(text: str) -> str:
    return text if len(text.split()) > _CAPTION_WORDS else TEMPLATE.format(text)
