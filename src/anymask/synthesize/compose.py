"""Cut-outs composed onto a background, every mask known exactly (arXiv 1708.01642, 2012.07177).

Objects are pasted one after the other, each before those pasted earlier. What a mask loses to objects before
it is taken away from it, so the masks say what is visible; each also knows its whole shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from anymask.core.arrays import BoolArray, Float32Array, UInt8Array
from anymask.core.draw import soft_alpha
from anymask.core.errors import InputError
from anymask.core.masks import mask_box
from anymask.synthesize.cutouts import Cutout
from anymask.synthesize.lighting import BLENDS, grainy, matched_tone, relit, with_shadow
from anymask.synthesize.settings import SynthesisSettings

TRIES = 30  # places that are tried for an object before it is left out
LEAST_AREA = 16  # pixels that a pasted object must at least cover


@dataclass(frozen=True, eq=False)
class Placed:
    """An object in a composed picture.

    mask: (H, W) bool, what of it is visible. area: pixels of its whole shape inside the picture.
    label, origin: of the cut-out; of the background's own objects the origin is "background".
    """

    mask: BoolArray
    area: int
    label: str | None
    origin: str

    @property
    def visible(self) -> float:
        """Share of the object that nothing hides."""
        return int(self.mask.sum()) / self.area


@dataclass(frozen=True, eq=False)
class Composed:
    """pixels (H, W, 3) uint8 and the objects in it, those at the back first."""

    pixels: UInt8Array
    objects: tuple[Placed, ...]


@dataclass(frozen=True, eq=False)
class Light:
    """One light for all objects of a picture. direction: radians, where shadows fall; length: of the object's
    size; darkness 0: no shadows."""

    direction: float
    length: float
    darkness: float


def compose(
    background: UInt8Array,
    cutouts: Sequence[Cutout],
    settings: SynthesisSettings,
    rng: np.random.Generator,
    *,
    own: Sequence[Placed] = (),
    region: BoolArray | None = None,
) -> Composed:
    """Paste objects onto a background (H, W, 3) uint8.

    cutouts: what is drawn from, again and again. own: objects of the background itself, whose masks shrink
    where something is pasted over them. region: (H, W) bool, where objects may lie, with all of their pixels;
    anywhere if None, then up to the picture's edge.
    The same generator state gives the same picture. Raises InputError without a cut-out.
    """
    if not cutouts:
        raise InputError("there is no object to paste; give data with masks, or a folder of cut-outs")
    pixels = background.astype(np.float32)
    objects = list(own)
    light = draw_light(settings, rng)
    boxes: list[tuple[float, ...]] = []
    for _ in range(int(rng.integers(settings.objects[0], settings.objects[1] + 1))):
        moved = transformed(cutouts[int(rng.integers(len(cutouts)))], pixels.shape[:2], settings, rng)
        spot = place(moved, pixels.shape[:2], objects, boxes, settings, rng, region)
        if spot is None:
            continue
        patch, mask, corner = spot
        boxes.append(mask_box(mask))
        pixels = pasted(pixels, patch, mask, corner, settings, light)
        objects = [replace(one, mask=one.mask & ~mask) for one in objects]
        objects.append(Placed(mask, int(mask.sum()), moved.label, moved.origin))
    lit = grainy(relit(pixels, settings.light, rng), settings.grain, rng)
    kept = tuple(one for one in objects if one.mask.any() and one.visible >= settings.visible)
    return Composed(np.rint(lit).astype(np.uint8), kept)


def draw_light(settings: SynthesisSettings, rng: np.random.Generator) -> Light:
    """The light of one picture."""
    casts = rng.random() < settings.shadow and settings.blend == "soft"
    darkness = rng.uniform(*settings.darkness) if casts else 0.0
    return Light(rng.uniform(0, 2 * np.pi), rng.uniform(0.03, 0.2), darkness)


def transformed(
    cutout: Cutout, image_hw: tuple[int, ...], settings: SynthesisSettings, rng: np.random.Generator
) -> Cutout:
    """The cut-out mirrored, turned and scaled at random, cut to its new box with its margin."""
    x0, y0, x1, y1 = mask_box(cutout.mask)
    scale = rng.uniform(*settings.scale)
    if settings.size[1] > 0:
        scale = rng.uniform(*settings.size) * max(image_hw) / max(x1 - x0, y1 - y0, 1)
    angle = rng.uniform(-settings.turn, settings.turn)
    flip = -1.0 if rng.random() < settings.flip else 1.0
    height, width = cutout.mask.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    matrix = turn @ np.array([[flip, 0, width if flip < 0 else 0], [0, 1, 0], [0, 0, 1]])
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], float)
    low, high = np.floor(corners.min(1)), np.ceil(corners.max(1))
    matrix[:, 2] -= low
    size = tuple(int(v) for v in np.maximum(high - low, 1))
    smooth = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    pixels = cv2.warpAffine(cutout.pixels, matrix, size, flags=smooth, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(cutout.mask.astype(np.float32), matrix, size, flags=cv2.INTER_LINEAR) >= 0.5
    return replace(cutout, pixels=np.asarray(pixels, np.uint8), mask=mask)


def place(
    cutout: Cutout,
    image_hw: tuple[int, ...],
    objects: Sequence[Placed],
    boxes: Sequence[tuple[float, ...]],
    settings: SynthesisSettings,
    rng: np.random.Generator,
    region: BoolArray | None,
) -> tuple[Cutout, BoolArray, tuple[int, int]] | None:
    """A place where the object may lie: (cut-out, its mask in the picture, corner x, y); None if none is
    found.
    """
    area = int(cutout.mask.sum())
    if area < LEAST_AREA:
        return None
    height, width = image_hw
    h, w = cutout.mask.shape
    for _ in range(TRIES):
        centre = target(region, height, width, rng)
        corner = (round(centre[0] - w / 2), round(centre[1] - h / 2))
        mask = in_picture(cutout.mask, corner, (height, width))
        inside = int(mask.sum())
        if inside < max(LEAST_AREA, settings.visible * area):
            continue
        if region is not None and (inside < area or not region[mask].all()):
            continue
        if any(box_iou(mask_box(mask), box) > settings.overlap for box in boxes):
            continue
        if any(hides_too_much(one, mask, settings.visible) for one in objects):
            continue
        return cutout, mask, corner
    return None


def target(
    region: BoolArray | None, height: int, width: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Where an object's middle might lie, x and y: anywhere, or at a pixel of the region."""
    if region is None:
        return float(rng.uniform(0, width)), float(rng.uniform(0, height))
    ys, xs = np.nonzero(region)
    if not len(ys):
        raise InputError("the region in which objects may lie is empty; leave it away or give another")
    chosen = int(rng.integers(len(ys)))
    return float(xs[chosen]), float(ys[chosen])


