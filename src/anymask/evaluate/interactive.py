"""The interactive protocol: a simulated person clicks, sees the mask, clicks where it is most wrong.

Sofiiuk et al. (arXiv 2102.06583) and Kirillov et al. (arXiv 2304.02643, section 7.1): the first click lies at
the centre of the object, the farthest place from its border; each next one at the centre of the largest error
region. Masks are compared at the picture's own size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anymask.core.arrays import BoolArray
from anymask.core.errors import AnymaskError, FormatError
from anymask.core.images import Picture, load_image
from anymask.core.masks import iou, mask_box
from anymask.core.prediction import Prediction
from anymask.core.prompt import Prompt
from anymask.core.rle import Rle, decode
from anymask.formats.shards import read_shard

if TYPE_CHECKING:
    from anymask.predict.model import Model

CLICKS = 5
WORSE = 0.05  # a click that lowers IoU by more than this made the mask worse


@dataclass(frozen=True, eq=False)
class Case:
    """One picture with its true masks."""

    key: str
    picture: Picture
    masks: tuple[BoolArray, ...]
    source: str
    zero_shot: bool


@dataclass(frozen=True)
class Outcome:
    """What happened on one mask. clicks: IoU after each click; oracle: best of the first three candidates.

    predicted: the IoU the model expected of its first mask. box: IoU for the mask's bounding box.
    area_share: the mask's share of the picture.
    """

    key: str
    number: int
    source: str
    zero_shot: bool
    area_share: float
    clicks: tuple[float, ...]
    oracle: float
    predicted: float
    box: float

    @property
    def worse(self) -> int:
        """How many of the extra clicks lowered the IoU by more than WORSE."""
        return sum(b < a - WORSE for a, b in zip(self.clicks, self.clicks[1:], strict=False))


def shard_cases(shards: Sequence[Path], report: list[str], *, every: int = 1) -> Iterator[Case]:
    """Every `every`-th picture of tar shards; what cannot be read is named in `report` and left out."""
    number = 0
    for shard in shards:
        for key, encoded, about in read_shard(shard):
            number += 1
            if (number - 1) % every:
                continue
            try:
                yield read_case(key, encoded, about)
            except AnymaskError as error:
                report.append(f"{key}: {error}")


def read_case(key: str, encoded: bytes, about: Mapping[str, Any]) -> Case:
    """Decode one pair of a shard. Raises ImageError or FormatError."""
    picture = load_image(encoded)
    masks = []
    for number, entry in enumerate(about.get("masks", [])):
        mask = decode(Rle.from_coco(entry.get("rle")))
        if mask.shape != picture.image_hw:
            raise FormatError(f"mask {number} has size {mask.shape}, the picture {picture.image_hw}")
        if mask.any():
            masks.append(mask)
    if not masks:
        raise FormatError("no mask that is not empty")
    source = str(about.get("source", "unknown"))
    return Case(key, picture, tuple(masks), source, bool(about.get("zero_shot", False)))


def evaluate_case(model: Model, case: Case) -> list[Outcome]:
    """Click and box every mask of a picture, all masks of a round decoded together."""
    embedding = model.embed(case.picture)
    hw = embedding.image_hw
    points: list[list[tuple[int, int, int]]] = [[(*centre(mask)[:2], 1)] for mask in case.masks]
    first = model.predict_many(embedding, [Prompt.of(hw, points=p) for p in points])
    found = list(first)
    scores = [[_iou(p, mask)] for p, mask in zip(first, case.masks, strict=True)]
    for _ in range(CLICKS - 1):
        for clicks, mask, prediction in zip(points, case.masks, found, strict=True):
            clicks.extend(next_click(mask, prediction.best.mask))
        prompts = [Prompt.of(hw, points=p, previous=f) for p, f in zip(points, found, strict=True)]
        found = model.predict_many(embedding, prompts)
        for row, prediction, mask in zip(scores, found, case.masks, strict=True):
            row.append(_iou(prediction, mask))
    boxes = model.predict_many(embedding, [Prompt.box(*map(float, mask_box(mask))) for mask in case.masks])
    return [
        Outcome(
            case.key,
            i,
            case.source,
            case.zero_shot,
            float(mask.mean()),
            tuple(scores[i]),
            max(iou(candidate.mask, mask) for candidate in first[i]),
            float(first[i].best.score),
            _iou(boxes[i], mask),
        )
        for i, mask in enumerate(case.masks)
    ]


def centre(region: BoolArray) -> tuple[int, int, float]:
    """x, y of the pixel farthest from the region's border, and that distance."""
    import cv2

    padded = np.pad(region.astype(np.uint8), 1)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    y, x = np.unravel_index(int(distance.argmax()), distance.shape)
    return int(x), int(y), float(distance[y, x])


