"""One training step: rounds of prompts on a batch, one module so that parallel wrappers can hold it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from anymask.core.errors import InputError
from anymask.modeling.lite import Lite
from anymask.modeling.lite.config import PIXEL_MEAN, PIXEL_STD
from anymask.modeling.lite.efficientnet import EfficientNet
from anymask.modeling.lite.layers import Backbone
from anymask.train.adversary import Discriminator, adversarial_loss
from anymask.train.config import TrainConfig
from anymask.train.losses import (
    boundary_loss,
    dice_loss,
    focal_loss,
    hardest_mean,
    likeness_loss,
    true_iou,
)
from anymask.train.prompts import PromptStates, correct, first_prompts


def normalise(pixels: Tensor) -> Tensor:
    """uint8 0..255 -> float32 about -1..1, as EfficientNet-Lite expects."""
    return (pixels.float() - PIXEL_MEAN) / PIXEL_STD


def freeze_first(backbone: Backbone, blocks: int) -> None:
    """Keep the stem and the first blocks as they are: at high resolution, where training costs most."""
    if not blocks:
        return
    if not isinstance(backbone, EfficientNet) or blocks > len(backbone.blocks):
        raise InputError(f"frozen_blocks {blocks}: needs an EfficientNet with as many blocks")
    for module in (backbone.stem, *backbone.blocks[:blocks]):
        module.requires_grad_(False)


Decode = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""points_xy (N, P, 2), labels (N, P), previous logits (N, 1, h, w) and whether there are some (N,) -> logits
(N, 4, h, w) and scores (N, 4), float32, of N masks whose features it knows."""


@dataclass(frozen=True, eq=False)
class Turn:
    """One round of N masks: what they were shown and what was answered.

    prompt: as `Decode` takes it. found (N, 4, h, w), scores (N, 4), iou (N, 4) of each token's mask.
    ambiguous: (N,) a single click. chosen: (N,) the token that answers. shown: (N, 1, h, w) its logits.
    """

    number: int
    prompt: tuple[Tensor, Tensor, Tensor, Tensor]
    found: Tensor
    scores: Tensor
    iou: Tensor
    ambiguous: Tensor
    chosen: Tensor
    shown: Tensor


def turns(decode: Decode, masks: Tensor, config: TrainConfig, rng: np.random.Generator) -> Iterator[Turn]:
    """SAM's interactive training: a first prompt, then clicks where the last answer was wrong.

    masks: (N, 1, h, w) in 0..1, each with a cell above 0.5.
    """
    truth = masks[:, 0].cpu().numpy() > 0.5
    states = PromptStates(len(masks), config.points)
    single = first_prompts(
        states, truth, rng, box=config.box_chance, centre=config.centre_chance, many=config.many_chance
    )
    logits, has_mask = torch.zeros_like(masks), masks.new_zeros(len(masks))
    for number in range(config.rounds):
        prompt = (*as_tensors(states, masks), logits, has_mask)
        found, scores = decode(*prompt)
        ambiguous = torch.from_numpy(single if number == 0 else np.zeros_like(single)).to(masks.device)
        chosen = torch.where(ambiguous, scores[:, 1:].argmax(1) + 1, 0)
        shown = found.gather(1, chosen[:, None, None, None].expand(-1, 1, *found.shape[2:]))
        yield Turn(number, prompt, found, scores, true_iou(found.detach(), masks), ambiguous, chosen, shown)
        logits, has_mask = shown.detach(), torch.ones_like(has_mask)
        if number + 1 < config.rounds:
            guesses = logits[:, 0].cpu().numpy() > 0
            correct(states, truth, guesses, rng, centre=config.centre_chance, still=config.still_chance)


def turn_losses(turn: Turn, masks: Tensor, config: TrainConfig) -> Tensor:
    """(N,): the best ambiguity token for a single click, the single-mask token otherwise."""
    found, ambiguous = turn.found, turn.ambiguous
    each = config.focal_weight * focal_loss(found, masks) + config.dice_weight * dice_loss(found, masks)
    if config.boundary_weight:
        each = each + config.boundary_weight * boundary_loss(found, masks)
    mask_loss = torch.where(ambiguous, each[:, 1:].amin(1), each[:, 0])
    error = (turn.scores - turn.iou) ** 2
    score_loss = torch.where(ambiguous, error[:, 1:].mean(1), error[:, 0])
    return mask_loss + config.iou_weight * score_loss


