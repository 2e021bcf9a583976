"""A mask of the image as the logits that a mask decoder takes as a prompt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import Float32Array, Float64Array
from anymask.core.errors import PromptError
from anymask.core.geometry import InputFrame

_SURE = 20.0  # logit of a cell wholly on or off the object: about what trained decoders give deep inside


def mask_to_logits(mask: npt.ArrayLike, frame: InputFrame, mask_size: int) -> Float32Array:
    """(H, W) mask of the image -> (mask_size, mask_size) float32 logits over the model's input square.

    A cell's logit is 20 (2 c - 1), where c in [0, 1] is the share of the cell's image area that the mask
    covers: +20 inside, -20 outside and in the padding, in between along the edge, 0 where the edge halves the
        cell. Shares
    are exact: a cell's borders may cut through pixels.

    Raises PromptError if the mask is not of the frame's image size or mask_size is below 1.
    """
    import cv2

    array = np.asarray(mask)
    if array.shape != frame.image_hw:
        raise PromptError(
            f"the mask has shape {array.shape}, the image {frame.image_hw}; give a mask of its size"
        )
    if mask_size < 1:
        raise PromptError(f"mask_size {mask_size} is not a size; give the model's mask_size")
    # The integral image is linear between pixel corners, so reading it there bilinearly gives exact areas.
    integral = cv2.integral((array != 0).view(np.uint8))
    scale_x, scale_y = frame.scale_xy
    edges = np.arange(mask_size + 1) * (frame.input_size / mask_size)
    edges_y = np.minimum(edges / scale_y, frame.image_hw[0])
    edges_x = np.minimum(edges / scale_x, frame.image_hw[1])
    corners = _read_between(_read_between(integral, edges_y).T, edges_x).T
    covered = np.diff(np.diff(corners, axis=0), axis=1)
    cells = np.outer(np.diff(edges_y), np.diff(edges_x))
    share = np.divide(covered, cells, out=np.zeros_like(covered), where=cells > 1e-9)
    return (_SURE * (2 * np.clip(share, 0, 1) - 1)).astype(np.float32)


def _read_between(values: npt.NDArray[np.generic], at: Float64Array) -> Float64Array:
    """Rows of `values` at fractional positions `at`, by linear interpolation."""
    low = np.minimum(at.astype(np.intp), len(values) - 2)
    share = (at - low)[:, None]
    below, above = values[low].astype(np.float64), values[low + 1].astype(np.float64)
    between: Float64Array = below + (above - below) * share
    return between
