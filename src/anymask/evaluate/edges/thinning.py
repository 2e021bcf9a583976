"""Edge non-maximum suppression: of a thick edge, the crest stays."""

from __future__ import annotations

import numpy as np

from anymask.core.arrays import Float32Array

_SCALE = 2.0
"""Standard deviation, pixels, of the smoothing from which an edge's direction is read."""


def suppress_edges(strength: Float32Array) -> Float32Array:
    """Set to 0 what is lower than its neighbour across the edge: (H, W) float32 -> the same, thinned.

    As in Canny's detector (IEEE PAMI 8(6), 1986), a pixel is compared with the two places one pixel away
    across the edge, between pixels bilinearly. An edge map is a ridge and no step, so its direction is that
    of the strongest curvature of the smoothed map (Steger, IEEE PAMI 20(2), 1998), not of its gradient, which
    vanishes on the crest. Values that stay are unchanged.
    """
    import cv2

    across_x, across_y = across(strength)
    height, width = strength.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    crest = np.ones(strength.shape, bool)
    for sign in (-1, 1):
        neighbour = cv2.remap(
            strength,
            x + sign * across_x,
            y + sign * across_y,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=0,
        )
        crest &= strength >= neighbour
    return np.where(crest, strength, np.float32(0))


def across(strength: Float32Array) -> tuple[Float32Array, Float32Array]:
    """x and y of the unit vector across the ridge at each pixel, (H, W) float32 each.

    It is the eigenvector of the Hessian whose eigenvalue is largest in magnitude: the lowest on the crest,
    the highest at the foot of the ridge.
    """
    import cv2

    smooth = cv2.GaussianBlur(strength, (0, 0), _SCALE, borderType=cv2.BORDER_REPLICATE)
    xx, xy, yy = (
        cv2.Sobel(smooth, cv2.CV_32F, *order, borderType=cv2.BORDER_REPLICATE)
        for order in ((2, 0), (1, 1), (0, 2))
    )
    # Half the angle of (xx - yy, 2 xy) points along the highest eigenvalue; a right angle to it, the lowest.
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.where(xx + yy < 0, np.float32(np.pi / 2), np.float32(0))
    return np.cos(angle), np.sin(angle)
