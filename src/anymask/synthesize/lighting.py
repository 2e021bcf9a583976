"""What makes a pasted object belong: tone, shadow, light, grain. Pixels are float32 (H, W, 3), 0 to 255."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray, Float32Array

RING = 9  # pixels: how far round an object its surroundings are looked at
LEAST = 8.0  # grey levels: darker surroundings say nothing about a ratio


def matched_tone(patch: Float32Array, mask: BoolArray, place: Float32Array, strength: float) -> Float32Array:
    """The object's mean colour drawn towards that of the place it covers, contrast left as it is.

    patch, place (h, w, 3), mask (h, w). strength 0 changes nothing, 1 gives the place's mean.
    """
    if strength == 0 or not mask.any():
        return patch
    shift = place[mask].mean(0) - patch[mask].mean(0)
    return clipped(patch + strength * shift)


def relative(patch: Float32Array, mask: BoolArray, place: Float32Array) -> Float32Array:
    """The place, darker or lighter where the object was darker or lighter than what surrounded it."""
    kernel = np.ones((2 * RING + 1,) * 2, np.uint8)
    ring = cv2.dilate(mask.astype(np.uint8), kernel).astype(bool) & ~mask
    around = patch[ring].mean(0) if ring.any() else patch[mask].mean(0)
    ratio = patch / np.maximum(around, LEAST)
    return clipped(place * ratio)


def poisson(patch: Float32Array, mask: BoolArray, place: Float32Array) -> Float32Array:
    """The object's gradients in the place's tone (Perez et al., 2003, by OpenCV).

    The place is returned unchanged where the object is too thin to hold a gradient.
    """
    inner = mask.copy()
    inner[[0, -1]] = inner[:, [0, -1]] = False
    if inner.sum() < 9:
        return place
    x, y, w, h = cv2.boundingRect(inner.astype(np.uint8))
    whole = [np.ascontiguousarray(np.rint(v).astype(np.uint8)) for v in (patch, place)]
    centre = (x + w // 2, y + h // 2)
    mixed = cv2.seamlessClone(whole[0], whole[1], inner.astype(np.uint8) * 255, centre, cv2.NORMAL_CLONE)
    return np.asarray(mixed, np.float32)


def with_shadow(
    pixels: Float32Array, mask: BoolArray, direction: float, length: float, darkness: float, softness: float
) -> Float32Array:
    """The picture with the shadow of an object (H, W) on what lies below it.

    direction: radians, where the shadow falls. length: pixels. darkness: 0 to 1. softness: standard
    deviation of its edge, pixels.
    """
    matrix = np.array([[1, 0, length * np.cos(direction)], [0, 1, length * np.sin(direction)]], np.float32)
    height, width = mask.shape
    shade = cv2.warpAffine(mask.astype(np.float32), matrix, (width, height))
    shade = cv2.GaussianBlur(shade, (0, 0), max(softness, 0.5))
    return clipped(pixels * (1 - darkness * shade[..., None]))


def relit(pixels: Float32Array, amount: float, rng: np.random.Generator) -> Float32Array:
    """Brightness, warmth and a slow gradient of the light over the whole picture, each changed by
    `amount`.
    """
    if amount == 0:
        return pixels
    height, width = pixels.shape[:2]
    warmth = 1 + amount / 3 * rng.uniform(-1, 1) * np.array([1, 0, -1], np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)[:, None]
    slope = 1 + amount / 2 * rng.uniform(0, 1) * (np.cos(angle) * x + np.sin(angle) * y)
    light = (1 + amount * rng.uniform(-1, 1)) * slope[..., None] * warmth
    return clipped(pixels * light)


def grainy(pixels: Float32Array, sigma: float, rng: np.random.Generator) -> Float32Array:
    """Gaussian noise over everything: the camera's, the same on objects and background."""
    if sigma == 0:
        return pixels
    return clipped(pixels + rng.normal(0, sigma, pixels.shape))


def clipped(values: npt.ArrayLike) -> Float32Array:
    """float32, nothing below 0 or above 255."""
    return np.asarray(np.clip(values, 0, 255), np.float32)


BLENDS: dict[str, Callable[[Float32Array, BoolArray, Float32Array], Float32Array]] = {
    "soft": lambda patch, mask, place: patch,
    "poisson": poisson,
    "ratio": relative,
}
"""How an object's pixels come onto a place, by the name of `SynthesisSettings.blend`."""
