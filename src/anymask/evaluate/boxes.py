"""From boxes to masks: the true masks' own boxes, or those of a detector.

The instance segmentation of Segment Anything's paper (arXiv 2304.02643, section 7.4): a detector's boxes are
the prompts, its scores and classes are kept, and COCO's mask AP judges the result. With the true boxes the
mean IoU says how well masks follow from boxes, whatever a detector misses.

Pixels that the data does not score are taken out of true masks and found ones alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from anymask.core.arrays import BoolArray
from anymask.core.masks import mask_box
from anymask.core.rle import Rle, encode
from anymask.evaluate.coco_metrics import Judged, Scored, Truth, average_precision, overlaps
from anymask.evaluate.detections import Detection, Detections
from anymask.evaluate.interactive import size_class
from anymask.evaluate.predictors import Answer, Box, Predictor, Request
from anymask.evaluate.report import Outcome
from anymask.evaluate.samples import Sample
from anymask.evaluate.summary import grouped, mean_of, means, picture_interval, source_interval

_AT_ONCE = 64  # boxes whose masks are in memory together


@dataclass(frozen=True)
class BoxesSettings:
    """Which boxes are given.

    detections: a detector's; None for the true masks' own. class_agnostic: labels do not count in AP.
    """

    detections: Detections | None = None
    class_agnostic: bool = False

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        file = self.detections
        boxes: Any = "true" if file is None else {"file": file.name, "sha256": file.sha256}
        return {"boxes": boxes, "class_agnostic": self.class_agnostic}


def scored_parts(sample: Sample) -> tuple[list[tuple[int, Truth, BoolArray]], BoolArray | None]:
    """(number, truth, (H, W) bool) of the true masks with a scored pixel, and the pixels that are scored.

    The second is None if all are. What one mask of a picture says of them goes for all.
    """
    ignored = [true.ignore for true in sample.masks if true.ignore is not None]
    scored = ~np.logical_or.reduce(ignored) if ignored else None
    parts = []
    for number, true in enumerate(sample.masks):
        mask = true.mask if scored is None else true.mask & scored
        if mask.any():
            area = true.area if scored is None else None
            parts.append((number, Truth(encode(mask), true.label, true.crowd, area), mask))
    return parts, scored


def evaluate_sample(predictor: Predictor, sample: Sample, settings: BoxesSettings) -> dict[str, Any]:
    """Give all boxes of a picture; return what was found, as JSON values, with the true masks."""
    parts, scored = scored_parts(sample)
    wanted: list[tuple[int | None, Detection]]
    if settings.detections is None:
        wanted = [(n, Detection(_box_of(mask), 1.0, t.label)) for n, t, mask in parts if not t.crowd]
    else:
        wanted = [(None, one) for one in settings.detections.by_key.get(sample.key, ())]
    answers = _answers(predictor, sample, [one.box_xyxy for _, one in wanted])
    found = []
    for (number, one), (counts, guess) in zip(wanted, _encoded(answers, scored), strict=True):
        # The true boxes are all alike: what the predictor thinks of its masks ranks them.
        score = one.score if settings.detections is not None or guess is None else guess
        found.append(
            {"of": number, "label": one.label, "score": score, "box_xyxy": one.box_xyxy, "counts": counts}
        )
    truth = [
        {"number": n, "label": t.label, "crowd": t.crowd, "area": t.area, "counts": t.rle.counts}
        for n, t, _ in parts
    ]
    return {
        "key": sample.key,
        "source": sample.source,
        "kind": sample.kind,
        "zero_shot": sample.zero_shot,
        "image_hw": sample.picture.image_hw,
        "truth": truth,
        "found": found,
    }


def summarise(lines: Sequence[Mapping[str, Any]], *, class_agnostic: bool = False) -> dict[str, Any]:
    """The figures of one predictor from its pictures.

    coco: COCO's twelve numbers. The others are means of one figure, "box": the IoU of each true mask (no
    crowds) with the mask for its box or, with a detector's boxes, with the best mask of its class.
    """
    outcomes = [outcome for line in lines for outcome in outcomes_of(line, class_agnostic=class_agnostic)]
    by_source = grouped(outcomes, lambda row: row.source)
    by_size = grouped(outcomes, lambda row: row.size)
    sources = {name: means(found) for name, found in sorted(by_source.items())}
    zero_shot = {name for name, found in by_source.items() if found[0].zero_shot}
    return {
        "pictures": len(lines),
        "masks": len(outcomes),
        "boxes": sum(len(line["found"]) for line in lines),
        "sources": len(sources),
        "coco": average_precision([judged(line) for line in lines], class_agnostic=class_agnostic),
        "mean_over_sources": mean_of(sources.values()),
        "interval_95": source_interval(sources.values()),
        "mean_over_trained_sources": mean_of(v for name, v in sources.items() if name not in zero_shot),
        "mean_over_zero_shot_sources": mean_of(v for name, v in sources.items() if name in zero_shot),
        "mean_over_masks": means(outcomes),
        "interval_95_over_masks": picture_interval(outcomes),
        "by_source": {name: {"masks": len(by_source[name]), **value} for name, value in sources.items()},
        "by_size": {
            size: {"masks": len(by_size[size]), **means(by_size[size])}
            for size in ("small", "medium", "large")
            if size in by_size
        },
    }


def judged(line: Mapping[str, Any]) -> Judged:
    """A picture's line as COCO's figures need it."""
    size = _size(line)
    truths = [Truth(Rle(size, t["counts"]), t["label"], t["crowd"], t["area"]) for t in line["truth"]]
    found = [Scored(Rle(size, f["counts"]), f["score"], f["label"]) for f in line["found"]]
    return Judged(size, tuple(truths), tuple(found))


def outcomes_of(line: Mapping[str, Any], *, class_agnostic: bool = False) -> Iterator[Outcome]:
    """What happened to each true mask of a picture that is no crowd."""
    truths = [truth for truth in line["truth"] if not truth["crowd"]]
    picture = judged(line)
    table = overlaps(
        [found.rle for found in picture.found], [true.rle for true in picture.truths if not true.crowd]
    )
    for column, truth in zip(table.T, truths, strict=True):
        best = _best(line["found"], truth, column, class_agnostic=class_agnostic)
        mine = line["found"][best] if best is not None else None
        area = Rle(_size(line), truth["counts"]).area
        yield Outcome(
            key=line["key"],
            number=truth["number"],
            predictor="",
            source=line["source"],
            kind=line["kind"],
            label=truth["label"],
            zero_shot=line["zero_shot"],
            image_hw=_size(line),
            area=area,
            size=size_class(area),
            figures={"box": float(column[best]) if best is not None else 0.0},
            box_xyxy=tuple(mine["box_xyxy"]) if mine is not None else None,
            box_rle=mine["counts"] if mine is not None else None,
        )


def _best(
    found: Sequence[Mapping[str, Any]], truth: Mapping[str, Any], column: Any, *, class_agnostic: bool
) -> int | None:
    """Which of the masks found stands for a true mask: that of its own box, else the best of its class."""
    for place, one in enumerate(found):
        if one["of"] is not None and one["of"] == truth["number"]:
            return place
    fitting = [
        place
        for place, one in enumerate(found)
        if one["of"] is None and (class_agnostic or one["label"] == truth["label"])
    ]
    return max(fitting, key=lambda place: column[place], default=None)


def _box_of(mask: BoolArray) -> Box:
    x0, y0, x1, y1 = mask_box(mask)
    return float(x0), float(y0), float(x1), float(y1)


def _answers(predictor: Predictor, sample: Sample, boxes: Sequence[Box]) -> Iterator[Answer]:
    """An answer for each box, cut at the picture's border; an empty mask for one that lies outside."""
    height, width = sample.picture.image_hw
    cut = [(max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height)) for x0, y0, x1, y1 in boxes]
    inside = [box for box in cut if box[0] < box[2] and box[1] < box[3]]
    found = _asked(predictor, sample, inside)
    for x0, y0, x1, y1 in cut:
        yield next(found) if x0 < x1 and y0 < y1 else Answer((np.zeros((height, width), np.bool_),))


def _asked(predictor: Predictor, sample: Sample, boxes: Sequence[Box]) -> Iterator[Answer]:
    if not boxes:  # the picture need not be embedded
        return
    scene = predictor.open(sample.picture)
    for start in range(0, len(boxes), _AT_ONCE):
        yield from scene.predict_many([Request(box=box) for box in boxes[start : start + _AT_ONCE]])


def _encoded(answers: Iterator[Answer], scored: BoolArray | None) -> Iterator[tuple[str, float | None]]:
    """Each first mask's run-length code, and what the predictor thinks of it."""
    for answer in answers:
        mask = answer.masks[0] if scored is None else answer.masks[0] & scored
        yield encode(mask).counts, float(answer.scores[0]) if answer.scores else None


def _size(line: Mapping[str, Any]) -> tuple[int, int]:
    return line["image_hw"][0], line["image_hw"][1]
