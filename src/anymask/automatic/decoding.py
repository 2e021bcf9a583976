"""Clicks on an image and its crops, and the masks that the model answers with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from anymask.automatic.candidates import is_stable, passes_score
from anymask.automatic.crops import Crop, image_crops
from anymask.automatic.memory import clicks_that_fit
from anymask.automatic.sampling import Sampler, make_sampler
from anymask.automatic.settings import AutomaticSettings
from anymask.core.arrays import Float32Array, Float64Array
from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import EmbeddingError, InputError
from anymask.core.images import ImageSource, Picture, load_image
from anymask.predict.model import AMBIGUITY_MASKS, Model
from anymask.predict.runtime import INCLUDE, NOT_A_POINT, PromptBatch


class Decoded(NamedTuple):
    """One answer to one click.

    logits: (h, w) float32, low resolution, of the crop. score: predicted IoU. point_xy: the click, pixels of
    the crop.
    """

    logits: Float32Array
    score: float
    point_xy: tuple[float, float]


class Views:
    """An image and its crops, each embedded when its turn comes."""

    def __init__(
        self, model: Model, source: ImageSource | Picture | ImageEmbedding, settings: AutomaticSettings
    ) -> None:
        """Embed the image, unless `source` is its embedding.

        Raises ImageError, EmbeddingError for another model's embedding, InputError for an embedding where
        settings ask for crops.
        """
        self._model, self._settings = model, settings
        self._picture, self.embedding = _look_at(model, source, settings)
        self.crops = image_crops(self.embedding.image_hw, settings.crop_n_layers, settings.crop_overlap_ratio)

    def decode(self, crop: Crop, min_score: float) -> Iterator[Decoded]:
        """The masks of one crop whose score is above `min_score` (0: all), in order of the clicks.

        One chunk of clicks is held at a time.
        """
        embedding, settings, spec = self._embedding_of(crop), self._settings, self._model.spec
        height, width = embedding.image_hw
        clicks = settings.grids[crop.layer] * np.array([width, height])
        cells = embedding.frame.points_to_input(clicks) * (spec.mask_size / spec.input_size)
        regular = settings.point_grids is None
        sampler = make_sampler(settings.sampling, cells, (spec.mask_size,) * 2, regular=regular)
        for chosen in sampler.rounds():
            start = 0
            while start < len(chosen):
                size = clicks_that_fit(settings.max_memory, spec, settings.points_per_batch)
                some = clicks[chosen[start : start + size]]
                yield from _decode(self._model, embedding, some, min_score, self._sees(sampler))
                start += size

    def _sees(self, sampler: Sampler) -> Callable[[Float32Array, Float32Array], None]:
        """Tells the sampler of the masks (T, h, w) of a click with scores (T,) that are good."""
        settings = self._settings
        offset = settings.stability_score_offset

        def see(masks: Float32Array, scores: Float32Array) -> None:
            strict, loose = ((masks > edge).sum(axis=(1, 2)) for edge in (offset, -offset))
            stabilities = strict / np.maximum(loose, 1)  # at low resolution: near enough to choose clicks by
            good = [
                passes_score(score, settings.pred_iou_thresh)
                and is_stable(stability, settings.stability_score_thresh)
                for score, stability in zip(scores, stabilities, strict=True)
            ]
            if any(good):
                sampler.covered(masks[good])

        return see

    def _embedding_of(self, crop: Crop) -> ImageEmbedding:
        if crop.layer == 0:
            return self.embedding
        assert self._picture is not None  # there are crops only of pictures
        return self._model.embed(Picture(self._picture.pixels[crop.window.slices], self._picture.name))


def _look_at(
    model: Model, source: ImageSource | Picture | ImageEmbedding, settings: AutomaticSettings
) -> tuple[Picture | None, ImageEmbedding]:
    """The picture, where there is one, and its embedding."""
    if not isinstance(source, ImageEmbedding):
        picture = load_image(source)
        return picture, model.embed(picture)
    if source.model_sha256 != model.sha256:
        raise EmbeddingError(
            f"the embedding was made by {source.model}, this model is {model.spec.full_name}; "
            "embed the image again with this model"
        )
    if settings.crop_n_layers > 0:
        raise InputError("an embedding has no pixels to crop; give the image, or crop_n_layers=0")
    return None, source


def _decode(
    model: Model,
    embedding: ImageEmbedding,
    clicks: Float64Array,
    min_score: float,
    see: Callable[[Float32Array, Float32Array], None],
) -> Iterator[Decoded]:
    answer = model.runtime.decode(
        embedding.features,
        _click_batch(embedding.frame.points_to_input(clicks)),
        tokens=AMBIGUITY_MASKS,
        min_score=min_score if min_score > 0 else None,
    )
    for masks, number in zip(answer.logits, answer.index, strict=True):
        see(masks, answer.scores[number])
        x, y = clicks[number]
        for logits, score in zip(masks, answer.scores[number], strict=True):
            if passes_score(score, min_score):
                yield Decoded(logits, float(score), (float(x), float(y)))


def _click_batch(points_xy: Float32Array) -> PromptBatch:
    """One prompt per click: the click and the token that says there is no box."""
    padded = np.stack([points_xy, np.zeros_like(points_xy)], axis=1)
    return PromptBatch(padded, np.tile(np.array([INCLUDE, NOT_A_POINT], np.int32), (len(padded), 1)))
