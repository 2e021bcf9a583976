"""From everything mode's masks to edges (arXiv 2304.02643, section 7.2 and appendix D.2).

A grid of clicks, all three candidates of each, no filter by score or stability; duplicates go by their boxes.
Of each mask that stays, the Sobel magnitude of its probabilities counts where its outer boundary runs; the
picture's edge map is the largest of these, lightly smoothed, scaled to 0..1 and thinned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anymask.automatic.candidates import InclusiveBox
from anymask.automatic.decoding import Views
from anymask.automatic.settings import AutomaticSettings
from anymask.automatic.suppression import suppress_overlaps
from anymask.core.arrays import Float32Array
from anymask.core.errors import InputError
from anymask.core.geometry import InputFrame
from anymask.core.images import Picture
from anymask.core.upscale import Window, mask_window, tight, upscale_window
from anymask.evaluate.edges.thinning import suppress_edges

if TYPE_CHECKING:
    from anymask.predict.model import Model

_MARGIN = 2
"""Pixels round a mask: one for its outer boundary, one that the Sobel filter reads beyond it."""
_MOST_POINTS_PER_SIDE = 32
"""All candidates of a picture are held at once, as low-resolution logits: 800 MB with Segment Anything's."""


@dataclass(frozen=True)
class EdgeSettings:
    """The recipe's numbers; the defaults are the paper's.

    points_per_side: side of the grid of clicks. box_nms_thresh: of two masks whose boxes overlap by a higher
    IoU, the one with the better score stays (the paper names no number; this is everything mode's default).
    smoothing: standard deviation, pixels, of the Gaussian over the edge map before it is thinned; 0 for none.
    The paper speaks of "standard lightweight postprocessing, including edge NMS"; without any, outlines that
    several masks draw a pixel apart stay beside each other and count as errors.

    Raises InputError, naming the setting, for a value that cannot be meant.
    """

    points_per_side: int = 16
    box_nms_thresh: float = 0.7
    smoothing: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.points_per_side <= _MOST_POINTS_PER_SIDE:
            raise InputError(
                f"points_per_side is {self.points_per_side}; give a number from 1 to {_MOST_POINTS_PER_SIDE}"
            )
        if not 0 <= self.box_nms_thresh <= 1:
            raise InputError(f"box_nms_thresh is {self.box_nms_thresh}; give a number from 0 to 1")
        if not 0 <= self.smoothing <= 10:
            raise InputError(f"smoothing is {self.smoothing} pixels; give a number from 0 to 10")


class _Mask(NamedTuple):
    logits: Float32Array
    score: float
    box: InclusiveBox


def model_edges(model: Model, picture: Picture, settings: EdgeSettings) -> Float32Array:
    """The thinned edge map of a picture by a model that clicks everywhere: (H, W) float32 in [0, 1]."""
    strength = edge_strength(model, picture, settings)
    return suppress_edges(normalise(smoothed(strength, settings.smoothing)))


def edge_strength(model: Model, picture: Picture, settings: EdgeSettings) -> Float32Array:
    """The edge map before it is smoothed, scaled and thinned: (H, W) float32, Sobel magnitudes."""
    everything = AutomaticSettings(
        points_per_side=settings.points_per_side, pred_iou_thresh=0, stability_score_thresh=0
    )
    views = Views(model, picture, everything)
    frame = views.embedding.frame
    found = list(_masks(views, frame))
    kept = suppress_overlaps(
        np.array([mask.box for mask in found], np.float32),
        [mask.score for mask in found],
        settings.box_nms_thresh,
    )
    strength = np.zeros(frame.image_hw, np.float32)
    for i in kept:
        edge = boundary_gradient(found[i].logits, frame)
        if edge is not None:
            window, values = edge
            np.maximum(strength[window.slices], values, out=strength[window.slices])
    return strength


def boundary_gradient(logits: Float32Array, frame: InputFrame) -> tuple[Window, Float32Array] | None:
    """One mask's edge: a window of the picture, and there the Sobel magnitude of the mask's probabilities on
    the pixels just outside the mask (8-neighbours), 0 elsewhere; None if the mask has no pixel.

    logits: (h, w) float32, low resolution.
    """
    import cv2

    around = mask_window(logits, frame)
    if around is None:
        return None
    height, width = frame.image_hw
    window = Window(
        max(around.y0 - _MARGIN, 0),
        min(around.y1 + _MARGIN, height),
        max(around.x0 - _MARGIN, 0),
        min(around.x1 + _MARGIN, width),
    )
    values = upscale_window(logits, frame, window)
    inside = (values > 0).astype(np.uint8)
    outside = cv2.dilate(inside, np.ones((3, 3), np.uint8)) > inside
    # Beyond 30 a probability is 0 or 1 to float32's last digit, and exp cannot overflow.
    probability = np.float32(1) / (np.float32(1) + np.exp(-np.clip(values, -30, 30)))
    return window, np.where(outside, gradient(probability), np.float32(0))


def smoothed(values: Float32Array, deviation: float) -> Float32Array:
    """(H, W) float32 under a Gaussian of this standard deviation, pixels; 0 leaves them as they are."""
    import cv2

    if deviation == 0:
        return values
    return cv2.GaussianBlur(values, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE)  # type: ignore[return-value]


def gradient(values: Float32Array) -> Float32Array:
    """Sobel magnitude of (H, W) float32, 3 x 3."""
    return np.hypot(*derivatives(values))


def derivatives(values: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Sobel's derivatives along x and y of (H, W) float32, 3 x 3; border pixels are repeated."""
    import cv2

    x: Float32Array = cv2.Sobel(values, cv2.CV_32F, 1, 0, borderType=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    y: Float32Array = cv2.Sobel(values, cv2.CV_32F, 0, 1, borderType=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    return x, y


def normalise(strength: Float32Array) -> Float32Array:
    """Scale (H, W) linearly, so that the lowest value becomes 0 and the highest 1; a flat map becomes 0."""
    low, high = float(strength.min()), float(strength.max())
    if high <= low:
        return np.zeros_like(strength)
    return (strength - np.float32(low)) / np.float32(high - low)


def _masks(views: Views, frame: InputFrame) -> Iterator[_Mask]:
    """All candidates with the boxes of their masks; those without a pixel have no edge and are left out."""
    for logits, score, _ in views.decode(views.crops[0], 0):
        window = mask_window(logits, frame)
        found = None if window is None else tight(window, upscale_window(logits, frame, window) > 0)
        if found is not None:
            yield _Mask(logits, score, InclusiveBox.of(found[0]))
