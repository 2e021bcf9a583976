"""Classical interactive segmentation, measured beside the models: no training, no weights.

GrabCut: Rother et al., "GrabCut", SIGGRAPH 2004, as in OpenCV. Random walker: Grady, "Random Walks for Image
Segmentation", PAMI 2006; watershed from markers: Meyer and Beucher 1990; both as in scikit-image.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from anymask.core.arrays import BoolArray, Float64Array, UInt8Array
from anymask.core.errors import InputError, MissingExtraError
from anymask.core.images import Picture
from anymask.evaluate.predictors import Answer, Request

UNKNOWN, OBJECT, BACKGROUND = 0, 1, 2
_GRABCUT_ROUNDS = 5
_WALKER_BETA = 130.0  # scikit-image's default: how strongly a colour step stops the walker

Method = Callable[[UInt8Array, Request], BoolArray]
"""(H, W, 3) uint8 pixels and a request -> (H, W) bool mask."""


@dataclass(frozen=True)
class Baseline:
    """A classical method as a predictor; it makes no guess of its masks' IoU."""

    name: str
    method: Method
    sha256: str = ""

    def open(self, picture: Picture) -> BaselineScene:
        """Nothing is shared between prompts."""
        return BaselineScene(picture, self.method)


class BaselineScene:
    """A picture as a method sees it. Answers have no state: the masks themselves say what came before."""

    def __init__(self, picture: Picture, method: Method) -> None:
        self._pixels, self._method = picture.pixels, method

    def predict_many(self, requests: Sequence[Request]) -> list[Answer]:
        """One mask per request."""
        return [Answer((self._method(self._pixels, request),)) for request in requests]


def grabcut(pixels: UInt8Array, request: Request) -> BoolArray:
    """GrabCut, five rounds.

    With a box, what lies outside is background and the inside probably object. With clicks or a stroke alone,
    a centred rectangle of half the picture's sides round what is included is probably object, the rest
    probably background. What was answered before replaces these guesses; clicks and strokes are certain.
    """
    import cv2

    trimap = _grabcut_guess(pixels.shape[:2], request)
    seeds = marked(request, pixels.shape[:2])
    trimap[seeds == OBJECT], trimap[seeds == BACKGROUND] = cv2.GC_FGD, cv2.GC_BGD
    objects = np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if objects.all() or not objects.any():  # GrabCut needs examples of both
        return objects
    cv2.setRNGSeed(0)  # its mixtures start from a random clustering
    no_box = (0, 0, 1, 1)  # OpenCV does not read it in this mode
    models: tuple[Float64Array, Float64Array] = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(
        np.ascontiguousarray(pixels[..., ::-1]),
        trimap,
        no_box,
        *models,
        _GRABCUT_ROUNDS,
        cv2.GC_INIT_WITH_MASK,
    )
    mask: BoolArray = np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD))
    return mask


def random_walker(pixels: UInt8Array, request: Request) -> BoolArray:
    """Each pixel goes to the seed that a random walk from it reaches first with the higher probability.

    Seeds as in `seeds`.
    """
    segmentation = _skimage("segmentation")
    labels = seeds(request, pixels.shape[:2])
    if not (labels == UNKNOWN).any():
        everywhere: BoolArray = labels == OBJECT
        return everywhere
    # prob_tol: rounding that carries a probability out of [0, 1] does not change which one is larger.
    found = segmentation.random_walker(
        pixels, labels, beta=_WALKER_BETA, mode="cg_j", prob_tol=np.inf, channel_axis=-1
    )
    mask: BoolArray = found == OBJECT
    return mask


def watershed(pixels: UInt8Array, request: Request) -> BoolArray:
    """Flooding of the picture's gradient (Sobel) from seeds of object and background, as in `seeds`."""
    filters, segmentation = _skimage("filters"), _skimage("segmentation")
    slope = filters.sobel(pixels.astype(np.float64) / 255, axis=(0, 1)).max(-1)
    mask: BoolArray = segmentation.watershed(slope, seeds(request, pixels.shape[:2])) == OBJECT
    return mask


