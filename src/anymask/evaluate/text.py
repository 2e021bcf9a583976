"""How well an encoder knows what masks show: labels of true masks, and finding by words among all masks.

Three questions, on data whose masks have labels:
- naming: of all labels of the data, does the true one fit a true mask best (top-1)?
- ranking: of all true masks of the data, do those with a label come first for that label (mean average
  precision over labels)?
- finding: among all masks that a model finds in a picture, is something found for a label that the picture
  shows (recall: a hit overlaps a true mask of that label with an IoU of 0.5), and nothing for the others
  (false positive rate)? Not everything in a picture is labelled, so that some false positives are none.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from anymask.automatic import generate_masks
from anymask.core.arrays import BoolArray, Float32Array
from anymask.core.images import Picture
from anymask.core.record import MaskRecord
from anymask.evaluate.predictors import Scene
from anymask.evaluate.samples import Sample
from anymask.predict.model import Model
from anymask.text.encoder import TextImageEncoder
from anymask.text.finding import LEAST_AREA
from anymask.text.scoring import TextScorer, sigmoid

OVERLAP: Final = 0.5
TRUE, FOUND = "true", "found"


class EncoderPredictor:
    """An encoder as the runs of `evaluate` take it; it answers no prompts."""

    def __init__(self, encoder: TextImageEncoder) -> None:
        self.encoder = encoder
        self.name = encoder.name
        self.sha256 = encoder.sha256

    def open(self, picture: Picture) -> Scene:
        """Never asked for."""
        raise NotImplementedError("an encoder of texts answers no prompts")


def evaluate_sample(
    encoder: TextImageEncoder, sample: Sample, model: Model | None, *, per_label: int
) -> list[dict[str, Any]]:
    """A line for each labelled true mask, and with a model for each mask that it finds; JSON values.

    per_label: true masks of one label in a picture at most, the largest.
    """
    scorer = TextScorer(encoder)
    true = [(mask.label, MaskRecord.of_mask(mask.mask)) for mask in sample.masks if mask.label is not None]
    true = [(label, record) for label, record in true if record.area >= LEAST_AREA]
    true.sort(key=lambda pair: -pair[1].area)
    kept = [pair for place, pair in enumerate(true) if _nth(true, place) < per_label]
    lines = [
        {**_about(sample), "of": TRUE, "label": label, "vector": _packed(vector)}
        for (label, _), vector in zip(kept, scorer.masks(sample.picture, [r for _, r in kept]), strict=True)
    ]
    if model is None or not true:
        return lines
    found = [record for record in generate_masks(model, sample.picture) if record.area >= LEAST_AREA]
    vectors = scorer.masks(sample.picture, found)
    for record, vector in zip(found, vectors, strict=True):
        hits = sorted({label for label, one in true if _iou(record, one) >= OVERLAP})
        lines.append({**_about(sample), "of": FOUND, "labels": hits, "vector": _packed(vector)})
    return lines


def summarise(encoder: TextImageEncoder, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of one encoder: of "all" labels, and of "seen" and "unseen" ones where it tells them apart.

    masks, labels: how many. top_1: share of true masks whose own label fits best. top_1_over_labels: the mean
    of each label's share. mean_ap. With masks that were searched: recall, false_positive_rate at the
    encoder's threshold, and recall_at: recall at the thresholds that give 1, 2 and 5 % false positives.
    """
    true = [line for line in lines if line["of"] == TRUE]
    vocabulary = sorted({line["label"] for line in true})
    if not true:
        return {"masks": 0, "labels": 0}
    scorer = TextScorer(encoder)
    margins = scorer.margins(_vectors(true), vocabulary)
    right = np.array([vocabulary.index(line["label"]) for line in true])
    found = [line for line in lines if line["of"] == FOUND]
    searched = _Searched(true, found, scorer, vocabulary) if found else None
    groups = {"all": np.ones(len(vocabulary), bool)}
    if encoder.taught:
        groups["seen"] = np.array([label in encoder.taught for label in vocabulary])
        groups["unseen"] = ~groups["seen"]
    figures = {
        name: {
            **_naming(margins, right, chosen),
            **(searched.figures(chosen, encoder.calibration.threshold) if searched else {}),
        }
        for name, chosen in groups.items()
    }
    return {
        "masks": len(true),
        "labels": len(vocabulary),
        "pictures": len({t["key"] for t in true}),
        **figures,
    }


