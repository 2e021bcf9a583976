"""The helpers of `segment_anything.utils.amg` that callers import: arrays give arrays, tensors tensors.

Run-length encodings here are COCO's uncompressed ones: `{"size": [h, w], "counts": [...]}`, the lengths of
runs down the columns, zeros first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from anymask.automatic.crops import image_crops
from anymask.automatic.points import point_grid
from anymask.compat.tensors import Tensor, as_given, to_array
from anymask.core.arrays import BoolArray, Float64Array
from anymask.core.errors import InputError
from anymask.core.regions import fill_holes, remove_islands
from anymask.core.rle import Rle, decode, from_runs
from anymask.core.upscale import Window

Masks = npt.NDArray[Any] | Tensor
UncompressedRle = dict[str, Any]


def is_box_near_crop_edge(
    boxes: Masks, crop_box: list[int], orig_box: list[int], atol: float = 20.0
) -> Masks:
    """(B, 4) boxes of a crop -> (B,) whether one lies at a side of the crop that is no side of the image."""
    corners = to_array(uncrop_boxes_xyxy(boxes, crop_box)).astype(np.float32)
    at_crop = np.abs(corners - np.array(crop_box, np.float32)) <= atol
    at_image = np.abs(corners - np.array(orig_box, np.float32)) <= atol
    cut_off: BoolArray = np.any(at_crop & ~at_image, axis=1)
    return as_given(cut_off, boxes)


def box_xyxy_to_xywh(box_xyxy: Any) -> Any:
    """x0, y0, x1, y1 -> x, y, width, height; an array, tensor or list stays what it is."""
    box = box_xyxy.clone() if hasattr(box_xyxy, "clone") else box_xyxy.copy()
    box[2], box[3] = box[2] - box[0], box[3] - box[1]
    return box


def batch_iterator(batch_size: int, *args: Any) -> Iterator[list[Any]]:
    """Equally long sequences in pieces of `batch_size`. Raises InputError if their lengths differ."""
    if not args or len({len(values) for values in args}) != 1:
        raise InputError(f"lengths are {[len(values) for values in args]}; give sequences of one length")
    for start in range(0, len(args[0]), batch_size):
        yield [values[start : start + batch_size] for values in args]


def mask_to_rle_pytorch(tensor: Masks) -> list[UncompressedRle]:
    """(B, H, W) bool -> one uncompressed RLE per mask."""
    masks = to_array(tensor).astype(np.bool_)
    return [_runs(mask) for mask in masks]


def rle_to_mask(rle: UncompressedRle) -> BoolArray:
    """An uncompressed RLE -> (H, W) bool. Raises FormatError if the runs do not fill it."""
    return decode(_compressed(rle))


def area_from_rle(rle: UncompressedRle) -> int:
    """Set pixels of an uncompressed RLE."""
    return int(sum(rle["counts"][1::2]))


def coco_encode_rle(uncompressed_rle: UncompressedRle) -> dict[str, Any]:
    """An uncompressed RLE -> COCO's compressed one with text counts. Raises FormatError as `rle_to_mask`."""
    return _compressed(uncompressed_rle).to_coco()


def calculate_stability_score(masks: Masks, mask_threshold: float, threshold_offset: float) -> Masks:
    """Logits (..., H, W) -> IoU (...) of the masks at threshold + offset and - offset; NaN for empty ones."""
    logits = to_array(masks)
    strict = (logits > mask_threshold + threshold_offset).sum(axis=(-2, -1))
    loose = (logits > mask_threshold - threshold_offset).sum(axis=(-2, -1))
    with np.errstate(invalid="ignore"):
        return as_given((strict / loose).astype(np.float32), masks)


def build_point_grid(n_per_side: int) -> Float64Array:
    """n x n points evenly spaced in [0, 1] x [0, 1]: (n * n, 2) float64."""
    return point_grid(n_per_side).copy()