def seeds(request: Request, image_hw: tuple[int, int]) -> UInt8Array:
    """(H, W) uint8 of UNKNOWN, OBJECT, BACKGROUND for methods that grow regions.

    Clicks and strokes as in `marked`. With a box, everything outside is background, and its middle third is
    object if nothing is clicked. Without a box, the picture's outermost pixels are background.
    """
    labels = marked(request, image_hw)
    clicked = labels != UNKNOWN
    if request.box is not None:
        x0, y0, x1, y1 = _whole(request.box, image_hw)
        outside = np.ones(image_hw, bool)
        outside[y0:y1, x0:x1] = False
        labels[outside & ~clicked] = BACKGROUND
        if not (labels == OBJECT).any():
            third_x, third_y = (x1 - x0) // 3, (y1 - y0) // 3
            labels[y0 + third_y : y1 - third_y, x0 + third_x : x1 - third_x] = OBJECT
    else:
        frame = np.ones(image_hw, bool)
        frame[1:-1, 1:-1] = False
        labels[frame & ~clicked] = BACKGROUND
    return labels


def marked(request: Request, image_hw: tuple[int, int]) -> UInt8Array:
    """(H, W) uint8: OBJECT and BACKGROUND on small disks at the clicks and along the stroke, else UNKNOWN.

    A disk's radius is 1/256 of the picture's longer side, at least one pixel; later clicks win.
    """
    import cv2

    labels = np.zeros(image_hw, np.uint8)
    radius = max(1, round(max(image_hw) / 256))
    if request.scribble is not None:
        stroke = np.floor(request.scribble).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(labels, [stroke], False, OBJECT, thickness=2 * radius + 1)
    for x, y, label in request.points:
        cv2.circle(labels, (int(x), int(y)), radius, OBJECT if label else BACKGROUND, thickness=-1)
    return labels


def _grabcut_guess(image_hw: tuple[int, int], request: Request) -> UInt8Array:
    import cv2

    if request.previous is not None:
        trimap = np.where(request.previous.masks[0], cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    else:
        trimap = np.full(image_hw, cv2.GC_PR_BGD, np.uint8)
        x0, y0, x1, y1 = _whole(request.box or _round_the_middle(request, image_hw), image_hw)
        trimap[y0:y1, x0:x1] = cv2.GC_PR_FGD
    if request.box is not None:
        x0, y0, x1, y1 = _whole(request.box, image_hw)
        outside = np.ones(image_hw, bool)
        outside[y0:y1, x0:x1] = False
        trimap[outside] = cv2.GC_BGD
    return trimap


def _round_the_middle(request: Request, image_hw: tuple[int, int]) -> tuple[float, float, float, float]:
    """A rectangle of half the picture's height and width round what is pointed at."""
    included = [(x, y) for x, y, label in request.points if label]
    if request.scribble is not None:
        included += [(float(x), float(y)) for x, y in request.scribble]
    height, width = image_hw
    x, y = np.mean(included, axis=0) if included else (width / 2, height / 2)
    return x - width / 4, y - height / 4, x + width / 4, y + height / 4


def _whole(box: tuple[float, float, float, float], image_hw: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box in whole pixels inside the picture, at least one pixel large."""
    height, width = image_hw
    x0, y0 = min(max(0, int(np.floor(box[0]))), width - 1), min(max(0, int(np.floor(box[1]))), height - 1)
    return (
        x0,
        y0,
        max(x0 + 1, min(width, int(np.ceil(box[2])))),
        max(y0 + 1, min(height, int(np.ceil(box[3])))),
    )


def _skimage(part: str) -> Any:
    try:
        return importlib.import_module(f"skimage.{part}")
    except ImportError as error:
        raise MissingExtraError(
            "random-walker and watershed need scikit-image; install it with: pip install 'anymask[evaluate]'"
        ) from error


BASELINES: Final[Mapping[str, Method]] = MappingProxyType(
    {"grabcut": grabcut, "random-walker": random_walker, "watershed": watershed}
)


def checked_baseline(name: str) -> str:
    """`name` itself. Raises InputError if it is no baseline's."""
    if name not in BASELINES:
        raise InputError(f"there is no baseline {name!r}; known are {', '.join(BASELINES)}")
    return name


def open_baseline(name: str) -> Baseline:
    """The method of that name, one of BASELINES. Raises MissingExtraError if its package is missing."""
    if name != "grabcut":
        _skimage("segmentation")
    return Baseline(name, BASELINES[name])
