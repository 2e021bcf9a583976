"""A small discriminator of true and predicted masks, trained against the model in the same step."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F


class Discriminator(nn.Module):
    """Patches of (picture, mask) at the mask's resolution -> realness (N, 1, h/8, w/8)."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        cin = 4
        for cout in (width, 2 * width, 4 * width):
            layers += [nn.Conv2d(cin, cout, 4, 2, 1), nn.GroupNorm(4, cout), nn.LeakyReLU(0.2)]
            cin = cout
        self.layers = nn.Sequential(*layers, nn.Conv2d(cin, 1, 3, 1, 1))

    def forward(self, picture: Tensor, mask: Tensor) -> Tensor:
        """picture (N, 3, h, w) about -1..1; mask (N, 1, h, w) 0..1."""
        found: Tensor = self.layers(torch.cat([picture, 2 * mask - 1], 1))
        return found


def adversarial_loss(
    judge: Discriminator, picture: Tensor, logits: Tensor, masks: Tensor, weight: float
) -> Tensor:
    """The discriminator's hinge loss (Lim and Ye, arXiv 1705.02894) plus `weight` times the masks' own.

    The first part trains the discriminator alone, the second the masks alone: to be taken for true ones.
    picture (N, 3, S, S), logits and masks (N, 1, h, w); mean over patches.
    """
    small = F.interpolate(picture, size=masks.shape[2:], mode="area")
    predicted = logits.sigmoid()
    told_apart = F.relu(1 - judge(small, masks)).mean() + F.relu(1 + judge(small, predicted.detach())).mean()
    held = {name: value.detach() for name, value in judge.named_parameters()}
    found: Tensor = functional_call(judge, held, (small, predicted))
    return told_apart - weight * found.mean()
