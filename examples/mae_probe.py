"""What masked autoencoding taught an encoder: a linear probe.

    python -m anymask.train.pretrain mae RUN --train train-*.tar --set minutes=14 steps=100000
    python examples/mae_probe.py RUN --train train-*.tar

The probe names the source of a picture (of those with at least 40) from the mean of the encoder's tokens, by
ridge regression on half of the pictures, measured on the other half; beside it the same for an untrained
encoder and for the picture itself at 8 x 8 pixels.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from anymask.train.pretrain.mae import MaskedAutoencoder, plain_blocks
from anymask.train.pretrain.settings import MaeSettings
from anymask.train.saved import load_checkpoint
from anymask.train.shards import ShardCache, build_cache

LEAST, MOST = 40, 80  # pictures of a source
RIDGES = (1e-3, 1e-2, 1e-1, 1.0)
Views = NDArray[np.uint8]
Features = NDArray[np.float64]


def view(pixels: NDArray[np.uint8], size: int) -> Views:
    """The whole picture as (size, size, 3)."""
    return np.asarray(cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def of_tokens(model: MaskedAutoencoder) -> Callable[[Views], Features]:
    """Views (N, S, S, 3) -> the mean of each one's tokens, nothing hidden."""

    @torch.inference_mode()
    def features(views: Views) -> Features:
        pixels = model.normalised(torch.from_numpy(views).permute(0, 3, 1, 2))
        encoder = model.encoder
        tokens = plain_blocks(encoder, (encoder.patch_embed(pixels) + encoder.pos_embed).flatten(1, 2))
        return np.asarray(model.norm(tokens).mean(1).double())

    return features


def of_pixels(views: Views) -> Features:
    """Views (N, S, S, 3) -> the pictures at 8 x 8 pixels, as vectors."""
    return np.stack([view(one, 8).reshape(-1) / 255.0 for one in views])


def probe(features: Features, classes: NDArray[np.int64], seed: int = 0) -> float:
    """Mean accuracy over classes of a ridge regression that half of the pictures choose and fit."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(classes))
    fit, choose, test = np.split(order, [len(order) * 2 // 5, len(order) // 2])
    scaled = (features - features[fit].mean(0)) / (features[fit].std(0) + 1e-9)
    scaled = np.hstack([scaled, np.ones((len(scaled), 1))])
    wanted = np.eye(classes.max() + 1)[classes]
    found = {ridge: answers(scaled, wanted, fit, ridge) for ridge in RIDGES}
    best = max(RIDGES, key=lambda ridge: accuracy(found[ridge][choose], classes[choose]))
    return accuracy(answers(scaled, wanted, np.concatenate([fit, choose]), best)[test], classes[test])


def answers(x: Features, y: Features, fit: NDArray[np.int64], ridge: float) -> NDArray[np.int64]:
    gram = x[fit].T @ x[fit] + ridge * len(fit) * np.eye(x.shape[1])
    return np.asarray((x @ np.linalg.solve(gram, x[fit].T @ y[fit])).argmax(1))


def accuracy(given: NDArray[np.int64], true: NDArray[np.int64]) -> float:
    return float(np.mean([(given[true == one] == one).mean() for one in np.unique(true)]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="folder of a MAE run")
    parser.add_argument("--train", type=Path, nargs="+", required=True)
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    options = parser.parse_args()
    settings = MaeSettings.from_dict(json.loads((options.run / "config.json").read_text()))
    torch.manual_seed(settings.seed)
    model = MaskedAutoencoder(settings).eval()
    cache = ShardCache(build_cache(options.train, options.cache, print))
    views, classes = labelled(cache, settings.image_size)
    print(f"{len(views)} pictures of {classes.max() + 1} sources, mean accuracy over sources")
    print(f"picture at 8 x 8 pixels {probe(of_pixels(views), classes):.3f}")
    print(f"untrained encoder       {probe(in_parts(of_tokens(model), views), classes):.3f}")
    state = load_checkpoint(options.run)
    if state is None:
        raise SystemExit(f"{options.run} holds no checkpoint; give the folder of a MAE run")
    model.load_state_dict(state["model"])
    print(f"pretrained encoder      {probe(in_parts(of_tokens(model), views), classes):.3f}")


def labelled(cache: ShardCache, size: int) -> tuple[Views, NDArray[np.int64]]:
    """Whole pictures of every source that has enough, and the source's number."""
    of: dict[str, list[int]] = {}
    for number, sample in enumerate(cache.samples):
        of.setdefault(sample.source, []).append(number)
    kept = [numbers[:MOST] for _, numbers in sorted(of.items()) if len(numbers) >= LEAST]
    views = [view(cache.pixels(number), size) for numbers in kept for number in numbers]
    return np.stack(views), np.repeat(np.arange(len(kept)), [len(numbers) for numbers in kept])


def in_parts(features: Callable[[Views], Features], views: Views, count: int = 64) -> Features:
    """As many pictures at a time as memory likes."""
    return np.concatenate([features(views[i : i + count]) for i in range(0, len(views), count)])


if __name__ == "__main__":
    main()
