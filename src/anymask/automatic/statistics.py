"""What a set of masks is like: the figures with which the SA-1B data set was described.

Kirillov et al., "Segment Anything" (arXiv 2304.02643), section 5, figures 5 and 6: masks per image, size
relative to the image, concavity, and where the centres lie.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import Float64Array, sealed
from anymask.core.rle import Rle, decode_window
from anymask.formats.contents import Contents

HEAT_CELLS = 32
"""The heat map has this many rows and columns."""

COUNT_EDGES = (0, 1, 11, 51, 101, 201)
"""Numbers of masks per image from which a class begins; the last has no end."""

SIZE_CLASSES = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, None)}
"""COCO's classes by area: from, and below, pixels."""

_BINS = 25
_PERCENTILES = (5, 25, 50, 75, 95)


class Shape(NamedTuple):
    """One mask. relative_size, concavity: in [0, 1]. centre_xy: of mass, as shares of width and height."""

    relative_size: float
    concavity: float
    centre_xy: tuple[float, float]


@dataclass(frozen=True, eq=False)
class MaskStatistics:
    """What is counted of the masks of any number of images; arrays are read-only.

    images: how many. masks_per_image: (images,) int64. areas: (N,) int64, pixels.
    relative_sizes: (N,) float64, the square root of mask area by image area, in [0, 1].
    concavities: (N,) float64, 1 - mask area by the area of its convex hull, in [0, 1).
    centres: (HEAT_CELLS, HEAT_CELLS) int64, masks whose centre of mass lies in each cell of the image.
    scores, stabilities: (n,) float64, of those masks that state one. labels: name -> masks.
    N counts the masks that have a pixel; empty: those that have none.
    """

    images: int
    masks_per_image: npt.NDArray[np.int64]
    areas: npt.NDArray[np.int64]
    relative_sizes: Float64Array
    concavities: Float64Array
    centres: npt.NDArray[np.int64]
    scores: Float64Array
    stabilities: Float64Array
    labels: Mapping[str, int]
    empty: int

    @classmethod
    def of(cls, images: Iterable[Contents]) -> MaskStatistics:
        """Count the masks of these images, one after the other; no image is needed whole."""
        counts: list[int] = []
        areas: list[int] = []
        shapes: list[Shape] = []
        records: list[tuple[float | None, float | None, str | None]] = []
        for image in images:
            counts.append(len(image.records))
            for record in image.records:
                records.append((record.score, record.stability, record.label))
                shape = shape_of(record.rle)
                if shape is not None:
                    areas.append(record.area)
                    shapes.append(shape)
        centres = np.zeros((HEAT_CELLS, HEAT_CELLS), np.int64)
        cells = np.array([one.centre_xy for one in shapes], np.float64).reshape(-1, 2) * HEAT_CELLS
        columns, rows = np.minimum(cells.astype(np.int64), HEAT_CELLS - 1).T
        np.add.at(centres, (rows, columns), 1)
        labels = Counter(label for _, _, label in records if label is not None)
        return cls(
            images=len(counts),
            masks_per_image=sealed(np.array(counts, np.int64)),
            areas=sealed(np.array(areas, np.int64)),
            relative_sizes=sealed(np.array([one.relative_size for one in shapes], np.float64)),
            concavities=sealed(np.array([one.concavity for one in shapes], np.float64)),
            centres=sealed(centres),
            scores=sealed(np.array([score for score, _, _ in records if score is not None], np.float64)),
            stabilities=sealed(np.array([value for _, value, _ in records if value is not None], np.float64)),
            labels=dict(sorted(labels.items(), key=lambda item: (-item[1], item[0]))),
            empty=len(records) - len(shapes),
        )

    @property
    def masks(self) -> int:
        """All masks, empty ones too."""
        return int(self.masks_per_image.sum())

    def count_classes(self) -> dict[str, int]:
        """Images by their number of masks, in the classes of `COUNT_EDGES`."""
        found, _ = np.histogram(self.masks_per_image, [*COUNT_EDGES, np.inf])
        return dict(zip(_class_names(), map(int, found), strict=True))

    def size_classes(self) -> dict[str, int]:
        """Masks by `SIZE_CLASSES`."""
        return {
            name: int(((self.areas >= low) & (self.areas < (np.inf if high is None else high))).sum())
            for name, (low, high) in SIZE_CLASSES.items()
        }

    def histogram(self, values: Float64Array) -> Float64Array:
        """(25,) float64: the share of `values` in each of 25 equal bins of 0 to 1; zeros without values."""
        found, _ = np.histogram(np.clip(values, 0, 1), _BINS, (0, 1))
        return found / max(len(values), 1)

    def to_json(self) -> dict[str, Any]:
        """All figures as plain JSON values; what there is nothing of is null."""
        return {
            "images": self.images,
            "images_without_masks": int((self.masks_per_image == 0).sum()),
            "masks": self.masks,
            "empty_masks": self.empty,
            "masks_per_image": {**_summary(self.masks_per_image), "classes": self.count_classes()},
            "area": {**_summary(self.areas), "classes": self.size_classes()},
            "relative_size": self._shares(self.relative_sizes),
            "concavity": self._shares(self.concavities),
            "centres": {"cells": HEAT_CELLS, "masks": self.centres.tolist()},
            "predicted_iou": self._shares(self.scores),
            "stability_score": self._shares(self.stabilities),
            "labels": dict(self.labels),
        }

    def _shares(self, values: Float64Array) -> dict[str, Any]:
        return {**_summary(values), "histogram": [round(float(x), 6) for x in self.histogram(values)]}


def shape_of(rle: Rle) -> Shape | None:
    """What the figures need of one mask; None for a mask without pixels.

    Pixels are unit squares: a rectangle has concavity 0.
    """
    import cv2

    found = decode_window(rle)
    if found is None:
        return None
    window, inside = found
    height, width = rle.size_hw
    rows, columns = np.nonzero(inside)
    area = len(rows)
    first, last = inside.argmax(axis=1), inside.shape[1] - inside[:, ::-1].argmax(axis=1)
    used = np.flatnonzero(inside.any(axis=1))
    corners = [np.column_stack([x[used], used + below]) for x in (first, last) for below in (0, 1)]
    hull = float(cv2.contourArea(cv2.convexHull(np.concatenate(corners).astype(np.int32))))
    centre = (window.x0 + columns.mean() + 0.5) / width, (window.y0 + rows.mean() + 0.5) / height
    return Shape(
        float(np.sqrt(area / (height * width))), 1 - area / hull, (float(centre[0]), float(centre[1]))
    )


def _class_names() -> list[str]:
    ends: Sequence[int | None] = [*(edge - 1 for edge in COUNT_EDGES[1:]), None]
    return [
        f"over {low - 1}" if high is None else str(low) if high == low else f"{low} to {high}"
        for low, high in zip(COUNT_EDGES, ends, strict=True)
    ]


def _summary(values: npt.NDArray[Any]) -> dict[str, Any]:
    """Mean, ends and percentiles; null where there are no values."""
    if not len(values):
        return dict.fromkeys(["mean", "least", "most", *(f"p{one}" for one in _PERCENTILES)])
    found = {"mean": values.mean(), "least": values.min(), "most": values.max()}
    found |= {f"p{one}": np.percentile(values, one) for one in _PERCENTILES}
    return {name: round(float(value), 6) for name, value in found.items()}