def _naming(margins: np.ndarray, right: np.ndarray, chosen: BoolArray) -> dict[str, Any]:
    own = chosen[right]
    best = margins.argmax(axis=1) == right
    present = [label for label in np.unique(right) if chosen[label]]
    if not present:
        return {"masks": 0, "labels": 0}
    return {
        "masks": int(own.sum()),
        "labels": len(present),
        "top_1": float(best[own].mean()),
        "top_1_over_labels": float(np.mean([best[right == label].mean() for label in present])),
        "mean_ap": float(np.mean([average_precision(margins[:, k], right == k) for k in present])),
    }


def average_precision(scores: np.ndarray, wanted: BoolArray) -> float:
    """The mean of the precision at each wanted entry, in the order of falling scores; 0 if none is wanted."""
    ranked = wanted[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean()) if ranked.any() else 0.0


class _Searched:
    """For every picture and label: the best score of any mask, and that of a mask which is right."""

    def __init__(
        self,
        true: Sequence[Mapping[str, Any]],
        found: Sequence[Mapping[str, Any]],
        scorer: TextScorer,
        vocabulary: Sequence[str],
    ) -> None:
        pictures = sorted({line["key"] for line in true} & {line["key"] for line in found})
        number = {key: place for place, key in enumerate(pictures)}
        found = [line for line in found if line["key"] in number]
        offset = scorer.encoder.calibration.offset
        scores = sigmoid(scorer.margins(_vectors(found), vocabulary) - offset)
        shape = len(pictures), len(vocabulary)
        self.best, self.best_right = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.shown = np.zeros(shape, bool)
        self.reachable = np.zeros(shape, bool)
        for line in true:
            if line["key"] in number:
                self.shown[number[line["key"]], vocabulary.index(line["label"])] = True
        for line, row in zip(found, scores, strict=True):
            place = number[line["key"]]
            self.best[place] = np.maximum(self.best[place], row)
            for label in set(line["labels"]) & set(vocabulary):
                k = vocabulary.index(label)
                self.best_right[place, k] = max(self.best_right[place, k], row[k])
                self.reachable[place, k] = True

    def figures(self, chosen: BoolArray, threshold: float) -> dict[str, Any]:
        """Of some labels. reachable: the share of what is shown that some mask overlaps."""
        shown, absent = self.shown & chosen, ~self.shown & chosen
        if not shown.any() or not absent.any():
            return {}
        right, wrong = self.best_right[shown], self.best[absent]
        return {
            "searched_pictures": len(self.shown),
            "shown": int(shown.sum()),
            "reachable": float(self.reachable[shown].mean()),
            "recall": float((right >= threshold).mean()),
            "false_positive_rate": float((wrong >= threshold).mean()),
            "recall_at": {
                f"{rate:.0%}": float((right > np.quantile(wrong, 1 - rate)).mean())
                for rate in (0.01, 0.02, 0.05)
            },
        }


def _about(sample: Sample) -> dict[str, Any]:
    return {"key": sample.key, "source": sample.source, "zero_shot": sample.zero_shot}


def _nth(true: Sequence[tuple[str | None, MaskRecord]], place: int) -> int:
    """How many with the same label come before."""
    return sum(label == true[place][0] for label, _ in true[:place])


def _iou(first: MaskRecord, second: MaskRecord) -> float:
    from pycocotools import mask as coco

    return float(coco.iou([first.rle.to_coco()], [second.rle.to_coco()], [0])[0, 0])


def _packed(vector: Float32Array) -> str:
    return base64.b64encode(vector.astype("<f2").tobytes()).decode("ascii")


def _vectors(lines: Sequence[Mapping[str, Any]]) -> Float32Array:
    rows = [np.frombuffer(base64.b64decode(line["vector"]), "<f2") for line in lines]
    return np.stack(rows).astype(np.float32)
