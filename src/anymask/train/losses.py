"""Losses per mask: focal, dice and the predicted IoU's error."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def focal_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Focal loss (Lin et al., arXiv 1708.02002, gamma 2), summed and divided by the mask's area.

    logits (N, M, h, w), target (N, 1, h, w) in 0..1 -> (N, M). A mean over all pixels would hide small
    masks.
    """
    target = target.expand_as(logits)
    probability = logits.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    agreement = probability * target + (1 - probability) * (1 - target)
    value = 0.25 * (1 - agreement) ** 2 * entropy
    area = target.sum((2, 3)).clamp(min=8.0)
    return (value.sum((2, 3)) / area).clamp(max=20.0)


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """1 - dice of the probabilities (Milletari et al., arXiv 1606.04797): (N, M)."""
    probability = logits.sigmoid()
    overlap = (probability * target).sum((2, 3))
    return 1 - (2 * overlap + 1) / (probability.sum((2, 3)) + target.sum((2, 3)) + 1)


def true_iou(logits: Tensor, target: Tensor) -> Tensor:
    """IoU of the thresholded masks, not differentiable: (N, M) in 0..1."""
    guess, mask = logits > 0, target > 0.5
    overlap = (guess & mask).sum((2, 3)).float()
    return overlap / (guess | mask).sum((2, 3)).clamp(min=1).float()


def boundary_loss(logits: Tensor, target: Tensor, reach: int = 2) -> Tensor:
    """Binary cross-entropy over the cells within `reach` of the true border, mean: (N, M).

    logits (N, M, h, w), target (N, 1, h, w) in 0..1. A mask without a border has loss 0.
    """
    side = 2 * reach + 1
    grown = F.max_pool2d(target, side, 1, reach)
    shrunk = -F.max_pool2d(-target, side, 1, reach)
    band = (grown - shrunk > 0.5).float()
    entropy = F.binary_cross_entropy_with_logits(logits, target.expand_as(logits), reduction="none")
    return (entropy * band).sum((2, 3)) / band.sum((2, 3)).clamp(min=1)


def likeness_loss(logits: Tensor, teacher: Tensor) -> Tensor:
    """Cross-entropy with a teacher's probabilities, token by token, mean over pixels: (N,).

    Distillation after Hinton et al., arXiv 1503.02531; logits and teacher (N, M, h, w).
    """
    entropy = F.binary_cross_entropy_with_logits(logits, teacher.sigmoid(), reduction="none")
    return entropy.mean((1, 2, 3))


def hardest_mean(losses: Tensor, share: float) -> Tensor:
    """Mean of the largest `share` of the losses (Shrivastava et al., arXiv 1604.03540)."""
    count = max(1, round(share * len(losses)))
    return losses.topk(count).values.mean() if count < len(losses) else losses.mean()
