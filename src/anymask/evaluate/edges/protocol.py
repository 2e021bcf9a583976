"""The edge protocol: every detector on every picture that has true edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from anymask.core.errors import InputError
from anymask.evaluate.edges.detectors import find_edges
from anymask.evaluate.edges.scores import (
    THRESHOLDS,
    TOLERANCE,
    EdgeCounts,
    count_edges,
    summarise,
    thresholds,
)
from anymask.evaluate.edges.strength import EdgeSettings
from anymask.evaluate.edges.truth import edge_truth
from anymask.evaluate.predictors import Predictor
from anymask.evaluate.samples import Sample


@dataclass(frozen=True)
class EdgesSettings:
    """recipe: how edges come from masks. thresholds: how many. tolerance: share of a picture's diagonal.

    Raises InputError for a number that cannot be meant.
    """

    recipe: EdgeSettings = field(default_factory=EdgeSettings)
    thresholds: int = THRESHOLDS
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        thresholds(self.thresholds)
        if not 0 <= self.tolerance <= 0.1:
            raise InputError(
                f"tolerance is {self.tolerance}; give a share of the diagonal from 0 to 0.1, "
                f"as {TOLERANCE} in the benchmark"
            )

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self.recipe), "thresholds": self.thresholds, "tolerance": self.tolerance}


def evaluate_sample(detector: Predictor, sample: Sample, settings: EdgesSettings) -> list[dict[str, Any]]:
    """One line of JSON values with a picture's counts; none if the sample says nothing about edges."""
    diagonal = float(np.hypot(*sample.picture.image_hw))
    truth = edge_truth(sample, settings.tolerance * diagonal)
    if truth is None:
        return []
    edges = find_edges(detector, sample.picture, settings.recipe)
    counts = count_edges(
        edges,
        truth.drawings,
        thresholds(settings.thresholds),
        tolerance=settings.tolerance,
        known=truth.known,
    )
    about = {"key": sample.key, "source": sample.source, "drawings": len(truth.drawings)}
    return [{**about, "known": 1.0 if truth.known is None else float(truth.known.mean()), **counts.to_json()}]


def summarise_lines(lines: Sequence[Mapping[str, Any]], settings: EdgesSettings) -> dict[str, Any]:
    """The figures of one detector: `scores.summarise` over all pictures, and the same without the curve by
    source; `known`: the mean share of a picture in which its truth is known.
    """
    if not lines:
        return {"pictures": 0}
    levels = thresholds(settings.thresholds)
    by_source: dict[str, list[EdgeCounts]] = {}
    for line in lines:
        by_source.setdefault(line["source"], []).append(EdgeCounts.from_json(line))
    sources = {name: summarise(counts, levels) for name, counts in sorted(by_source.items())}
    return {
        **summarise([one for counts in by_source.values() for one in counts], levels),
        "drawings": sum(line["drawings"] for line in lines),
        "known": float(np.mean([line["known"] for line in lines])),
        "by_source": {
            name: {figure: value for figure, value in found.items() if figure != "curve"}
            for name, found in sources.items()
        },
    }
