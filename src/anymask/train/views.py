"""Random views of an image with its masks: what the network sees in training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from anymask.train.compose import neighbour, paste
from anymask.train.config import TrainConfig
from anymask.train.shards import ShardCache

Floats = NDArray[np.float32]
PAD = 127  # the normalised input of the padding is 0
LEAST_AREA = 4.0  # stride-4 pixels a mask must cover in the view
MOST_SHARE = 0.9  # masks above this share of the view are dropped, as in SAM


@dataclass(frozen=True, eq=False)
class View:
    """pixels (S, S, 3) uint8; masks (K, S/4, S/4) float32, covered share of each cell; 1 <= K.

    filled: (height, width) of the part of the view that is no padding.
    """

    pixels: NDArray[np.uint8]
    masks: Floats
    filled: tuple[int, int]


def frame_matrix(
    height: int, width: int, size: int, rng: np.random.Generator, config: TrainConfig
) -> tuple[Floats, tuple[int, int]]:
    """Affine map from the image to the square input: a crop or the whole, flipped or turned now and then.

    Returns the 2x3 matrix and (height, width) of the filled part of the input.
    """
    x0 = y0 = 0.0
    crop_w, crop_h = float(width), float(height)
    if rng.random() < config.crop_chance:
        share = np.sqrt(rng.uniform(config.smallest_crop, 1.0))
        stretch = np.exp(rng.uniform(-0.2, 0.2))
        crop_w, crop_h = min(width, width * share * stretch), min(height, height * share / stretch)
        x0, y0 = rng.uniform(0, width - crop_w), rng.uniform(0, height - crop_h)
    scale = size / max(crop_w, crop_h)
    if rng.random() < 0.25:
        scale *= rng.uniform(0.6, 1.0)  # smaller objects with more padding
    matrix = np.array([[scale, 0, -x0 * scale], [0, scale, -y0 * scale], [0, 0, 1]])
    out_w, out_h = crop_w * scale, crop_h * scale
    if rng.random() < config.flip_chance:
        matrix = np.array([[-1, 0, out_w], [0, 1, 0], [0, 0, 1]]) @ matrix
    if rng.random() < config.turn_chance:
        for _ in range(int(rng.integers(1, 4))):
            matrix = np.array([[0, -1, out_h], [1, 0, 0], [0, 0, 1]]) @ matrix
            out_w, out_h = out_h, out_w
    return matrix[:2].astype(np.float32), (round(out_h), round(out_w))


def shift_centres(matrix: Floats) -> Floats:
    """The same map for pixel centres at whole numbers, which is what cv2.warpAffine works with."""
    moved = matrix.astype(np.float64).copy()
    moved[:, 2] += moved[:, :2] @ [0.5, 0.5] - 0.5
    return moved.astype(np.float32)


def warp(plane: NDArray[np.uint8], matrix: Floats, size: int, border: int) -> NDArray[np.uint8]:
    warped = cv2.warpAffine(
        plane, shift_centres(matrix), (size, size), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=(border, border, border),
    )  # fmt: skip
    return warped.astype(np.uint8, copy=False)


def warp_mask(mask: NDArray[np.uint8], matrix: Floats, size: int, filled: tuple[int, int]) -> Floats:
    """Covered share of each of the size/4 x size/4 cells; nothing outside the filled (height, width)."""
    return to_cells(warp_fine(mask, matrix, size, filled))


def warp_fine(
    mask: NDArray[np.uint8], matrix: Floats, size: int, filled: tuple[int, int]
) -> NDArray[np.uint8]:
    """Covered share of each input pixel, 0 to 255; nothing outside the filled (height, width)."""
    fine = warp(mask * np.uint8(255), matrix, size, 0)
    fine[filled[0] :] = 0
    fine[:, filled[1] :] = 0
    return fine


def to_cells(fine: NDArray[np.uint8]) -> Floats:
    """(S, S) of 0 to 255 -> (S/4, S/4) float32, covered shares."""
    side = len(fine) // 4
    return cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)


def change_colours(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Brightness, contrast, tint, and now and then grey or inverted."""
    x = pixels.astype(np.float32)
    x = x * rng.uniform(0.7, 1.3) + rng.uniform(-25, 25)
    x = (x - 127) * rng.uniform(0.75, 1.25) + 127
    if rng.random() < 0.5:
        x = x * rng.uniform(0.85, 1.15, 3).astype(np.float32)
    if rng.random() < 0.12:
        x = np.repeat(x.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.03:
        x = 255 - x
    return np.clip(x, 0, 255).astype(np.uint8)


def choose_masks(areas: Floats, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`count` of the masks, balanced over sizes: each size class that occurs is equally likely."""
    usable = np.flatnonzero(areas > 0)
    if len(usable) <= count:
        return usable
    classes = np.digitize(areas[usable], [32**2, 96**2])
    weights = 1.0 / np.bincount(classes, minlength=3)[classes]
    return rng.choice(usable, count, replace=False, p=weights / weights.sum())


@dataclass(frozen=True, eq=False)
class FineView:
    """pixels (S, S, 3) uint8; masks (K, S, S) uint8, 0 to 255; filled: (height, width) that is no padding."""

    pixels: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    filled: tuple[int, int]


def make_view(cache: ShardCache, index: int, rng: np.random.Generator, config: TrainConfig) -> View | None:
    """A random view of an image; None if no mask is left in it."""
    view = fine_view(cache, index, rng, config)
    pixels, masks = view.pixels, view.masks
    if config.paste_chance and rng.random() < config.paste_chance:
        donor = fine_view(cache, int(rng.integers(len(cache))), rng, config)
        if len(donor.masks):
            pixels, masks = paste(pixels, masks, donor.pixels, donor.masks[0], rng)
            pixels, masks = blank_padding(pixels, masks, view.filled)
    cells = [low for low in map(to_cells, masks[::-1]) if usable(low, view.filled)][: config.masks]
    return View(pixels, np.stack(cells), view.filled) if cells else None


def fine_view(cache: ShardCache, index: int, rng: np.random.Generator, config: TrainConfig) -> FineView:
    """A random view at the input's resolution, with whatever masks were drawn, seen or not."""
    sample = cache.samples[index]
    size = config.image_size
    matrix, filled = frame_matrix(sample.height, sample.width, size, rng, config)
    masks = [warp_fine(mask, matrix, size, filled) for mask in drawn_masks(cache, index, rng, config)]
    pixels = np.ascontiguousarray(cache.pixels(index))
    if rng.random() < config.colour_chance:
        pixels = change_colours(pixels, rng)
    stack = np.stack(masks) if masks else np.zeros((0, size, size), np.uint8)
    return FineView(*blank_padding(warp(pixels, matrix, size, PAD), stack, filled), filled)


def drawn_masks(
    cache: ShardCache, index: int, rng: np.random.Generator, config: TrainConfig
) -> Iterator[NDArray[np.uint8]]:
    """Up to `config.masks` of an image's masks, now and then one joined with a neighbour, the wholes last."""
    chosen = [int(i) for i in choose_masks(cache.areas(index), config.masks, rng)]
    wholes = []
    if config.merge_chance and cache.samples[index].exhaustive and rng.random() < config.merge_chance:
        other = neighbour(cache, index, chosen[0], rng) if chosen else -1
        if other >= 0:
            wholes.append(cache.mask(index, chosen[0]) | cache.mask(index, other))
            chosen = [chosen[0], other, *(i for i in chosen[1:] if i != other)][: max(1, config.masks - 1)]
    yield from (cache.mask(index, i) for i in chosen)
    yield from wholes


def blank_padding(
    pixels: NDArray[np.uint8], masks: NDArray[np.uint8], filled: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Beyond the filled (height, width) the view is grey and holds no mask."""
    pixels[filled[0] :] = PAD
    pixels[:, filled[1] :] = PAD
    masks[:, filled[0] :] = 0
    masks[:, :, filled[1] :] = 0
    return pixels, masks


def usable(cells: Floats, filled: tuple[int, int]) -> bool:
    """Neither next to nothing nor nearly the whole view."""
    return LEAST_AREA <= float((cells > 0.5).sum()) <= MOST_SHARE * filled[0] * filled[1] / 16


def source_weights(cache: ShardCache) -> NDArray[np.float64]:
    """Chance of each image: a source is drawn by the square root of its size, then one of its images."""
    sources = np.array([s.source for s in cache.samples])
    names, inverse, counts = np.unique(sources, return_inverse=True, return_counts=True)
    assert len(names) > 0
    weights = (np.sqrt(counts) / counts)[inverse]
    return weights / weights.sum()


Batch = dict[str, torch.Tensor]


class ViewStream(IterableDataset[Batch]):
    """An endless stream of batches, seeded by (seed, process, loader worker, batch number).

    A batch: pixels (B, 3, S, S) uint8; masks (N, 1, S/4, S/4) float32; image (N,) int64, the image a mask
    belongs to. N = images * masks, filled up by repeating masks so that every batch has the same shape.
    """

    def __init__(self, cache: ShardCache, config: TrainConfig, *, rank: int = 0, start: int = 0) -> None:
        self.cache, self.config, self.rank, self.start = cache, config, rank, start
        self.weights = source_weights(cache)

    def __iter__(self) -> Iterator[Batch]:
        info = torch.utils.data.get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        number = self.start + worker
        while True:
            yield self.batch(np.random.default_rng((self.config.seed, self.rank, number)))
            number += workers

    def batch(self, rng: np.random.Generator) -> Batch:
        views: list[View] = []
        while len(views) < self.config.images:
            view = make_view(self.cache, int(rng.choice(len(self.cache), p=self.weights)), rng, self.config)
            if view is not None:
                views.append(view)
        pixels = np.stack([v.pixels for v in views]).transpose(0, 3, 1, 2)
        masks = np.concatenate([v.masks for v in views])
        image = np.repeat(np.arange(len(views)), [len(v.masks) for v in views])
        fill = self.config.images * self.config.masks - len(masks)
        if fill:
            again = rng.integers(len(masks), size=fill)
            masks, image = np.concatenate([masks, masks[again]]), np.concatenate([image, image[again]])
        return {
            "pixels": torch.from_numpy(np.ascontiguousarray(pixels)),
            "masks": torch.from_numpy(masks[:, None]),
            "image": torch.from_numpy(image),
        }