def hides_too_much(one: Placed, mask: BoolArray, visible: float) -> bool:
    """Whether a new mask would leave less of an object than must stay visible of it."""
    left = int((one.mask & ~mask).sum())
    return left < visible * one.area and left < int(one.mask.sum())


def pasted(
    pixels: Float32Array,
    cutout: Cutout,
    mask: BoolArray,
    corner: tuple[int, int],
    settings: SynthesisSettings,
    light: Light,
) -> Float32Array:
    """The picture with the object on it, its shadow below it."""
    if light.darkness:
        size = float(np.sqrt(mask.sum()))
        length = light.length * size
        pixels = with_shadow(pixels, mask, light.direction, length, light.darkness, length / 2)
    rows, columns, part = overlap(cutout.mask.shape, corner, mask.shape)
    patch, shape = cutout.pixels[part].astype(np.float32), cutout.mask[part]
    ground = pixels[rows, columns]
    toned = matched_tone(patch, shape, ground, settings.match) if settings.blend == "soft" else patch
    drawn = BLENDS[settings.blend](toned, shape, ground)
    alpha = soft_alpha(shape, settings.feather)[..., None]
    mixed = pixels.copy()
    mixed[rows, columns] = drawn * alpha + ground * (1 - alpha)
    return mixed


def in_picture(mask: BoolArray, corner: tuple[int, int], image_hw: tuple[int, ...]) -> BoolArray:
    """A small mask whose corner lies at (x, y) of the picture, as the picture's mask; what lies outside is
    cut.
    """
    whole = np.zeros(image_hw, bool)
    rows, columns, part = overlap(mask.shape, corner, whole.shape)
    whole[rows, columns] = mask[part]
    return whole


def overlap(
    small_hw: tuple[int, ...], corner: tuple[int, int], image_hw: tuple[int, ...]
) -> tuple[slice, slice, tuple[slice, slice]]:
    """Rows and columns of the picture that a small array at corner (x, y) covers, and its own part there."""
    (h, w), (height, width), (x, y) = small_hw, image_hw, corner
    top, left = min(max(0, y), height), min(max(0, x), width)
    bottom, right = max(top, min(height, y + h)), max(left, min(width, x + w))
    part = (slice(top - y, bottom - y), slice(left - x, right - x))
    return slice(top, bottom), slice(left, right), part


def box_iou(a: Sequence[float], b: Sequence[float]) -> float:
    """IoU of two boxes x0, y0, x1, y1."""
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return shared / (areas[0] + areas[1] - shared) if shared else 0.0
