"""Prompts as the published package batches them, answered through the runtime seam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from anymask.compat.tensors import to_array
from anymask.core.arrays import AnyArray, BoolArray, Float32Array
from anymask.core.errors import ImageError, PromptError
from anymask.core.geometry import InputFrame
from anymask.core.images import Picture
from anymask.core.upscale import upscale, upscale_mask
from anymask.predict.model import AMBIGUITY_MASKS, SINGLE_MASK
from anymask.predict.runtime import BOX_CORNERS, EXCLUDE, INCLUDE, NOT_A_POINT, PromptBatch, Runtime

_POINT_LABELS = (NOT_A_POINT, EXCLUDE, INCLUDE)
_CORNERS = np.array([BOX_CORNERS], np.int32)


class Answer(NamedTuple):
    """logits: (B, C, h, w) float32, low resolution. scores: (B, C) float32, predicted IoU."""

    logits: Float32Array
    scores: Float32Array


def batch_of(point_coords: Any, point_labels: Any, boxes: Any, mask_input: Any) -> PromptBatch:
    """B prompts in the input frame, as arrays or tensors, each part None where there is none.

    point_coords: (B, N, 2). point_labels: (B, N); 1 include, 0 exclude, -1 not a point. boxes: (B, 4).
    mask_input: (B or 1, 1, h, w) low-resolution logits. Without any part it is one empty prompt.
    Raises PromptError, naming the part.
    """
    parts = (point_coords, boxes, mask_input)
    batch = next((len(part) for part in parts if part is not None), 1)
    points, labels = np.zeros((batch, 0, 2), np.float32), np.zeros((batch, 0), np.int32)
    if point_coords is not None:
        points, labels = _points(point_coords, point_labels)
        if boxes is None:
            points = np.concatenate([points, np.zeros((batch, 1, 2), np.float32)], axis=1)
            labels = np.concatenate([labels, np.full((batch, 1), NOT_A_POINT, np.int32)], axis=1)
    if boxes is not None:
        points = np.concatenate([points, _boxes(boxes, batch)], axis=1)
        labels = np.concatenate([labels, np.repeat(_CORNERS, batch, axis=0)], axis=1)
    return PromptBatch(points, labels, None if mask_input is None else _masks(mask_input, batch))


def answer(
    runtime: Runtime, features: Mapping[str, AnyArray], prompts: PromptBatch, *, multimask_output: bool
) -> Answer:
    """Three masks per prompt, or one."""
    found = runtime.decode(features, prompts, tokens=AMBIGUITY_MASKS if multimask_output else SINGLE_MASK)
    return Answer(found.logits, found.scores)


def full_logits(low_res_logits: Float32Array, frame: InputFrame) -> Float32Array:
    """(B, C, h, w) -> (B, C, H, W) float32 at the image's size."""
    batch, count = low_res_logits.shape[:2]
    whole = np.empty((batch, count, *frame.image_hw), np.float32)
    for b, c in np.ndindex(batch, count):
        whole[b, c] = upscale(low_res_logits[b, c], frame)
    return whole


def full_masks(low_res_logits: Float32Array, frame: InputFrame, threshold: float) -> BoolArray:
    """(B, C, h, w) -> (B, C, H, W) bool at the image's size."""
    batch, count = low_res_logits.shape[:2]
    whole = np.zeros((batch, count, *frame.image_hw), np.bool_)
    for b, c in np.ndindex(batch, count):
        found = upscale_mask(low_res_logits[b, c], frame, threshold)
        if found is not None:
            whole[(b, c, *found[0].slices)] = found[1]
    return whole


def picture_of(image: Any, image_format: str = "RGB") -> Picture:
    """(H, W, 3) uint8 in the given order of channels -> Picture. Raises ImageError."""
    if image_format not in ("RGB", "BGR"):
        raise ImageError(f"image_format is {image_format!r}; give 'RGB' or 'BGR'")
    pixels = np.asarray(image)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or pixels.size == 0:
        raise ImageError(
            f"the image is {pixels.dtype} {pixels.shape}; give uint8 (height, width, 3), "
            "or use anymask.load, which reads any image"
        )
    return Picture(pixels if image_format == "RGB" else pixels[..., ::-1])


def resized_picture(image: Any, original_size: tuple[int, int], input_size: int) -> Picture:
    """An image that was scaled for the model already, (3, h, w) with whole numbers 0 to 255 -> Picture.

    Raises ImageError if its size is not the one that `original_size` (H, W) is scaled to, or its values are
    fractions: a runtime takes 8-bit pixels.
    """
    pixels = to_array(image)
    expected = InputFrame(original_size, input_size).resized_hw
    if pixels.shape != (3, *expected):
        raise ImageError(
            f"the scaled image has shape {pixels.shape}; an image of {original_size} (height, width) has "
            f"{(3, *expected)} at {input_size} pixels: scale it with ResizeLongestSide({input_size})"
        )
    if not ((pixels >= 0) & (pixels <= 255) & (pixels == np.floor(pixels))).all():
        raise ImageError(
            "the scaled image holds other values than whole numbers 0 to 255; "
            "scale it with ResizeLongestSide.apply_image, or give the original to set_image"
        )
    return Picture(pixels.astype(np.uint8).transpose(1, 2, 0))


def _points(coords: Any, labels: Any) -> tuple[Float32Array, np.ndarray]:
    if labels is None:
        raise PromptError("point_coords are given without point_labels; give one label per point, 1 or 0")
    points, kinds = to_array(coords).astype(np.float32), to_array(labels).astype(np.int32)
    if points.ndim != 3 or points.shape[2] != 2 or kinds.shape != points.shape[:2]:
        raise PromptError(
            f"point_coords has shape {points.shape} and point_labels {kinds.shape}; "
            "give x, y per point and one label per point"
        )
    if not np.isin(kinds, _POINT_LABELS).all():
        found = sorted(set(kinds.ravel().tolist()))
        raise PromptError(f"point_labels holds {found}; give 1, 0, or -1 for padding")
    return points, kinds


def _boxes(boxes: Any, batch: int) -> Float32Array:
    corners = to_array(boxes).astype(np.float32)
    if corners.shape != (batch, 4):
        raise PromptError(f"boxes has shape {corners.shape}; give ({batch}, 4), one box per prompt")
    return corners.reshape(batch, 2, 2)


def _masks(mask_input: Any, batch: int) -> Float32Array:
    masks = to_array(mask_input).astype(np.float32)
    if masks.ndim != 4 or masks.shape[1] != 1 or masks.shape[0] not in (1, batch):
        raise PromptError(
            f"mask_input has shape {masks.shape}; give ({batch}, 1, h, w), the low-resolution logits "
            "of a prediction"
        )
    return np.broadcast_to(masks, (batch, *masks.shape[1:]))
