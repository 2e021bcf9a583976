"""Edge detectors without a model, to compare with: Sobel's gradient and Canny's detector (OpenCV)."""

from __future__ import annotations

import numpy as np

from anymask.core.arrays import Float32Array
from anymask.core.images import Picture
from anymask.evaluate.edges.strength import derivatives, gradient, normalise, smoothed
from anymask.evaluate.edges.thinning import suppress_edges

_SMOOTHING = 2.0
"""Standard deviation of the Gaussian before the derivative, pixels."""
_LEVELS = 99
_LOW_TO_HIGH = 0.4
"""Canny's lower threshold as a share of the upper one."""
_RANGE = 16_000
"""OpenCV's Canny wants derivatives as 16-bit whole numbers: the largest gradient becomes this."""


def sobel_edges(picture: Picture) -> Float32Array:
    """Thinned Sobel magnitude of the smoothed grey picture: (H, W) float32 in [0, 1]."""
    return suppress_edges(normalise(gradient(_grey(picture))))


def canny_edges(picture: Picture) -> Float32Array:
    """How strong a threshold Canny's detector finds each edge with: (H, W) float32 in [0, 1].

    The detector gives yes or no; here it runs with 99 upper thresholds, equally spaced up to the picture's
    largest gradient, and a pixel gets the highest one at which it is an edge.
    """
    import cv2

    x, y = derivatives(_grey(picture))
    highest = float(np.hypot(x, y).max())
    found = np.zeros(picture.image_hw, np.float32)
    if highest == 0:
        return found
    whole_x, whole_y = (np.rint(d * (_RANGE / highest)).astype(np.int16) for d in (x, y))
    for level in range(1, _LEVELS + 1):
        share = level / (_LEVELS + 1)
        high = share * _RANGE
        edges = cv2.Canny(whole_x, whole_y, _LOW_TO_HIGH * high, high, L2gradient=True)
        found[edges > 0] = share
    return found


def _grey(picture: Picture) -> Float32Array:
    """The smoothed picture in grey levels, (H, W) float32 in [0, 255]."""
    import cv2

    grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return smoothed(grey, _SMOOTHING)
