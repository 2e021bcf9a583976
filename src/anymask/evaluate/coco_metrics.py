"""COCO's figures for masks, computed by pycocotools' own COCOeval on our masks.

A picture is a `Judged`: its true masks and the masks found, as run-length codes. Crowds are treated as COCO
does: they need not be found, and what is found inside one counts neither for nor against.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import Float64Array
from anymask.core.rle import Rle

IntArray = npt.NDArray[np.int64]

SIZES = ("all", "small", "medium", "large")
"""COCO's classes of true masks by area: all, below 32 x 32 pixels, up to 96 x 96, larger."""
UNNAMED = "object"
"""The class of masks without a label."""


@dataclass(frozen=True)
class Truth:
    """A true mask. area: as the data states it, or its pixels; it says which class of size it is in."""

    rle: Rle
    label: str | None = None
    crowd: bool = False
    area: float | None = None


@dataclass(frozen=True)
class Scored:
    """A mask that was found. score: any number, higher is surer."""

    rle: Rle
    score: float
    label: str | None = None


@dataclass(frozen=True)
class Judged:
    """One picture of a height and width: its true masks and those found, all of its size."""

    image_hw: tuple[int, int]
    truths: tuple[Truth, ...]
    found: tuple[Scored, ...]


@dataclass(frozen=True)
class Recall:
    """How many true masks of one picture were found.

    objects: size class -> how many there are. hits: size class -> limit -> (10,) int64, how many are matched
    at IoU 0.5, 0.55 ... 0.95 by the `limit` surest masks. Average recall over pictures is the mean over the
    ten of the sum of hits by the sum of objects.
    """

    objects: Mapping[str, int]
    hits: Mapping[str, Mapping[int, IntArray]]


def average_precision(pictures: Sequence[Judged], *, class_agnostic: bool = False) -> dict[str, float | None]:
    """The twelve numbers that COCO reports, each in [0, 1], or None where there is nothing to find.

    AP (mean over IoU 0.5 to 0.95), AP50, AP75, APs, APm, APl (by the true mask's size), AR1, AR10, AR (with
    1, 10 and 100 masks a picture), ARs, ARm, ARl. class_agnostic: labels do not count.
    """
    evaluation = evaluate_all(pictures, class_agnostic=class_agnostic, limits=(1, 10, 100))
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.accumulate()
        evaluation.summarize()
    names = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR", "ARs", "ARm", "ARl")
    values = (float(value) for value in evaluation.stats)
    return {name: None if value < 0 else value for name, value in zip(names, values, strict=True)}


def recall_of(picture: Judged, limits: Sequence[int]) -> Recall:
    """How many true masks of a picture are found by its surest masks, whatever their labels.

    limits: numbers of masks, rising. Sums over pictures give COCOeval's average recall with `maxDets` = limit
    and `useCats` = 0: a picture's masks are matched in order of their scores, so fewer masks are a prefix.
    """
    evaluation = evaluate_all([picture], class_agnostic=True, limits=limits)
    objects: dict[str, int] = {}
    hits: dict[str, dict[int, IntArray]] = {}
    for size, result in zip(SIZES, evaluation.evalImgs, strict=True):
        if result is None:  # neither a true mask nor one that was found
            objects[size] = 0
            hits[size] = {limit: np.zeros(len(evaluation.params.iouThrs), np.int64) for limit in limits}
            continue
        objects[size] = int(np.count_nonzero(result["gtIgnore"] == 0))
        counted = (result["dtMatches"] > 0) & ~result["dtIgnore"].astype(bool)
        hits[size] = {limit: counted[:, :limit].sum(axis=1, dtype=np.int64) for limit in limits}
    return Recall(objects, hits)


def overlaps(found: Sequence[Rle], truths: Sequence[Rle]) -> Float64Array:
    """IoU of every found mask with every true one: (N, M) float64; 0 where both are empty."""
    from pycocotools import mask as coco_mask

    if not found or not truths:
        return np.zeros((len(found), len(truths)))
    codes = [rle.to_coco() for rle in found], [rle.to_coco() for rle in truths]
    table = np.asarray(coco_mask.iou(*codes, [0] * len(truths)), np.float64)
    return np.nan_to_num(table.reshape(len(found), len(truths)))


def evaluate_all(pictures: Sequence[Judged], *, class_agnostic: bool, limits: Sequence[int]) -> Any:
    """pycocotools' COCOeval when it has matched the masks of all pictures; `accumulate` comes next."""
    from pycocotools.cocoeval import COCOeval

    truth, found = _tables(pictures)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        evaluation = COCOeval(truth, found, "segm")
        evaluation.params.maxDets = list(limits)
        evaluation.params.useCats = 0 if class_agnostic else 1
        evaluation.evaluate()
    return evaluation


def _tables(pictures: Sequence[Judged]) -> tuple[Any, Any]:
    """pycocotools' objects of the true masks and of those found."""
    truths = [(i, truth) for i, picture in enumerate(pictures, 1) for truth in picture.truths]
    found = [(i, mask) for i, picture in enumerate(pictures, 1) for mask in picture.found]
    named = {truth.label or UNNAMED for _, truth in truths} | {mask.label or UNNAMED for _, mask in found}
    labels = sorted(named | {UNNAMED})
    categories = {label: number for number, label in enumerate(labels, 1)}
    images = [
        {"id": number, "height": picture.image_hw[0], "width": picture.image_hw[1]}
        for number, picture in enumerate(pictures, 1)
    ]
    true_rows = [
        {
            **_row(number, image, categories[truth.label or UNNAMED], truth.rle),
            "area": truth.rle.area if truth.area is None else truth.area,
            "iscrowd": int(truth.crowd),
        }
        for number, (image, truth) in enumerate(truths, 1)
    ]
    found_rows = [
        {**_row(number, image, categories[mask.label or UNNAMED], mask.rle), "score": mask.score}
        for number, (image, mask) in enumerate(found, 1)
    ]
    return _coco(images, categories, true_rows), _coco(images, categories, found_rows)


def _row(number: int, image: int, category: int, rle: Rle) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": rle.to_coco(),
        "area": rle.area,
        "iscrowd": 0,
    }


def _coco(
    images: Sequence[Mapping[str, int]], categories: Mapping[str, int], rows: Sequence[Mapping[str, Any]]
) -> Any:
    from pycocotools.coco import COCO

    table = COCO()
    table.dataset = {
        "images": list(images),
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
        "annotations": list(rows),
    }
    with contextlib.redirect_stdout(io.StringIO()):
        table.createIndex()
    return table