def next_click(mask: BoolArray, guess: BoolArray) -> list[tuple[int, int, int]]:
    """A click at the centre of the largest error region; none if there is no error."""
    regions = [(mask & ~guess, 1), (guess & ~mask, 0)]
    centres = [(*centre(region), label) for region, label in regions if region.any()]
    if not centres:
        return []
    x, y, _, label = max(centres, key=lambda item: item[2])
    return [(x, y, label)]


def _iou(prediction: Prediction, mask: BoolArray) -> float:
    return iou(prediction.best.mask, mask)


def summarise(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Means over masks and, first of all, over sources, with intervals; the figures of a model card."""
    rows = list(outcomes)
    by_source: dict[str, list[Outcome]] = {}
    for row in rows:
        by_source.setdefault(row.source, []).append(row)
    sources = {name: _means(found) for name, found in sorted(by_source.items())}
    seen = [means for name, means in sources.items() if not by_source[name][0].zero_shot]
    unseen = [means for name, means in sources.items() if by_source[name][0].zero_shot]
    extra = sum(len(row.clicks) - 1 for row in rows)
    return {
        "masks": len(rows),
        "sources": len(sources),
        "mean_over_sources": _mean_of(list(sources.values())),
        "interval_95": _interval(list(sources.values())),
        "mean_over_trained_sources": _mean_of(seen),
        "mean_over_zero_shot_sources": _mean_of(unseen),
        "mean_over_masks": _means(rows) if rows else {},
        "share_of_extra_clicks_that_made_it_worse": sum(r.worse for r in rows) / extra if extra else 0.0,
        "predicted_iou_ece": expected_calibration_error(rows) if rows else 0.0,
        "by_source": sources,
    }


def _means(rows: Sequence[Outcome]) -> dict[str, float]:
    clicks = np.array([row.clicks for row in rows]).mean(0)
    found = {f"click{i + 1}": float(value) for i, value in enumerate(clicks)}
    found["oracle1"] = float(np.mean([row.oracle for row in rows]))
    found["box"] = float(np.mean([row.box for row in rows]))
    return found


def _mean_of(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in (rows[0] if rows else {})}


def _interval(rows: Sequence[Mapping[str, float]], draws: int = 2000) -> dict[str, list[float]]:
    """95 % bootstrap interval of the mean over sources, sources drawn with replacement."""
    rng = np.random.default_rng(0)
    chosen = rng.integers(len(rows), size=(draws, len(rows))) if rows else np.zeros((1, 0), int)
    intervals = {}
    for name in rows[0] if rows else {}:
        values: NDArray[np.float64] = np.array([row[name] for row in rows])
        low, high = np.quantile(values[chosen].mean(1), [0.025, 0.975])
        intervals[name] = [float(low), float(high)]
    return intervals


def expected_calibration_error(rows: Sequence[Outcome], bins: int = 10) -> float:
    """Mean gap between predicted and true IoU of the first click, in bins of the predicted one."""
    predicted = np.array([row.predicted for row in rows])
    true = np.array([row.clicks[0] for row in rows])
    which = np.clip((predicted * bins).astype(int), 0, bins - 1)
    gaps = [
        abs(predicted[which == b].mean() - true[which == b].mean()) * (which == b).mean()
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))
