"""Precision and recall of edges over thresholds, and what is read off their curve: ODS, OIS, AP, R50.

As in the published benchmark of BSDS500 (Arbelaez et al., IEEE PAMI 33(5), 2011), whose every figure is a
ratio of pixel counts summed over pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from anymask.core.arrays import BoolArray, Float32Array, Float64Array
from anymask.core.errors import FormatError, InputError, MissingExtraError
from anymask.evaluate.edges.matching import match_edges

TOLERANCE = 0.0075
"""Largest distance of a matched pair, as a share of the picture's diagonal."""
THRESHOLDS = 99

_STEPS = 100  # places looked at between two neighbouring thresholds
_FIELDS = ("matched_drawn", "drawn", "matched_found", "found")


def thresholds(count: int = THRESHOLDS) -> Float64Array:
    """`count` equally spaced thresholds between 0 and 1, both excluded. Raises InputError below 1."""
    if count < 1:
        raise InputError(f"there are {count} thresholds; give at least 1")
    return np.linspace(1 / (count + 1), 1 - 1 / (count + 1), count)


@dataclass(frozen=True, eq=False)
class EdgeCounts:
    """Pixels at each of K thresholds, (K,) int64 each.

    matched_drawn: of those that people drew, with a partner; summed over people. drawn: all that they drew.
    matched_found: of those that were found, with a partner in anybody's drawing. found: all that were found.
    """

    matched_drawn: np.ndarray
    drawn: np.ndarray
    matched_found: np.ndarray
    found: np.ndarray

    def __add__(self, other: EdgeCounts) -> EdgeCounts:
        return EdgeCounts(*(getattr(self, name) + getattr(other, name) for name in _FIELDS))

    def at(self, index: int) -> EdgeCounts:
        """One threshold alone."""
        return EdgeCounts(*(getattr(self, name)[index : index + 1] for name in _FIELDS))

    def to_json(self) -> dict[str, list[int]]:
        """As JSON values."""
        return {name: getattr(self, name).tolist() for name in _FIELDS}

    @classmethod
    def from_json(cls, value: Mapping[str, Sequence[int]]) -> EdgeCounts:
        """From JSON values. Raises FormatError if they are no counts."""
        try:
            return cls(*(np.array(value[name], np.int64) for name in _FIELDS))
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"not the counts of an edge map ({error!r}); run it again") from error


class Rates(NamedTuple):
    """recall, precision, f: (K,) float64 in [0, 1]; 0 where nothing was drawn or found."""

    recall: Float64Array
    precision: Float64Array
    f: Float64Array


def rates(counts: EdgeCounts) -> Rates:
    """Recall, precision and their harmonic mean at each threshold."""
    recall = counts.matched_drawn / np.maximum(counts.drawn, 1)
    precision = counts.matched_found / np.maximum(counts.found, 1)
    return Rates(recall, precision, _f(recall, precision))


def count_edges(
    edges: Float32Array,
    drawings: Sequence[BoolArray],
    levels: Float64Array,
    *,
    tolerance: float = TOLERANCE,
    known: BoolArray | None = None,
) -> EdgeCounts:
    """Compare an edge map with what people drew.

    edges: (H, W) float32 in [0, 1]. drawings: (H, W) bool each, thin, at least one. levels: (K,) thresholds;
    at each, what reaches it is thinned once more. tolerance: share of the diagonal.
    known: (H, W) bool, where the drawings say whether there is an edge; edges elsewhere do not count.

    Raises InputError if sizes differ, MissingExtraError without SciPy and scikit-image.
    """
    reach = tolerance * float(np.hypot(*edges.shape))
    rows: list[tuple[int, int, int, int]] = []
    before: BoolArray | None = None
    for level in levels:
        found = edges >= level
        if before is None or not np.array_equal(found, before):
            rows.append(_count(found if known is None else found & known, drawings, reach))
            before = found
        else:
            rows.append(rows[-1])
    return EdgeCounts(*np.array(rows, np.int64).reshape(-1, len(_FIELDS)).T)