class Procedure(nn.Module):
    """SAM's interactive training on a batch of views: returns the loss and the metrics of the step."""

    def __init__(self, model: Lite, config: TrainConfig, teacher: Lite | None = None) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.judge = Discriminator() if config.adversarial_weight else None
        self.teacher = [teacher.eval().requires_grad_(False)] if teacher else []  # a list: no submodule
        self.backbone_frozen = True
        freeze_first(model.encoder.backbone, config.frozen_blocks)
        self.decoder = torch.compile(model.decoder) if config.compile else model.decoder

    def train(self, mode: bool = True) -> Procedure:
        """The backbone's batch normalisation keeps its ImageNet statistics."""
        super().train(mode)
        self.model.encoder.backbone.eval()
        return self

    def features(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pyramid features of uint8 pixels (B, 3, S, S)."""
        device = pixels.device.type
        x = normalise(pixels).contiguous(memory_format=torch.channels_last)
        if self.backbone_frozen:
            with torch.no_grad(), torch.autocast(device, torch.bfloat16):
                maps = self.model.encoder.backbone(x)
        else:  # depth-wise convolutions train faster in float32 than in bfloat16 on CPUs
            with torch.autocast(device, torch.bfloat16, enabled=device != "cpu"):
                maps = self.model.encoder.backbone(x)
        with torch.autocast(device, torch.bfloat16):
            s16, s8, s4 = self.model.encoder.pyramid(*maps)
        return s16, s8, s4

    def forward(
        self, pixels: Tensor, masks: Tensor, image: Tensor, seed: int
    ) -> tuple[Tensor, dict[str, float]]:
        config, rng = self.config, np.random.default_rng(seed)
        features = [level[image] for level in self.features(pixels)]
        taught = self.teacher_features(pixels, image)
        total = masks.new_zeros(())
        metrics: dict[str, float] = {}
        for turn in turns(self.decoding(features), masks, config, rng):
            each = turn_losses(turn, masks, config)
            if taught:
                each = each + config.likeness_weight * self.unlikeness(turn.found, taught, turn.prompt)
            total = total + hardest_mean(each, config.hard_share)
            if self.judge is not None:
                total = total + adversarial_loss(
                    self.judge, normalise(pixels)[image], turn.shown, masks, config.adversarial_weight
                )
            for name, value in turn_metrics(turn):
                metrics[name] = value
        return total / config.rounds, metrics

    def decoding(self, features: list[Tensor]) -> Decode:
        """The decoder on these features, as `turns` asks for it."""

        def decode(*prompt: Tensor) -> tuple[Tensor, Tensor]:
            with torch.autocast(features[0].device.type, torch.bfloat16):
                found, scores = self.decoder(*features, *prompt)
            return found.float(), scores.float()

        return decode

    @torch.no_grad()
    def teacher_features(self, pixels: Tensor, image: Tensor) -> list[Tensor]:
        """What the teacher sees in the same views; empty without a teacher."""
        if not self.teacher:
            return []
        with torch.autocast(pixels.device.type, torch.bfloat16):
            levels = self.teacher[0].to(pixels.device).encoder(normalise(pixels))
        return [level[image] for level in levels]

    def unlikeness(self, found: Tensor, taught: list[Tensor], prompt: tuple[Tensor, ...]) -> Tensor:
        """How far the masks are from the teacher's for the same prompts, (N,)."""
        with torch.no_grad(), torch.autocast(found.device.type, torch.bfloat16):
            wanted, _ = self.teacher[0].decoder(*taught, *prompt)
        return likeness_loss(found, wanted.float())


def as_tensors(states: PromptStates, like: Tensor) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(states.points_xy).to(like.device), torch.from_numpy(states.labels).to(like.device)


def turn_metrics(turn: Turn) -> Iterator[tuple[str, float]]:
    """Mean IoU of the chosen candidate, clicks and boxes apart in the first round."""
    iou, ambiguous = turn.iou.gather(1, turn.chosen[:, None])[:, 0], turn.ambiguous
    if turn.number:
        yield f"iou_round{turn.number + 1}", float(iou.mean())
        return
    if bool(ambiguous.any()):
        yield "iou_click", float(iou[ambiguous].mean())
    if not bool(ambiguous.all()):
        yield "iou_box", float(iou[~ambiguous].mean())


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Eval mode without gradients; the mode before is restored."""
    before = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(before)
