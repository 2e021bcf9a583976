"""Masks of one picture found again in the next one: a film's frames, a series of the same scene.

An object is asked for anew with its old mask, box and innermost point as the prompt, once where it was and
once where its patch of the old picture fits best in the new one (normalised cross-correlation). The better
answer is kept if the model believes in it and it looks like the old object: a similar patch, similar
colours, a similar shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray, Float32Array, UInt8Array
from anymask.core.embedding import ImageEmbedding
from anymask.core.masks import as_mask, inside_point, iou, mask_box
from anymask.core.prediction import Candidate
from anymask.core.prompt import Prompt
from anymask.predict.model import Model

MIN_SCORE = 0.5
MIN_APPEARANCE = 0.75
MIN_FIT = 0.5
MIN_OVERLAP = 0.5
"""Chosen on pictures that were moved and on pictures of something else (bench/propagation.py,
docs/log.md).
"""

_SMALL = 384  # pixels of the long side in which patches are looked for
_REACH = 0.25  # of the long side, how far an object may have moved
_MARGIN = 0.15  # of the box, scenery round the object that helps to find it
_SMOOTH = 12.0  # of 256 levels of brightness


@dataclass(frozen=True, eq=False)
class Found:
    """An object found again.

    candidate: its mask. appearance: likeness of the colours, in [0, 1]. growth: new area by old. overlap: IoU
    with the old mask where it was looked for. fit: likeness of the patches there, in [-1, 1]. shift_xy: where
    that was, pixels from its old place.
    """

    candidate: Candidate
    appearance: float
    growth: float
    overlap: float
    fit: float
    shift_xy: tuple[int, int]

    @property
    def is_kept(self) -> bool:
        """Whether the model's score, colours, patch and shape all speak for it."""
        return (
            self.candidate.score >= MIN_SCORE
            and self.appearance >= MIN_APPEARANCE
            and self.fit >= MIN_FIT
            and self.overlap >= MIN_OVERLAP
        )


class _Place(NamedTuple):
    """Where an object may be, pixels from its old place, and how well its patch fits there, in [-1, 1]."""

    shift_xy: tuple[int, int]
    fit: float


def propagate(
    model: Model,
    embedding: ImageEmbedding,
    pixels: UInt8Array,
    old_pixels: UInt8Array,
    old_masks: Sequence[npt.ArrayLike],
) -> list[Found | None]:
    """Find objects of an earlier picture in a new one.

    embedding: of the new picture, `pixels` (H, W, 3). old_pixels: (h, w, 3); another size is scaled.
    old_masks: (h, w) each. Returns one `Found` per mask, or None where nothing like it is left or the mask
    was empty. Raises InputError if a mask does not have the old picture's size.
    """
    image_hw = pixels.shape[:2]
    before = _fitted(old_pixels, image_hw)
    masks = [_fitted_mask(as_mask(mask), image_hw) for mask in old_masks]
    asked = [
        (number, place, prompt)
        for number, mask in enumerate(masks)
        for place in _places(before, pixels, mask)
        if (prompt := _prompt(mask, place.shift_xy)) is not None
    ]
    answers = model.predict_many(embedding, [prompt for _, _, prompt in asked], multimask=False)
    found: list[Found | None] = [None] * len(masks)
    colours = [_histogram(before, mask) for mask in masks]
    for (number, place, _), prediction in zip(asked, answers, strict=True):
        one = _compared(prediction.best, pixels, masks[number], colours[number], place)
        best = found[number]
        if one is not None and (best is None or _merit(one) > _merit(best)):
            found[number] = one
    return found


def _compared(
    candidate: Candidate, pixels: UInt8Array, mask: BoolArray, colours: Float32Array, place: _Place
) -> Found | None:
    if candidate.area == 0:
        return None
    return Found(
        candidate,
        appearance=float(np.sqrt(colours * _histogram(pixels, candidate.mask)).sum()),
        growth=candidate.area / int(np.count_nonzero(mask)),
        overlap=iou(candidate.mask, _moved(mask, place.shift_xy)),
        fit=place.fit,
        shift_xy=place.shift_xy,
    )


