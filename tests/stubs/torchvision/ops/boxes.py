"""Box areas and non-maximum suppression, as everything mode needs them."""

import torch
from torch import Tensor


def box_area(boxes: Tensor) -> Tensor:
    """(N, 4) x0, y0, x1, y1 -> (N,)."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Indices kept, best score first: a box goes if it overlaps a better one by more than the threshold."""
    areas = box_area(boxes)
    order = scores.argsort(descending=True, stable=True)
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        start = torch.maximum(boxes[best, :2], boxes[rest, :2])
        end = torch.minimum(boxes[best, 2:], boxes[rest, 2:])
        common = (end - start).clamp(min=0).prod(dim=1)
        # Boxes without area give NaN, which suppresses nothing.
        overlap = common / (areas[best] + areas[rest] - common)
        order = rest[~(overlap.double() > iou_threshold)]
    return torch.stack(kept) if kept else torch.zeros(0, dtype=torch.int64)


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """`nms` among the boxes of each group: the groups are moved apart."""
    if not len(boxes):
        return torch.zeros(0, dtype=torch.int64)
    return nms(boxes + (idxs.to(boxes) * (boxes.max() + 1))[:, None], scores, iou_threshold)
