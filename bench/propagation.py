"""How well masks are found again in the next picture: `python -m bench.propagation val.tar --every 20`.

There is no film with true masks here, so the next picture is made: the same one moved by up to a tenth of its
size, scaled and lit a little differently, with noise; the true masks move along. As a counter-check every
mask is also looked for in the next picture of the data, where it cannot be. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from anymask.core.masks import iou
from anymask.evaluate.datasets import open_samples
from anymask.evaluate.samples import Problems, Sample
from anymask.predict.load import load
from anymask.predict.model import Model
from anymask.studio.prompting.propagation import propagate

_LEAST_SHARE = 0.003
"""Of the picture; smaller masks are left out."""
_MASKS = 4


@dataclass
class Figures:
    """found: IoU with the true moved mask. unmoved: that of the old mask left where it was."""

    found: list[float] = field(default_factory=list)
    unmoved: list[float] = field(default_factory=list)
    kept: list[bool] = field(default_factory=list)
    kept_elsewhere: list[bool] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Means, in [0, 1]."""
        found, kept = np.array(self.found), np.array(self.kept, bool)
        return {
            "masks": len(found),
            "iou_unmoved": round(float(np.mean(self.unmoved)), 3),
            "iou_found": round(float(found.mean()), 3),
            "kept": round(float(kept.mean()), 3),
            "iou_kept": round(float(found[kept].mean()), 3),
            "kept_below_half": round(float((found[kept] < 0.5).mean()), 3),
            "kept_in_another_picture": round(float(np.mean(self.kept_elsewhere)), 3),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.propagation", description=__doc__)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=20, help="each so many pictures one (default: 20)")
    parser.add_argument("--model", default="lite")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    model, figures = load(options.model), Figures()
    before: tuple[Sample, list[np.ndarray]] | None = None
    for sample, masks in _with_masks(options.data, options.every):
        _measure(model, sample, masks, rng, figures)
        if before is not None:
            _elsewhere(model, before, sample, figures)
        before = sample, masks
    print(json.dumps(figures.to_json(), indent=2))


def _with_masks(paths: list[Path], every: int) -> Iterator[tuple[Sample, list[np.ndarray]]]:
    for sample in open_samples(paths).samples(Problems(), every=every):
        masks = [true.mask for true in sample.masks if true.mask.mean() > _LEAST_SHARE][:_MASKS]
        if masks:
            yield sample, masks


def _measure(
    model: Model, sample: Sample, masks: list[np.ndarray], rng: np.random.Generator, figures: Figures
) -> None:
    height, width = sample.picture.image_hw
    angle, scale = rng.uniform(-3, 3), rng.uniform(0.95, 1.05)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    matrix[:, 2] += rng.uniform(-0.1, 0.1, 2) * np.array([width, height])
    pixels = cv2.warpAffine(sample.picture.pixels, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    lit = pixels * rng.uniform(0.9, 1.1) + rng.normal(0, 3, pixels.shape)
    pixels = np.clip(lit, 0, 255).astype(np.uint8)
    moved = [cv2.warpAffine(mask.view(np.uint8), matrix, (width, height)) > 0 for mask in masks]
    found = propagate(model, model.embed(pixels), pixels, sample.picture.pixels, masks)
    for one, mask, truth in zip(found, masks, moved, strict=True):
        if truth.any():
            figures.found.append(0.0 if one is None else iou(one.candidate.mask, truth))
            figures.unmoved.append(iou(mask, truth))
            figures.kept.append(one is not None and one.is_kept)


def _elsewhere(
    model: Model, before: tuple[Sample, list[np.ndarray]], sample: Sample, figures: Figures
) -> None:
    old, masks = before
    if old.source == sample.source:  # neighbours of one collection may show the same things
        return
    pixels = sample.picture.pixels
    found = propagate(model, model.embed(pixels), pixels, old.picture.pixels, masks)
    figures.kept_elsewhere += [one is not None and one.is_kept for one in found]


if __name__ == "__main__":
    main()