def build_all_layer_point_grids(n_per_side: int, n_layers: int, scale_per_layer: int) -> list[Float64Array]:
    """The grids of all layers of crops, each `scale_per_layer` times coarser than the one before."""
    return [build_point_grid(int(n_per_side / scale_per_layer**layer)) for layer in range(n_layers + 1)]


def generate_crop_boxes(
    im_size: tuple[int, ...], n_layers: int, overlap_ratio: float
) -> tuple[list[list[int]], list[int]]:
    """Crops of an image of `im_size` (H, W) as x0, y0, x1, y1, and the layer of each."""
    crops = image_crops((im_size[0], im_size[1]), n_layers, overlap_ratio)
    windows = [crop.window for crop in crops]
    return [[w.x0, w.y0, w.x1, w.y1] for w in windows], [crop.layer for crop in crops]


def uncrop_boxes_xyxy(boxes: Masks, crop_box: list[int]) -> Masks:
    """Boxes (..., 4) of a crop -> the same in the image."""
    x0, y0 = crop_box[:2]
    return as_given(to_array(boxes) + np.array([x0, y0, x0, y0]), boxes)


def uncrop_points(points: Masks, crop_box: list[int]) -> Masks:
    """Points (..., 2) of a crop -> the same in the image."""
    return as_given(to_array(points) + np.array(crop_box[:2]), points)


def uncrop_masks(masks: Masks, crop_box: list[int], orig_h: int, orig_w: int) -> Masks:
    """Masks (..., h, w) of a crop -> (..., orig_h, orig_w) of the image, zero outside the crop."""
    inside = to_array(masks)
    x0, y0, x1, y1 = crop_box
    whole = np.zeros((*inside.shape[:-2], orig_h, orig_w), inside.dtype)
    whole[(..., *Window(y0, y1, x0, x1).slices)] = inside
    return as_given(whole, masks)


def remove_small_regions(mask: BoolArray, area_thresh: float, mode: str) -> tuple[BoolArray, bool]:
    """An (H, W) mask without its "holes" or "islands" of fewer pixels, and whether it had any.

    If all islands are smaller, the largest stays. Raises InputError for another mode.
    """
    if mode not in ("holes", "islands"):
        raise InputError(f"mode is {mode!r}; give 'holes' or 'islands'")
    array = to_array(mask).astype(np.bool_)
    tidy = fill_holes(array, area_thresh) if mode == "holes" else remove_islands(array, area_thresh)
    alone = mode == "islands" and 0 < np.count_nonzero(tidy) < area_thresh
    return tidy, bool(alone or not np.array_equal(tidy, array))


def batched_mask_to_box(masks: Masks) -> Masks:
    """Masks (..., H, W) -> boxes (..., 4) x0, y0, x1, y1 from the first to the last pixel; zeros if empty."""
    array = to_array(masks).astype(np.bool_)
    height, width = array.shape[-2:]
    if array.size == 0:
        return as_given(np.zeros((*array.shape[:-2], 4), np.int64), masks)
    rows: BoolArray = np.any(array, axis=-1)
    columns: BoolArray = np.any(array, axis=-2)
    sides = (
        columns.argmax(axis=-1),
        rows.argmax(axis=-1),
        width - 1 - columns[..., ::-1].argmax(axis=-1),
        height - 1 - rows[..., ::-1].argmax(axis=-1),
    )
    filled: BoolArray = np.any(rows, axis=-1, keepdims=True)
    return as_given(np.stack(sides, axis=-1) * filled, masks)


def _compressed(rle: UncompressedRle) -> Rle:
    return from_runs(rle["counts"], (int(rle["size"][0]), int(rle["size"][1])))


def _runs(mask: BoolArray) -> UncompressedRle:
    """Written out here and not through `core.rle`, whose compressed text nobody asked for."""
    flat = mask.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths = np.diff(changes, prepend=0, append=flat.size).tolist()
    return {"size": list(mask.shape), "counts": [0, *lengths] if flat[:1].any() else lengths}
