"""`lite` with its faster way for many clicks; every other prompt takes the whole decoder.

`modeling/lite/clicks.py` says what the stages compute and why they equal the whole decoder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from anymask.predict.graph_stages import Engine, OpenGraph, WholeStages
from anymask.predict.runtime import INCLUDE, NOT_A_POINT, Float32, Int64, PromptBatch
from anymask.predict.staged_runtime import Decoded

CLICK_IMAGE: Final = "click_image"
CLICK_DECODER: Final = "click_decoder"
CLICK_UPSCALE: Final = "click_upscale"

SHARED: Final = ("image", "nearby", "position", "here16", "here8", "field")
"""What decoding takes of an image."""
SKIPS: Final = ("skip8", "skip4")
"""What upscaling takes of it."""
_KEPT: Final = ("keys", "affinity")
_POINTS: Final = ("points_xy",)


@dataclass(frozen=True)
class ClickImage:
    """An image for both decoders. whole: for any prompt. shared: for clicks, made when first needed."""

    features: Mapping[str, np.ndarray]
    whole: Mapping[str, Any]
    shared: dict[str, Any] = field(default_factory=dict)


class ClickStages:
    """`Stages` with graphs click_image, click_decoder and click_upscale beside the whole decoder."""

    def __init__(self, engine: Engine, whole: WholeStages) -> None:
        self._engine = engine
        self._whole = whole

    def feature_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """See `Stages`."""
        return self._whole.feature_shapes()

    def encode(self, pixels: Float32) -> dict[str, np.ndarray]:
        """See `Stages.encode`."""
        return self._whole.encode(pixels)

    def prepare(self, features: Mapping[str, np.ndarray]) -> ClickImage:
        """See `Stages`."""
        return ClickImage(features, self._whole.prepare(features))

    def decode(self, image: ClickImage, prompts: PromptBatch) -> Decoded:
        """See `Stages.decode`."""
        if not self._takes(prompts):
            return self._whole.decode(image.whole, prompts)
        shared, count = self._shared(image), len(prompts)
        points_xy = _filled(prompts.points_xy[:, 0], self._decoder.input_shape("points_xy")[0])
        decoded = self._decoder.run({name: shared[name] for name in SHARED} | {"points_xy": points_xy})
        weights = self._engine.array(decoded["mask_weights"])
        skips = {name: shared[name] for name in SKIPS}

        def upscale(rows: Int64, wanted: slice) -> Float32:
            at_once = self._upscale.input_shape("points_xy")[0]
            parts = []
            for start in range(0, len(rows), at_once):
                some = _filled(rows[start : start + at_once], at_once)
                inputs = {name: self._engine.take(decoded[name], some) for name in _KEPT} | skips
                inputs |= {"points_xy": points_xy[some], "mask_weights": weights[some]}
                logits = self._engine.array(self._upscale.run(inputs)["logits"])
                parts.append(logits[: len(rows) - start, wanted])
            return np.concatenate(parts)

        return Decoded(self._engine.array(decoded["scores"])[:count], upscale)

    def _takes(self, prompts: PromptBatch) -> bool:
        """Whether these are clicks, and enough of them: few take longer than by the whole decoder."""
        return are_clicks(prompts) and 2 * len(prompts) >= self._decoder.input_shape("points_xy")[0]

    def _shared(self, image: ClickImage) -> dict[str, Any]:
        if not image.shared:
            side = self._image.run(image.features)
            image.shared.update({name: self._engine.copy(value) for name, value in side.items()})
        return image.shared

    @cached_property
    def _image(self) -> OpenGraph:
        return self._engine.open(CLICK_IMAGE, brief=SHARED + SKIPS)

    @cached_property
    def _decoder(self) -> OpenGraph:
        return self._engine.open(CLICK_DECODER, exact=_POINTS, brief=SHARED + _KEPT)

    @cached_property
    def _upscale(self) -> OpenGraph:
        return self._engine.open(CLICK_UPSCALE, exact=_POINTS, brief=SKIPS + _KEPT)


def are_clicks(prompts: PromptBatch) -> bool:
    """Whether every prompt is a single click to include and nothing else."""
    expected = np.array([INCLUDE, NOT_A_POINT], np.int32)
    fitting = prompts.mask_logits is None and prompts.labels.shape[1] == len(expected)
    return fitting and bool((prompts.labels == expected).all())


def _filled(rows: np.ndarray, count: int) -> np.ndarray:
    """Rows up to `count` of them, the last one repeated: the graphs take fixed numbers of clicks."""
    return np.concatenate([rows, np.repeat(rows[-1:], count - len(rows), axis=0)])
