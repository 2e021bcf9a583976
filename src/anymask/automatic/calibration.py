"""Thresholds of everything mode that suit a network, chosen on pictures whose true masks are known.

Predicted IoU and stability mean different things with different networks. For every pair of thresholds the
masks found are matched one to one with the true ones at IoU 0.5. A preset takes the pair of the best
F-measure (van Rijsbergen 1979), mean over sources, with the weight of recall that the preset asks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from anymask.automatic.presets import NO_PRESET
from anymask.automatic.state import AutomaticState
from anymask.core.arrays import Float64Array
from anymask.core.rle import Rle

MATCH_IOU = 0.5
COVERED = 0.5  # of a found mask, from which the true masks can judge it
BETAS = MappingProxyType(
    {NO_PRESET: 0.5, "paper": 0.5, "demo": 1.0, "objects": 1.0, "parts": 2.0, "dense": 3.0}
)
"""How many times as much recall counts as precision, by preset."""

TIDY_SHARE = 0.03
"""With every preset: masks of `lite` carry specks that no true mask has (docs/everything.md)."""

SCORES = tuple(round(0.2 + 0.05 * i, 2) for i in range(15))
STABILITIES = tuple(round(0.2 + 0.05 * i, 2) for i in range(16))
LEAST_SCORE = SCORES[0]
"""Masks whose predicted IoU is not above it are never asked for."""


class Matches(NamedTuple):
    """right: masks found that are true ones. wrong: found and none. missed: true and not found."""

    right: int
    wrong: int
    missed: int


def match(found: Sequence[Rle], true: Sequence[Rle]) -> Matches:
    """Match masks one to one, the best IoU first, at `MATCH_IOU`.

    Not counted as wrong is a found mask of which less than `COVERED` lies in true masks: nobody said what is
    there.
    """
    ious, shares = _overlaps(found, true)
    pairs = [(i, j) for i, j in zip(*np.nonzero(ious >= MATCH_IOU), strict=True)]
    taken_found: set[int] = set()
    taken_true: set[int] = set()
    for i, j in sorted(pairs, key=lambda pair: -ious[pair]):
        if i not in taken_found and j not in taken_true:
            taken_found.add(i)
            taken_true.add(j)
    judged = np.flatnonzero(shares >= COVERED)
    right = len(taken_found)
    return Matches(right, len(set(judged) - taken_found), len(true) - right)


def f_measure(matches: npt.ArrayLike, beta: float) -> Float64Array:
    """(..., 3) numbers of right, wrong and missed -> (...) F-beta in [0, 1]; 0 where nothing is right."""
    right, wrong, missed = np.moveaxis(np.asarray(matches, np.float64), -1, 0)
    total = (1 + beta**2) * right + beta**2 * missed + wrong
    share: Float64Array = np.divide((1 + beta**2) * right, total, out=np.zeros_like(right), where=total > 0)
    return share


@dataclass
class Calibration:
    """Counts of every pair of thresholds, by source of the pictures."""

    matches: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    pictures: int = 0

    def add(self, source: str, state: AutomaticState, true: Sequence[Rle]) -> None:
        """Count one picture. state: kept down to `LEAST_SCORE`. true: all masks of the parts they cover."""
        counts = self.matches.setdefault(source, np.zeros((len(SCORES), len(STABILITIES), 3), np.int64))
        for i, score in enumerate(SCORES):
            for j, stability in enumerate(STABILITIES):
                found = state.records(pred_iou_thresh=score, stability_score_thresh=stability)
                counts[i, j] += match([record.rle for record in found], true)
                if not found:  # nor at higher stabilities
                    counts[i, j + 1 :, 2] += len(true)
                    break
        self.pictures += 1

    def f_by_pair(self, beta: float) -> Float64Array:
        """(scores, stabilities) F-beta in [0, 1], mean over sources."""
        by_source = np.array([f_measure(counts, beta) for counts in self.matches.values()])
        mean: Float64Array = by_source.mean(axis=0)
        return mean

    def thresholds(self, beta: float) -> dict[str, float]:
        """The pair that is best together with its eight neighbours; of equally good ones the stricter.

        The neighbours have a say because on few pictures a single pair may shine by chance.
        """
        found = _with_neighbours(self.f_by_pair(beta))[::-1, ::-1]
        i, j = np.unravel_index(int(found.argmax()), found.shape)
        return {
            "pred_iou_thresh": SCORES[::-1][int(i)],
            "stability_score_thresh": STABILITIES[::-1][int(j)],
        }

    def automatic(self) -> dict[str, dict[str, float]]:
        """Thresholds of every preset, for `ModelSpec.automatic`."""
        return {preset: {**self.thresholds(beta), "tidy_share": TIDY_SHARE} for preset, beta in BETAS.items()}

    def measured(self, chosen: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
        """What each preset's thresholds give on these pictures: F, and precision and recall over sources."""
        return {preset: self._measured(own, BETAS[preset]) for preset, own in chosen.items()}

    def _measured(self, own: Mapping[str, float], beta: float) -> dict[str, float]:
        i, j = SCORES.index(own["pred_iou_thresh"]), STABILITIES.index(own["stability_score_thresh"])
        counts = np.array([by_pair[i, j] for by_pair in self.matches.values()], np.float64)
        right, wrong, missed = counts.T
        return {
            "beta": beta,
            "f": round(float(f_measure(counts, beta).mean()), 4),
            "precision": round(float((right / np.maximum(right + wrong, 1)).mean()), 4),
            "recall": round(float((right / np.maximum(right + missed, 1)).mean()), 4),
        }


def _with_neighbours(values: Float64Array) -> Float64Array:
    """(h, w) -> (h, w) mean of every value and those around it, the border's repeated."""
    padded = np.pad(values, 1, mode="edge")
    mean: Float64Array = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).mean(axis=(2, 3))
    return mean


def _overlaps(found: Sequence[Rle], true: Sequence[Rle]) -> tuple[Float64Array, Float64Array]:
    """(N, M) IoU of found and true masks, and (N,) the share of each found mask that lies in true ones."""
    from pycocotools import mask as coco_mask

    if not found or not true:
        return np.zeros((len(found), len(true))), np.zeros(len(found))
    ours, theirs = [rle.to_coco() for rle in found], [rle.to_coco() for rle in true]
    ious = np.array(coco_mask.iou(ours, theirs, [0] * len(theirs)), np.float64)
    whole = coco_mask.merge(theirs)
    return ious, np.array(coco_mask.iou(ours, [whole], [1]), np.float64)[:, 0]
