"""Find things by words: all masks of a picture, kept where a text fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from anymask.automatic import generate_masks
from anymask.core.arrays import Float32Array
from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import EmbeddingError, InputError
from anymask.core.images import ImageSource, Picture, load_image
from anymask.core.record import MaskRecord
from anymask.predict.model import Model
from anymask.text.encoder import TextImageEncoder, check_texts
from anymask.text.known import encoder_of
from anymask.text.scoring import TextScorer

LEAST_AREA = 40
"""Pixels of the smallest mask that is looked at."""
SCORE = "label_score"
"""The attribute of a record that says how well its label fits."""

_SAME_IOU = 0.7
_INSIDE = 0.9


def find(
    model: Model,
    source: ImageSource | Picture,
    texts: str | Sequence[str],
    *,
    encoder: str | TextImageEncoder | None = None,
    threshold: float | None = None,
    most: int | None = None,
    records: Sequence[MaskRecord] | None = None,
    embedding: ImageEmbedding | None = None,
    preset: str | None = None,
    **overrides: Any,
) -> list[MaskRecord]:
    """What a picture shows of what texts name; an empty list if it shows none of it.

    source: as for `model.embed`. texts: one, or up to 10,000 different ones; a mask gets the one that fits
        it best.
    encoder: a name or path (see `known.encoder_of`), or any `TextImageEncoder`; None takes the best one here.
    threshold: least score, 0 to 1; None: the encoder's own, calibrated. most: hits at most.
    records: masks to look among; None finds all masks first (`preset` and single settings as in
        `model.everything`). embedding: of this picture by this model, where there is one already.

    Returns masks, the best fit first, with `label` the text and the score in attributes["label_score"]; of
    masks with the same label that cover the same thing, the best.
    Raises InputError (texts, threshold), ImageError, EmbeddingError, MissingExtraError (no encoder).
    """
    texts = check_texts(texts)
    scorer = TextScorer(encoder_of(encoder, threads=model.threads))
    least = scorer.encoder.calibration.threshold if threshold is None else threshold
    if not 0 <= least <= 1:
        raise InputError(
            f"threshold is {threshold!r}; give a number from 0 to 1, or None for the encoder's own"
        )
    if most is not None and (not isinstance(most, int) or most < 1):
        raise InputError(f"most is {most!r}; give a whole number from 1, or None for all")
    if records is not None and (preset is not None or overrides):
        raise InputError("records are given, so nothing is searched; leave preset and settings out")
    picture = load_image(source)
    if embedding is not None and embedding.image_sha256 != picture.sha256:
        raise EmbeddingError("the embedding is of another picture; give that picture, or leave it out")
    if records is None:
        records = generate_masks(model, embedding or picture, preset, **overrides)
    return find_among(scorer, picture, records, texts, least)[:most]


def find_among(
    scorer: TextScorer,
    picture: Picture,
    records: Sequence[MaskRecord],
    texts: Sequence[str],
    threshold: float,
) -> list[MaskRecord]:
    """The masks with a score of at least `threshold`, labelled, the best first, each thing once."""
    seen = [record for record in records if record.area >= LEAST_AREA]
    scores = scorer(picture, seen, texts)
    hits = ranked(seen, scores, texts, threshold, scorer.encoder.name)
    return _each_once(hits)


def ranked(
    records: Sequence[MaskRecord], scores: Float32Array, texts: Sequence[str], threshold: float, encoder: str
) -> list[MaskRecord]:
    """Every record whose best text reaches the threshold, with that text as its label; the best first.

    scores: (masks, texts)."""
    if not len(records):
        return []
    places, tops = scores.argmax(axis=1), scores.max(axis=1)
    return [
        replace(
            records[i],
            label=texts[places[i]],
            attributes={**records[i].attributes, SCORE: round(float(tops[i]), 4), "label_from": encoder},
        )
        for i in np.argsort(-tops, kind="stable").tolist()
        if tops[i] >= threshold
    ]


def _each_once(hits: Sequence[MaskRecord]) -> list[MaskRecord]:
    """Without masks that show what a better one of the same label shows, or a part or the whole of it."""
    from pycocotools import mask as coco

    kept: list[MaskRecord] = []
    for hit in hits:
        rivals = [one.rle.to_coco() for one in kept if one.label == hit.label]
        if rivals:
            own = [hit.rle.to_coco()]
            same = coco.iou(own, rivals, [0] * len(rivals)).max() > _SAME_IOU
            part = coco.iou(own, rivals, [1] * len(rivals)).max() > _INSIDE  # of "crowds": the share inside
            whole = coco.iou(rivals, own, [1]).max() > _INSIDE
            if same or part or whole:
                continue
        kept.append(hit)
    return kept