def _merit(found: Found) -> float:
    return found.candidate.score * found.appearance * found.overlap


def _prompt(mask: BoolArray, shift: tuple[int, int]) -> Prompt | None:
    """The old mask at its new place; None if nothing of it lies in the picture."""
    moved = _moved(mask, shift)
    x0, y0, x1, y1 = mask_box(moved)
    if x0 == x1:
        return None
    x, y = inside_point(moved)
    return Prompt.of(moved.shape, points=[(x + 0.5, y + 0.5, 1)], box=(x0, y0, x1, y1), mask=moved)


def _places(before: UInt8Array, after: UInt8Array, mask: BoolArray) -> list[_Place]:
    """Where to look: the old place, and where the object's patch fits best."""
    import cv2

    if not mask.any():
        return []
    height, width = mask.shape
    scale = min(1.0, _SMALL / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    old, new = (cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) for pixels in (before, after))
    x0, y0, x1, y1 = (value * scale for value in mask_box(mask))
    pad_x, pad_y = _MARGIN * (x1 - x0) + 1, _MARGIN * (y1 - y0) + 1
    left, top = int(max(x0 - pad_x, 0)), int(max(y0 - pad_y, 0))
    patch = old[top : int(y1 + pad_y) + 1, left : int(x1 + pad_x) + 1]
    reach = int(_REACH * max(size))
    if int(patch.max()) == int(patch.min()):  # a flat patch fits everywhere
        return [_Place((0, 0), 1.0)]
    wide = cv2.copyMakeBorder(new, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    area = wide[top : top + len(patch) + 2 * reach, left : left + patch.shape[1] + 2 * reach]
    fit = cv2.matchTemplate(area, patch, cv2.TM_CCOEFF_NORMED)
    row, column = divmod(int(np.argmax(fit)), fit.shape[1])
    shift = round((column - reach) / scale), round((row - reach) / scale)
    here = _Place((0, 0), float(fit[reach, reach]))
    return [here] if shift == (0, 0) else [here, _Place(shift, float(fit[row, column]))]


def _moved(mask: BoolArray, shift: tuple[int, int]) -> BoolArray:
    """The mask moved by x, y pixels; what leaves the picture is cut off."""
    (x, y), (height, width) = shift, mask.shape
    moved = np.zeros_like(mask)
    moved[max(y, 0) : height + min(y, 0), max(x, 0) : width + min(x, 0)] = mask[
        max(-y, 0) : height - max(y, 0), max(-x, 0) : width - max(x, 0)
    ]
    return moved


def _histogram(pixels: UInt8Array, mask: BoolArray) -> Float32Array:
    """(3, 256) float32 shares of the mask's pixels by brightness in each channel, smoothed, so that a little
    more light is a little less alike; each row adds up to 1/3 (0 for an empty mask).
    """
    import cv2

    inside = pixels[mask]
    counts = np.stack([np.bincount(inside[:, channel], minlength=256) for channel in range(3)])
    smooth = cv2.GaussianBlur(
        counts.astype(np.float32), (0, 0), sigmaX=_SMOOTH, sigmaY=1e-6, borderType=cv2.BORDER_REPLICATE
    )
    shares: Float32Array = (smooth / np.maximum(3 * smooth.sum(axis=1, keepdims=True), 1e-9)).astype(
        np.float32
    )
    return shares


def _fitted(pixels: UInt8Array, image_hw: tuple[int, ...]) -> UInt8Array:
    import cv2

    if pixels.shape[:2] == image_hw:
        return pixels
    fitted: UInt8Array = cv2.resize(pixels, image_hw[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8)
    return fitted


def _fitted_mask(mask: BoolArray, image_hw: tuple[int, ...]) -> BoolArray:
    import cv2

    if mask.shape == image_hw:
        return mask
    fitted: BoolArray = cv2.resize(
        mask.view(np.uint8), image_hw[::-1], interpolation=cv2.INTER_NEAREST
    ).astype(np.bool_)
    return fitted
