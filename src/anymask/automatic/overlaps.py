"""How masks of one image lie over each other, and which of them go for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import Float64Array
from anymask.core.rle import Rle, decode_window


def containment(rles: Sequence[Rle]) -> Float64Array:
    """(N, N) float64: the share of mask i that lies in mask j, in [0, 1]; 0 for a mask without pixels.

    Counted on the run lengths; no mask is unrolled.
    """
    from pycocotools import mask as coco_mask

    if not rles:
        return np.zeros((0, 0))
    coded = [rle.to_coco() for rle in rles]
    # For COCO's "crowd" masks the overlap is divided by the area of the first mask alone.
    shares = np.array(coco_mask.iou(coded, coded, [1] * len(coded)), np.float64)
    return np.nan_to_num(shares, copy=False)


def suppress_masks(rles: Sequence[Rle], scores: npt.ArrayLike, iou_threshold: float) -> list[int]:
    """Indices, rising, of the masks that stay.

    scores: (N,), higher is better. A mask goes if its IoU with one that stays and has a better score (or the
    same and comes earlier) is above `iou_threshold`.
    """
    ious = _pairwise_iou(rles)
    kept: list[int] = []
    for i in np.argsort(-np.asarray(scores, np.float64), kind="stable"):
        if not (ious[i, kept] > iou_threshold).any():
            kept.append(int(i))
    return sorted(kept)


def drop_covered(rles: Sequence[Rle], share: float, *, larger_first: bool) -> list[int]:
    """Indices, rising, of the masks that stay.

    Masks are laid down one by one, the larger first or the smaller first (of equally large ones the earlier);
    a mask goes if at least `share` of it is covered by what lies there already.
    """
    if not rles:
        return []
    sign = -1 if larger_first else 1
    covered = np.zeros(rles[0].size_hw, np.bool_)
    kept: list[int] = []
    for i in sorted(range(len(rles)), key=lambda i: sign * rles[i].area):
        found = decode_window(rles[i])
        if found is None:
            continue
        window, inside = found
        below = covered[window.slices]
        if np.count_nonzero(below & inside) < share * np.count_nonzero(inside):
            kept.append(i)
            below |= inside
    return sorted(kept)


def _pairwise_iou(rles: Sequence[Rle]) -> Float64Array:
    areas = np.array([rle.area for rle in rles], np.float64)
    common = containment(rles) * areas[:, None]
    joint = areas[:, None] + areas[None] - common
    return np.divide(common, joint, out=np.zeros_like(common), where=joint > 0)