def _count(found: BoolArray, drawings: Sequence[BoolArray], reach: float) -> tuple[int, int, int, int]:
    thin = thinned(found)
    anybody = np.zeros_like(thin)
    matched_drawn = 0
    for drawn in drawings:
        matches = match_edges(thin, drawn, reach)
        anybody |= matches.found
        matched_drawn += int(matches.drawn.sum())
    return matched_drawn, sum(int(d.sum()) for d in drawings), int(anybody.sum()), int(thin.sum())


def thinned(edges: BoolArray) -> BoolArray:
    """Edges one pixel wide, by morphological thinning (Guo, Hall, CACM 32(3), 1989); (H, W) bool.

    Raises MissingExtraError without scikit-image.
    """
    try:
        from skimage.morphology import thin
    except ImportError:
        raise MissingExtraError(
            "thinning edges needs scikit-image: pip install 'anymask[evaluate]'"
        ) from None
    result: BoolArray = thin(edges)  # type: ignore[no-untyped-call]
    return result


def summarise(pictures: Iterable[EdgeCounts], levels: Float64Array) -> dict[str, Any]:
    """The benchmark's figures of some pictures, at least one, as JSON values.

    ods: the best F at one threshold for all pictures, between neighbouring thresholds too. ois: F of the sums
    at each picture's own best threshold. ap: mean precision at recall 0, 0.01 ... 1, where a recall that no
    threshold reaches counts 0. r50: the recall where precision is 0.5 (at the lowest precision if that is
    higher). curve: what these come from.
    """
    every = list(pictures)
    total = sum(every[1:], every[0])
    found = rates(total)
    own_best = [one.at(int(rates(one).f.argmax())) for one in every]
    best = rates(sum(own_best[1:], own_best[0]))
    return {
        "pictures": len(every),
        "ods": _best_between(levels, found),
        "ois": {
            "f": float(best.f[0]),
            "precision": float(best.precision[0]),
            "recall": float(best.recall[0]),
        },
        "ap": _average_precision(found),
        "r50": _recall_at_half(found),
        "curve": {
            "threshold": levels.tolist(),
            "recall": found.recall.tolist(),
            "precision": found.precision.tolist(),
            "f": found.f.tolist(),
        },
    }


def _best_between(levels: Float64Array, found: Rates) -> dict[str, float]:
    """The best F on the lines between neighbouring points of the curve."""
    share = np.linspace(0, 1, _STEPS) if len(levels) > 1 else np.zeros(1)

    def between(values: Float64Array) -> Float64Array:
        last = values[1:] if len(values) > 1 else values
        first = values[: len(last)]
        return (first[:, None] * (1 - share) + last[:, None] * share).ravel()

    recall, precision, level = between(found.recall), between(found.precision), between(levels)
    f = _f(recall, precision)
    best = int(f.argmax())
    return {
        "f": float(f[best]),
        "precision": float(precision[best]),
        "recall": float(recall[best]),
        "threshold": float(level[best]),
    }


def _average_precision(found: Rates) -> float:
    recall, first = np.unique(found.recall, return_index=True)
    if len(recall) < 2:
        return 0.0
    places = np.arange(101) / 100
    # The published code divides 101 places by 100; so does this, for equal figures.
    return float(np.interp(places, recall, found.precision[first], left=0, right=0).sum() / 100)


def _recall_at_half(found: Rates) -> float:
    precision, first = np.unique(found.precision, return_index=True)
    return float(np.interp(max(0.5, precision[0]), precision, found.recall[first]))


def _f(recall: Float64Array, precision: Float64Array) -> Float64Array:
    joint = recall + precision
    f: Float64Array = np.divide(2 * recall * precision, joint, out=np.zeros_like(joint), where=joint > 0)
    return f
