"""Quick interactive measurement of a model in training, on the network's own low-resolution grid.

The clicks are the evaluation protocol's: the first at the mask's centre, the next at the centre of the
largest error.
Figures for publication come from full-size masks, not from here.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import torch

from anymask.modeling.lite import Lite
from anymask.modeling.lite.config import PIXEL_MEAN
from anymask.train.config import TrainConfig
from anymask.train.losses import true_iou
from anymask.train.procedure import Decode, as_tensors, evaluating, normalise
from anymask.train.prompts import PromptStates, bounding_box, centre_cell, largest_error
from anymask.train.shards import ShardCache
from anymask.train.views import PAD, warp, warp_mask

CLICKS = 5


def letterbox(cache: ShardCache, index: int, size: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The whole image resized to fit, and up to `most` of its masks as covered shares of stride-4 cells."""
    sample = cache.samples[index]
    scale = size / max(sample.height, sample.width)
    matrix = np.array([[scale, 0, 0], [0, scale, 0]], np.float32)
    pixels = warp(np.ascontiguousarray(cache.pixels(index)), matrix, size, PAD)
    masks = [
        warp_mask(cache.mask(index, j), matrix, size, (size, size))
        for j in range(min(most, len(sample.rles)))
    ]
    return pixels, np.stack(masks)


def measure(
    model: Lite, cache: ShardCache, config: TrainConfig, *, images: int, most: int = 5
) -> dict[str, float]:
    """Mean IoU averaged over sources.

    Keys: click1 (top candidate), oracle1 (best of three), click2 ... click5, box; worse: share of extra
    clicks that lose more than 0.05 IoU.
    """
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    device = next(model.parameters()).device
    assert PIXEL_MEAN == PAD
    with evaluating(model):
        for index in range(0, len(cache), max(1, len(cache) // images)):
            pixels, masks = letterbox(cache, index, config.image_size, most)
            masks = masks[(masks > 0.5).any((1, 2))]
            if not len(masks):
                continue
            planes = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].to(device)
            with torch.autocast(device.type, torch.bfloat16):
                features = [
                    level.expand(len(masks), -1, -1, -1) for level in model.encoder(normalise(planes))
                ]
            row = found[cache.samples[index].source]
            for name, values in measure_image(model, features, masks).items():
                row[name].extend(values)
    names = sorted({name for row in found.values() for name in row})
    return {n: float(np.mean([np.mean(row[n]) for row in found.values() if row[n]])) for n in names}


def measure_image(model: Lite, features: list[torch.Tensor], masks: np.ndarray) -> dict[str, list[float]]:
    def decode(*prompt: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast(features[0].device.type, torch.bfloat16):
            z, q = model.decoder(*features, *prompt)
        return z.float(), q.float()

    return measure_masks(decode, masks, features[0].device)


def measure_masks(decoder: Decode, masks: np.ndarray, device: torch.device) -> dict[str, list[float]]:
    """The figures of `measure`, one value a mask, of masks (N, h, w) float32 that all have a cell above 0.5.

    decoder: of these N masks' features.
    """
    truth, target = masks > 0.5, torch.from_numpy(masks[:, None]).to(device)
    row: dict[str, list[float]] = {}

    def decode(states: PromptStates, logits: torch.Tensor, flag: float) -> tuple[torch.Tensor, torch.Tensor]:
        has_mask = torch.full((len(masks),), flag, device=device)
        return decoder(*as_tensors(states, target), logits, has_mask)

    states, logits, before = PromptStates(len(masks), CLICKS), torch.zeros_like(target), None
    for i, mask in enumerate(truth):
        states.click(i, centre_cell(mask)[:2], True)
    for click in range(CLICKS):
        z, scores = decode(states, logits, float(click > 0))
        iou = true_iou(z, target)
        token = (
            scores[:, 1:].argmax(1) + 1
            if click == 0
            else torch.zeros(len(masks), dtype=torch.long, device=z.device)
        )
        chosen = iou.gather(1, token[:, None])[:, 0]
        if click == 0:
            row["oracle1"] = iou[:, 1:].amax(1).tolist()
        row[f"click{click + 1}"] = chosen.tolist()
        if before is not None:
            row.setdefault("worse", []).extend((chosen < before - 0.05).float().tolist())
        before = chosen
        logits = z.gather(1, token[:, None, None, None].expand(-1, 1, *z.shape[2:]))
        for i, (mask, guess) in enumerate(zip(truth, logits[:, 0].cpu().numpy() > 0, strict=True)):
            if (mask ^ guess).any():
                x, y = largest_error(mask, guess)
                states.click(i, (x, y), bool(mask[int(y), int(x)]))
    states = PromptStates(len(masks), CLICKS)
    for i, mask in enumerate(truth):
        states.box(i, bounding_box(mask) * 4)
    z, _ = decode(states, torch.zeros_like(target), 0.0)
    row["box"] = true_iou(z, target)[:, 0].tolist()
    return row
