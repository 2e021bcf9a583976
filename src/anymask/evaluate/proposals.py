"""Object proposals: how many true masks are among the masks of everything mode.

Average recall as in Segment Anything's paper (arXiv 2304.02643, section 7.3) and for COCO's proposals: the
share of true masks that a picture's first 10, 100 or 1000 masks find, averaged over the IoU thresholds 0.5 to
0.95, whatever their class. Data in which not every object is marked is fine: what is found beyond the true
masks costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from anymask.automatic import generate_masks, preset_settings
from anymask.automatic.crop_rule import resolved
from anymask.core.arrays import BoolArray, Float64Array
from anymask.core.errors import InputError
from anymask.core.record import MaskRecord
from anymask.core.rle import Rle, decode, encode
from anymask.evaluate.boxes import scored_parts
from anymask.evaluate.coco_metrics import SIZES, Judged, Scored, Truth, overlaps, recall_of
from anymask.evaluate.predictors import ModelPredictor, Predictor
from anymask.evaluate.samples import Sample

LIMITS = (10, 100, 1000)
DRAWS = 2000
UNFILTERED: Mapping[str, float] = MappingProxyType(
    {"pred_iou_thresh": 0.0, "stability_score_thresh": 0.0, "box_nms_thresh": 0.9}
)
"""Recall has no use for thresholds: the masks' order takes their place. Duplicates go as in the paper."""
Rank = Literal["mean", "iou", "stability"]


@dataclass(frozen=True)
class ProposalsSettings:
    """How everything mode looks, and which masks come first.

    preset: a name in `anymask.automatic.PRESETS`; None for a grid without thresholds (`UNFILTERED`).
    changes: single settings by name. rank: by predicted IoU, by stability, or by the mean of both (as the
    paper does it).

    Raises InputError for a setting that is not known.
    """

    preset: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    rank: Rank = "mean"

    def __post_init__(self) -> None:
        if self.preset is None:
            object.__setattr__(self, "changes", {**UNFILTERED, **self.changes})
        # An "auto" number of crop layers is worked out for each picture; here a picture of any size will do.
        preset_settings(self.preset, **resolved(self.changes, (1, 1), input_size=1))
        if self.rank not in get_args(Rank):
            raise InputError(f"rank is {self.rank!r}; give one of {', '.join(get_args(Rank))}")

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {"preset": self.preset, **self.changes, "rank": self.rank}


def check_predictors(predictors: Iterable[Predictor]) -> None:
    """Raise InputError for a method that has no everything mode."""
    for one in predictors:
        _model(one)


def evaluate_sample(predictor: Predictor, sample: Sample, settings: ProposalsSettings) -> dict[str, Any]:
    """All masks of a picture against the true ones, as JSON values.

    Raises InputError if the predictor has no everything mode.
    """
    records = generate_masks(_model(predictor).model, sample.picture, settings.preset, **settings.changes)
    parts, scored = scored_parts(sample)
    ranked = sorted(records, key=_key(settings.rank), reverse=True)[: max(LIMITS)]
    found = tuple(_scored(record, scored, settings.rank) for record in ranked)
    truths = [truth for _, truth, _ in parts]
    recall = recall_of(Judged(sample.picture.image_hw, tuple(truths), found), LIMITS)
    return {
        "key": sample.key,
        "source": sample.source,
        "kind": sample.kind,
        "zero_shot": sample.zero_shot,
        "image_hw": sample.picture.image_hw,
        "proposals": len(records),
        "truth": _truth_lines([(number, truth) for number, truth, _ in parts if not truth.crowd], found),
        "objects": dict(recall.objects),
        "hits": {size: {str(k): h.tolist() for k, h in by.items()} for size, by in recall.hits.items()},
    }


