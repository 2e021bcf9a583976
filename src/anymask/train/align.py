"""Fit the head of the encoder "words"; `anymask.release.words` is the command.

From labelled masks a linear map is fitted that brings what a mask shows near the vector of its label, in
closed form (ESZSL, Romera-Paredes and Torr, ICML 2015): minutes become seconds, and nothing depends on
chance but which masks are taken.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anymask.core.arrays import Float32Array
from anymask.core.errors import InputError
from anymask.core.images import load_image
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle
from anymask.text.efficientnet import WIDTH
from anymask.text.encoder import Calibration
from anymask.text.head import WordsHead
from anymask.text.looks import FEATURES, Eyes, Looks
from anymask.train.shards import ShardCache

LEAST_AREA = 40
RANK = 128
"""Of the whole map."""
BLEND = 0.35
"""Weight of the mix of ImageNet's classes; 0.2 to 0.5 gave the same for words seen."""

_BLOCK_RANK = 256
_RIDGE, _TEXT_RIDGE = 0.02, 0.1
_WRONG = 3.0  # what all wrong labels of a mask count together, against 1 for the right one
_BRACKETS = re.compile(r" \(.*\)")


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled masks and what they show.

    looks: as `Eyes.look` gives them. labels, pictures, sources: (M,) text.
    """

    looks: Looks
    labels: np.ndarray
    pictures: np.ndarray
    sources: np.ndarray

    def of(self, chosen: np.ndarray) -> Examples:
        """Some of them: (M,) bool or indices."""
        looks = Looks(self.looks.features[chosen], self.looks.classes[chosen])
        return Examples(looks, self.labels[chosen], self.pictures[chosen], self.sources[chosen])

    def save(self, path: Path) -> None:
        """With half precision, to be read by `load`."""
        np.savez(
            path,
            features=self.looks.features.astype(np.float16),
            classes=self.looks.classes.astype(np.float16),
            labels=self.labels,
            pictures=self.pictures,
            sources=self.sources,
        )

    @classmethod
    def load(cls, path: Path) -> Examples:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            looks = Looks(file["features"].astype(np.float32), file["classes"].astype(np.float32))
            return cls(looks, file["labels"], file["pictures"], file["sources"])


def collect(
    cache: ShardCache,
    eyes: Eyes,
    *,
    per_source: int,
    per_picture: int,
    per_label: int,
    report: Callable[[str], None],
) -> Examples:
    """Look at labelled masks: so many pictures a source, masks a picture, masks of a label in it at most."""
    rng = random.Random(0)
    by_source: dict[str, list[int]] = {}
    for index, sample in enumerate(cache.samples):
        by_source.setdefault(sample.source, []).append(index)
    chosen = sorted(i for s in sorted(by_source) for i in _some(by_source[s], per_source, rng))
    features, classes, rows = [], [], []
    for number, index in enumerate(chosen):
        sample = cache.samples[index]
        picked = list(_masks(sample.labels, sample.rles, per_picture, per_label, rng))
        if not picked:
            continue
        records = [MaskRecord.of_rle(rle) for _, rle in picked]
        looks = eyes.look(load_image(np.array(cache.pixels(index))), records)
        features.append(looks.features)
        classes.append(looks.classes)
        rows += [(label, sample.key, sample.source) for label, _ in picked]
        if number % 200 == 0:
            report(f"{number} of {len(chosen)} pictures, {len(rows)} masks")
    if not rows:
        raise InputError("the shards hold no labelled mask; give shards whose masks have labels")
    labels, pictures, sources = (np.array(column) for column in zip(*rows, strict=True))
    return Examples(Looks(np.concatenate(features), np.concatenate(classes)), labels, pictures, sources)


def _some(indices: Sequence[int], count: int, rng: random.Random) -> list[int]:
    return rng.sample(list(indices), min(count, len(indices)))


def _masks(
    labels: Sequence[str | None], rles: Sequence[Any], most: int, per_label: int, rng: random.Random
) -> Iterator[tuple[str, Rle]]:
    order = rng.sample(range(len(labels)), len(labels))
    taken: Counter[str] = Counter()
    for place in order:
        label = labels[place]
        if label is None or taken[label] >= per_label or taken.total() >= most:
            continue
        rle = Rle.from_coco(rles[place])
        if rle.area >= LEAST_AREA:
            taken[label] += 1
            yield label, rle


def spoken(label: str) -> str:
    """A label as people say it: without what stands in brackets."""
    return _BRACKETS.sub("", label)


def is_held_out(name: str, one_in: int) -> bool:
    """Whether a picture or a word is kept from fitting: one in so many, by its name alone."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % one_in == 0


@dataclass(frozen=True, eq=False)
class Linear:
    """features -> vectors: clipped((features - mean) / deviation) @ down @ up."""

    mean: Float32Array
    deviation: Float32Array
    down: Float32Array
    up: Float32Array


def fit(examples: Examples, vocabulary: Sequence[str], texts: Float32Array) -> Linear:
    """The map for masks with labels in `vocabulary`, whose vectors are `texts` (N, D).

    Rare labels count for more than their masks, common ones for less: each by the root of its masks' number.
    """
    number = {label: place for place, label in enumerate(vocabulary)}
    right = np.array([number[label] for label in examples.labels])
    features = examples.looks.features
    mean = features.mean(axis=0)
    deviation = features.std(axis=0) + np.float32(0.01) * features.std()
    normal = np.clip((features - mean) / deviation, -5, 5)
    basis = _block_bases(normal)
    reduced = normal @ basis
    weight = (1 / np.sqrt(np.bincount(right, minlength=len(vocabulary))[right])).astype(np.float32)
    weight /= weight.mean()
    wanted = np.full((len(right), len(vocabulary)), -_WRONG / len(vocabulary), np.float32)
    wanted[np.arange(len(right)), right] = 1
    weighted = reduced * weight[:, None]
    inner = weighted.T @ reduced + _RIDGE * len(right) * np.eye(reduced.shape[1], dtype=np.float32)
    outer = texts.T @ texts + _TEXT_RIDGE * np.eye(texts.shape[1], dtype=np.float32)
    linear = np.linalg.solve(inner, weighted.T @ wanted @ texts) @ np.linalg.inv(outer)
    outputs = reduced @ linear
    _, directions = np.linalg.eigh(outputs.T @ outputs)
    strongest = directions[:, ::-1][:, :RANK].astype(np.float32)
    down = (basis @ (linear @ strongest)).astype(np.float32)
    return Linear(mean.astype(np.float32), deviation.astype(np.float32), down, strongest.T.copy())


def _block_bases(normal: Float32Array) -> Float32Array:
    """(FEATURES, R): the strongest directions of each block of features, all of the shape's."""
    columns = []
    for start in range(0, FEATURES, WIDTH):
        block = normal[:, start : start + WIDTH]
        _, directions = np.linalg.eigh(block.T @ block)
        part = np.zeros((FEATURES, min(_BLOCK_RANK, block.shape[1])), np.float32)
        part[start : start + block.shape[1]] = directions[:, ::-1][:, :_BLOCK_RANK]
        columns.append(part)
    return np.concatenate(columns, axis=1)


def make_head(
    linear: Linear, classes: Float32Array, calibration: Calibration, about: dict[str, Any]
) -> WordsHead:
    """The head of a fitted map."""
    return WordsHead(
        linear.mean, linear.deviation, linear.down, linear.up, classes, BLEND, calibration, about
    )
