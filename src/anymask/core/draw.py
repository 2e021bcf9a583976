"""Masks made visible: overlay, outline, prompts, and the cut-out with a soft edge.

Every function takes (H, W, 3) uint8 RGB and gives a new array; colours are (red, green, blue), 0 to 255.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from anymask.core.arrays import BoolArray, Float32Array, UInt8Array
from anymask.core.errors import InputError
from anymask.core.masks import as_mask, mask_box
from anymask.core.prompt import Prompt

Colour = tuple[int, int, int]

INCLUDE: Colour = (46, 204, 113)
EXCLUDE: Colour = (231, 76, 60)
BOX: Colour = (255, 196, 0)
_WHITE: Colour = (255, 255, 255)
_GOLDEN_TURN = 0.618034  # of the colour circle: neighbours in the list get colours far apart
_FIRST_HUE = 0.7
_LIGHTNESS = (0.65, 0.78, 0.58)
_CHROMA = 0.25
_SUBPIXEL = 4  # bits of fraction in OpenCV's drawing coordinates


def palette(count: int) -> list[Colour]:
    """`count` strong colours, neighbours far apart; the first is a blue.

    Hues turn by the golden angle in OKLCH (Ottosson 2020), where equal steps look equally large and equal
    lightness looks equally light; lightness takes three turns, so that like hues differ all the same.
    """
    hues = ((_FIRST_HUE + _GOLDEN_TURN * i) % 1.0 for i in range(count))
    return [_oklch(_LIGHTNESS[i % len(_LIGHTNESS)], _CHROMA, hue) for i, hue in enumerate(hues)]


def overlay(
    pixels: UInt8Array,
    masks: Iterable[npt.ArrayLike],
    *,
    colours: Sequence[Colour] | None = None,
    opacity: float = 0.45,
    outline: bool = True,
) -> UInt8Array:
    """The picture with each mask tinted, and a thin double outline round it.

    pixels: (H, W, 3) uint8. masks: (H, W) each; where they overlap the smallest is on top and gives the
        tint alone, so that colours stay clear.
    colours: one per mask; `palette` if not given. opacity: of the tint, 0 to 1.

    Raises InputError if shapes, opacity or the number of colours do not fit.
    """
    image = _canvas(pixels)
    arrays = [_fitting(mask, image) for mask in masks]
    chosen = palette(len(arrays)) if colours is None else list(colours)
    if len(chosen) < len(arrays):
        raise InputError(f"{len(chosen)} colours for {len(arrays)} masks; give one for each")
    if not 0 <= opacity <= 1:
        raise InputError(f"opacity {opacity} must lie between 0 and 1")
    largest_first = sorted(range(len(arrays)), key=lambda i: -int(np.count_nonzero(arrays[i])))
    for i in largest_first:
        _tint(image, pixels, arrays[i], chosen[i], opacity)
        if outline:
            _outline(image, arrays[i], chosen[i])
    return image


def contour(pixels: UInt8Array, mask: npt.ArrayLike, *, colour: Colour | None = None) -> UInt8Array:
    """The picture with a thin double outline (colour, white rim) round the mask, holes too.

    Raises InputError if the shapes do not fit.
    """
    image = _canvas(pixels)
    _outline(image, _fitting(mask, image), palette(1)[0] if colour is None else colour)
    return image


def draw_prompt(pixels: UInt8Array, prompt: Prompt) -> UInt8Array:
    """The picture with the prompt's points (green plus: on the object, red minus: off it) and boxes.

    Raises InputError if `pixels` is not (H, W, 3) uint8.
    """
    import cv2

    image = _canvas(pixels)
    unit = _unit(image)
    for x0, y0, x1, y1 in prompt.boxes_xyxy:
        corners = _fixed((x0, y0)), _fixed((x1, y1))
        cv2.rectangle(image, *corners, _WHITE, 3 * unit, cv2.LINE_AA, _SUBPIXEL)
        cv2.rectangle(image, *corners, BOX, unit, cv2.LINE_AA, _SUBPIXEL)
    for (x, y), label in zip(prompt.points_xy, prompt.labels, strict=True):
        _marker(image, (float(x), float(y)), bool(label), unit)
    return image


def soft_alpha(mask: npt.ArrayLike, feather: float = 1.0) -> Float32Array:
    """(H, W) mask -> (H, W) float32 opacity in [0, 1] with an edge about `feather` pixels soft to each side.

    The mask is blurred by a Gaussian of that standard deviation, in pixels; 0 leaves it hard. More than 3
    `feather` pixels inside alpha is 1, outside 0; on a straight edge it is 1/2.

    Raises InputError if the mask is not two-dimensional or feather is negative or not finite.
    """
    import cv2

    array = as_mask(mask)
    if not (np.isfinite(feather) and feather >= 0):
        raise InputError(f"feather {feather} must be a number of pixels, 0 or more")
    alpha = array.astype(np.float32)
    if feather == 0 or not array.any():
        return alpha
    reach = int(np.ceil(3 * feather))
    x0, y0, x1, y1 = mask_box(array)
    part = np.s_[max(y0 - reach, 0) : y1 + reach, max(x0 - reach, 0) : x1 + reach]
    size = 2 * reach + 1
    alpha[part] = cv2.GaussianBlur(alpha[part], (size, size), feather, borderType=cv2.BORDER_REPLICATE)
    return np.clip(alpha, 0, 1, out=alpha)


def cutout(
    pixels: UInt8Array, mask: npt.ArrayLike, *, feather: float = 1.0, crop: bool = False
) -> UInt8Array:
    """The object alone: (H, W, 4) uint8 RGBA with a soft edge, transparent (and black) everywhere else.

    In the soft edge, colours come from the nearest pixel inside the object, so that no rim of the old
    background shows on a new one. feather: as in `soft_alpha`. crop: cut to the visible part; an empty mask
    is not cropped.

    Raises InputError if the shapes do not fit or feather is negative.
    """
    image = _canvas(pixels)
    array = _fitting(mask, image)
    alpha = np.rint(soft_alpha(array, feather) * 255).astype(np.uint8)
    colour = np.where((alpha > 0)[..., None], _spread(image, array, alpha), np.uint8(0))
    cut: UInt8Array = np.dstack([colour, alpha]).astype(np.uint8)
    x0, y0, x1, y1 = mask_box(alpha)
    return np.ascontiguousarray(cut[y0:y1, x0:x1]) if crop and x1 > x0 else cut


def _spread(image: UInt8Array, mask: BoolArray, alpha: UInt8Array) -> UInt8Array:
    """`image`, but with the colour of the nearest mask pixel where alpha is positive outside the mask."""
    import cv2

    rim = (alpha > 0) & ~mask
    if not rim.any():
        return image
    x0, y0, x1, y1 = mask_box(alpha)
    part = np.s_[y0:y1, x0:x1]
    outside = np.ascontiguousarray(~mask[part]).view(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colour_of = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    colour_of[nearest[mask[part]]] = image[part][mask[part]]
    spread = image.copy()
    spread[part][rim[part]] = colour_of[nearest[rim[part]]]
    return spread


def _canvas(pixels: UInt8Array) -> UInt8Array:
    array = np.asarray(pixels)
    if array.ndim != 3 or array.shape[2] != 3 or array.size == 0 or array.dtype != np.uint8:
        raise InputError(f"pixels are {array.dtype} {array.shape}; expected uint8 (height, width, 3)")
    return array.copy()


def _fitting(mask: npt.ArrayLike, image: UInt8Array) -> BoolArray:
    array = as_mask(mask)
    if array.shape != image.shape[:2]:
        raise InputError(f"the mask has size {array.shape}, the picture {image.shape[:2]} (height, width)")
    return array


def _tint(image: UInt8Array, pixels: UInt8Array, mask: BoolArray, colour: Colour, opacity: float) -> None:
    tinted = pixels[mask] * (1 - opacity) + np.array(colour) * opacity
    image[mask] = np.rint(tinted).astype(np.uint8)


def _outline(image: UInt8Array, mask: BoolArray, colour: Colour) -> None:
    import cv2

    x0, y0, x1, y1 = mask_box(mask)
    if x0 == x1:
        return
    part = np.ascontiguousarray(mask[y0:y1, x0:x1]).view(np.uint8)
    lines, _ = cv2.findContours(part, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(x0, y0))
    unit = _unit(image)
    cv2.drawContours(image, lines, -1, _WHITE, 2 * unit, cv2.LINE_AA)
    cv2.drawContours(image, lines, -1, colour, unit, cv2.LINE_AA)


def _marker(image: UInt8Array, xy: tuple[float, float], include: bool, unit: int) -> None:
    import cv2

    radius = 6 * unit
    cv2.circle(image, _fixed(xy), (radius + unit) << _SUBPIXEL, _WHITE, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL)
    colour = INCLUDE if include else EXCLUDE
    cv2.circle(image, _fixed(xy), radius << _SUBPIXEL, colour, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL)
    x, y, arm = *xy, 0.55 * radius
    strokes = [((x - arm, y), (x + arm, y))] + ([((x, y - arm), (x, y + arm))] if include else [])
    for start, end in strokes:
        cv2.line(image, _fixed(start), _fixed(end), _WHITE, 2 * unit, cv2.LINE_AA, _SUBPIXEL)


def _fixed(xy: tuple[float, float]) -> tuple[int, int]:
    """Image coordinates (pixel 3 covers 3 to 4) as OpenCV's fixed-point ones (pixel 3 lies at 3)."""
    return round((float(xy[0]) - 0.5) * (1 << _SUBPIXEL)), round((float(xy[1]) - 0.5) * (1 << _SUBPIXEL))


def _unit(image: UInt8Array) -> int:
    """Line width in pixels: 1 up to about 900 pixels of the longer side, then growing with it."""
    longer = int(max(image.shape[:2]))
    return max(1, round(longer / 900))


def _oklch(lightness: float, chroma: float, hue: float) -> Colour:
    """A colour in OKLCH (hue in turns) as sRGB; chroma is lowered until it can be shown."""
    while True:
        linear = _oklab_to_linear(
            lightness, chroma * math.cos(2 * math.pi * hue), chroma * math.sin(2 * math.pi * hue)
        )
        if (min(linear) >= 0 and max(linear) <= 1) or chroma <= 0:
            red, green, blue = (round(255 * _gamma(min(max(part, 0.0), 1.0))) for part in linear)
            return red, green, blue
        chroma -= 0.005


def _oklab_to_linear(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    """Oklab to linear sRGB (Ottosson, "A perceptual color space for image processing", 2020)."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _gamma(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