def summarise(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of one predictor from its pictures.

    recall: "AR@10" ... "AR@1000" and, by the true masks' size, "AR@10_small" ...; each in [0, 1], None where
    there is no such object. interval_95: bootstrap intervals of these, pictures drawn with replacement.
    mean_over_sources: AR@... of each source, averaged. mean_best_iou: over true masks, the IoU with the best
    of the first 10, 100, 1000 masks.
    """
    sources: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        if line["objects"]["all"]:
            sources.setdefault(line["source"], []).append(line)
    by_source = {name: average_recall(found, ("all",)) for name, found in sorted(sources.items())}
    best = [truth["best_iou"] for line in lines for truth in line["truth"]]
    names = [f"AR@{limit}" for limit in LIMITS]
    return {
        "pictures": len(lines),
        "masks": sum(line["objects"]["all"] for line in lines),
        "sources": len(sources),
        "proposals_per_picture": float(np.mean([line["proposals"] for line in lines])) if lines else 0.0,
        "recall": average_recall(lines),
        "interval_95": _intervals(lines),
        "mean_over_sources": {
            name: float(np.mean([found[name] for found in by_source.values()])) for name in names
        }
        if by_source
        else {},
        "mean_best_iou": {str(k): float(np.mean([b[str(k)] for b in best])) for k in LIMITS} if best else {},
        "by_source": {
            name: {"masks": sum(line["objects"]["all"] for line in sources[name]), **found}
            for name, found in by_source.items()
        },
        "objects": {size: sum(line["objects"][size] for line in lines) for size in SIZES},
    }


def average_recall(
    lines: Sequence[Mapping[str, Any]], sizes: Sequence[str] = SIZES
) -> dict[str, float | None]:
    """Average recall by limit and size: the mean over IoU thresholds of found by existing true masks."""
    found: dict[str, float | None] = {}
    for size in sizes:
        count = sum(line["objects"][size] for line in lines)
        for limit in LIMITS:
            hits = sum(sum(line["hits"][size][str(limit)]) for line in lines)
            found[_name(limit, size)] = hits / (10 * count) if count else None
    return found


def _intervals(lines: Sequence[Mapping[str, Any]], draws: int = DRAWS) -> dict[str, list[float]]:
    """95 % bootstrap intervals of average recall, pictures drawn with replacement."""
    if not lines:
        return {}
    rng = np.random.default_rng(0)
    times = rng.multinomial(len(lines), np.full(len(lines), 1 / len(lines)), size=draws)
    found: dict[str, list[float]] = {}
    for size in SIZES:
        objects = times @ np.array([line["objects"][size] for line in lines])
        some = objects > 0
        for limit in LIMITS:
            hits = times @ np.array([sum(line["hits"][size][str(limit)]) for line in lines])
            if some.any():
                values: Float64Array = hits[some] / (10 * objects[some])
                low, high = np.quantile(values, [0.025, 0.975])
                found[_name(limit, size)] = [float(low), float(high)]
    return found


def _name(limit: int, size: str) -> str:
    return f"AR@{limit}" if size == "all" else f"AR@{limit}_{size}"


def _model(predictor: Predictor) -> ModelPredictor:
    if not isinstance(predictor, ModelPredictor):
        raise InputError(f"{predictor.name} has no everything mode; give a model")
    return predictor


def _key(rank: Rank) -> Callable[[MaskRecord], float]:
    """What a mask is ranked by; where two are alike the order of everything mode stays."""

    def value(record: MaskRecord) -> float:
        score, stability = record.score or 0.0, record.stability or 0.0
        return {"mean": (score + stability) / 2, "iou": score, "stability": stability}[rank]

    return value


def _scored(record: MaskRecord, scored: BoolArray | None, rank: Rank) -> Scored:
    rle = record.rle if scored is None else encode(decode(record.rle) & scored)
    return Scored(rle, _key(rank)(record))


def _truth_lines(truths: Sequence[tuple[int, Truth]], found: Sequence[Scored]) -> list[dict[str, Any]]:
    """For each true mask that is no crowd, the best IoU among the first masks."""
    rles: list[Rle] = [one.rle for one in found]
    table = overlaps(rles, [truth.rle for _, truth in truths])
    lines = []
    for (number, truth), column in zip(truths, table.T, strict=True):
        best = {str(limit): float(column[:limit].max(initial=0.0)) for limit in LIMITS}
        mine = rles[int(column.argmax())].counts if len(column) else None
        about = {"number": number, "label": truth.label, "counts": truth.rle.counts}
        lines.append({**about, "best_iou": best, "best_counts": mine})
    return lines
