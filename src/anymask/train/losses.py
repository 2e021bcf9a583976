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
