"""Which picture to label next: the one the model is least sure of, and unlike those chosen before.

Uncertainty alone picks the same hard thing again and again; the farthest-first rule of core-set selection
(Sener and Savarese, arXiv 1708.00489) spreads the choice, weighted by uncertainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anymask.core.arrays import Float32Array
from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import InputError
from anymask.core.images import ImageSource, Picture
from anymask.core.prompt import Prompt
from anymask.predict.model import Model

GRID = 6  # clicks a side


@dataclass(frozen=True, eq=False)
class Look:
    """What one look at a picture tells.

    uncertainty: 1 - the best predicted IoU, mean over a grid of clicks, in [0, 1]. features: (C,) float32 of
    unit length, the mean of the picture's coarsest features.
    """

    uncertainty: float
    features: Float32Array


def look_at(model: Model, source: ImageSource | Picture | ImageEmbedding) -> Look:
    """Embed a picture, click a grid of points, and keep what `most_informative` needs.

    Raises ImageError, EmbeddingError.
    """
    embedding = source if isinstance(source, ImageEmbedding) else model.embed(source)
    height, width = embedding.image_hw
    places = (np.arange(GRID) + 0.5) / GRID
    prompts = [Prompt.click(float(x * width), float(y * height)) for y in places for x in places]
    answers = model.predict_many(embedding, prompts, multimask=True)
    best = np.array([max(candidate.score for candidate in answer) for answer in answers])
    return Look(float(np.clip(1 - best, 0, 1).mean()), pooled(embedding))


def pooled(embedding: ImageEmbedding) -> Float32Array:
    """The mean over all places of the coarsest features, of unit length."""
    coarsest = min(embedding.features.values(), key=lambda feature: feature.shape[-2] * feature.shape[-1])
    mean = np.asarray(coarsest, np.float32).reshape(coarsest.shape[-3], -1).mean(1)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def most_informative(looks: Sequence[Look], labelled: Sequence[Look] = (), *, most: int = 0) -> list[int]:
    """Indices of `looks`, the most informative picture first.

    labelled: pictures that are labelled already, to which the choice is to be unlike. Each step takes the
    picture with the largest product of uncertainty and distance to the nearest picture taken or labelled
    (1 - cosine similarity); without any, the most uncertain one. most: stop after so many; 0: order all.
    Raises InputError if the features are of different models.
    """
    if not looks:
        return []
    if len({look.features.shape for look in (*looks, *labelled)}) > 1:
        raise InputError("the pictures were looked at with different models; look at all with one")
    features = np.stack([look.features for look in looks])
    uncertainty = np.array([look.uncertainty for look in looks]) + 1e-6
    distance = np.full(len(looks), 2.0)
    for look in labelled:
        distance = np.minimum(distance, 1 - features @ look.features)
    order: list[int] = []
    open_ = np.ones(len(looks), bool)
    while open_.any() and (not most or len(order) < most):
        worth = np.where(open_, uncertainty * np.maximum(distance, 1e-6), -1.0)
        best = int(worth.argmax())
        order.append(best)
        open_[best] = False
        distance = np.minimum(distance, 1 - features @ features[best])
    return order
