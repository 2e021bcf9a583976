"""Boundary IoU: how well two masks agree along their outlines; small objects and large ones count alike.

Cheng et al., "Boundary IoU" (arXiv 2103.16562): the IoU of the parts of both masks that lie within a distance
d of their own outline; d is 2 % of the image's diagonal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray
from anymask.core.errors import InputError
from anymask.core.masks import as_mask, iou, mask_box

DILATION = 0.02


def boundary_width(image_hw: tuple[int, int], dilation: float = DILATION) -> int:
    """d in pixels, at least 1: the share `dilation` of the image's diagonal, rounded."""
    return max(1, round(dilation * float(np.hypot(*image_hw))))


def inner_boundary(mask: npt.ArrayLike, width: int) -> BoolArray:
    """The set pixels of an (H, W) mask that have an unset one in the square of side 2 * width + 1 round them.

    Pixels beyond the image's border are unset. width: pixels, at least 1. Returns (H, W) bool.
    Raises InputError if width is less than 1.
    """
    import cv2

    if width < 1:
        raise InputError(f"the width of the boundary is {width}; give at least 1 pixel")
    array = as_mask(mask)
    x0, y0, x1, y1 = mask_box(array)
    part = array[y0:y1, x0:x1]
    found = np.zeros(array.shape, np.bool_)
    if part.size:
        # Nothing outside the mask's box is set, so the constant border stands for the rest of the image, too.
        square = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
        deep = cv2.erode(
            np.ascontiguousarray(part).view(np.uint8),
            square,
            borderType=cv2.BORDER_CONSTANT,
            borderValue=(0,),
        )
        found[y0:y1, x0:x1] = part & (deep == 0)
    return found


def boundary_iou(first: npt.ArrayLike, second: npt.ArrayLike, *, dilation: float = DILATION) -> float:
    """Boundary IoU of two (H, W) masks, in [0, 1]; 1.0 if both are empty.

    dilation: share of the image's diagonal. Raises InputError if the sizes differ.
    """
    one, other = as_mask(first), as_mask(second)
    return iou(*(inner_boundary(mask, boundary_width(mask.shape, dilation)) for mask in (one, other)))
