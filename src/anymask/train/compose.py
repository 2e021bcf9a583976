"""Training targets beyond the annotated ones: pasted objects and unions of neighbouring regions."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from anymask.train.shards import ShardCache

Bytes = NDArray[np.uint8]

LEAST_LEFT = 0.3  # a mask of which a pasted object leaves less than this share is dropped
TOUCHING = np.ones((5, 5), np.uint8)  # regions within two pixels of each other are neighbours


def paste(
    pixels: Bytes, masks: Bytes, donor: Bytes, cut: Bytes, rng: np.random.Generator
) -> tuple[Bytes, Bytes]:
    """Copy-paste (Ghiasi et al., arXiv 2012.07177): a masked object of one view onto another.

    pixels, donor (S, S, 3) uint8; masks (K, S, S) and cut (S, S) uint8, 0 to 255 for the covered share. The
    object is scaled and moved at random. Returns the new pixels and masks, what the object hides taken away,
    the object's own mask last.
    """
    size = len(cut)
    scale = float(np.exp(rng.uniform(-0.7, 0.3)))
    ys, xs = np.nonzero(cut > 127)
    centre = np.array([xs.mean(), ys.mean()]) if len(xs) else np.full(2, size / 2)
    place = rng.uniform(0.1 * size, 0.9 * size, 2) - scale * centre
    matrix = np.array([[scale, 0, place[0]], [0, scale, place[1]]])
    moved = cv2.warpAffine(donor, matrix, (size, size), flags=cv2.INTER_LINEAR)
    cover = cv2.warpAffine(cut, matrix, (size, size), flags=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(cover, (3, 3), 0).astype(np.float32)[..., None] / 255
    mixed = (moved * soft + pixels * (1 - soft) + 0.5).astype(np.uint8)
    left = np.minimum(masks, 255 - cover[None])
    before, after = masks.astype(np.float32).sum((1, 2)), left.astype(np.float32).sum((1, 2))
    kept = left[after >= LEAST_LEFT * np.maximum(before, 1)]
    return mixed, np.concatenate([kept, cover[None]]).astype(np.uint8)


def neighbour(cache: ShardCache, index: int, which: int, rng: np.random.Generator, tries: int = 6) -> int:
    """A mask of the picture that touches mask `which` without overlapping it much; -1 if none was found."""
    own = cache.mask(index, which)
    grown = cv2.dilate(own, TOUCHING).astype(np.uint8)
    others = [i for i in range(len(cache.samples[index].rles)) if i != which]
    for other in rng.permutation(others)[:tries]:
        mask = cache.mask(index, int(other))
        overlap, area = int((mask & own).sum()), int(mask.sum())
        if overlap <= 0.1 * area and (mask & grown).any():
            return int(other)
    return -1
