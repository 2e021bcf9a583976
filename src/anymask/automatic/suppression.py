"""Non-maximum suppression: of boxes that overlap too much, the best one stays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import Float32Array

_Indices = npt.NDArray[np.intp]


def box_areas(boxes_xyxy: npt.ArrayLike) -> Float32Array:
    """(N, 4) x0, y0, x1, y1 -> (N,) float32, (x1 - x0) * (y1 - y0)."""
    boxes = np.asarray(boxes_xyxy, np.float32)
    areas: Float32Array = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return areas


def suppress_overlaps(boxes_xyxy: npt.ArrayLike, scores: npt.ArrayLike, iou_threshold: float) -> _Indices:
    """Indices of the boxes that stay, the best score first (order of the input where scores are equal).

    boxes_xyxy: (N, 4). scores: (N,), higher is better. A box goes if its IoU with one that stays and comes
    before it is above `iou_threshold`. Boxes without area overlap nothing. IoUs are float32, as
    torchvision's.
    """
    boxes = np.asarray(boxes_xyxy, np.float32).reshape(-1, 4)
    order = np.argsort(-np.asarray(scores, np.float32), kind="stable")
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        order = rest[overlaps(boxes[rest], boxes[best]).astype(np.float64) <= iou_threshold]
    return np.array(kept, np.intp)


def overlaps(boxes: Float32Array, one: Float32Array) -> Float32Array:
    """IoU of boxes (N, 4) with one (4,): (N,) float32; 0 where neither has an area."""
    low = np.maximum(one[:2], boxes[:, :2])
    high = np.minimum(one[2:], boxes[:, 2:])
    common = np.maximum(high - low, 0).prod(axis=1)
    joint = box_areas(one[None]) + box_areas(boxes) - common
    iou: Float32Array = np.divide(common, joint, out=np.zeros_like(common), where=joint > 0)
    return iou
