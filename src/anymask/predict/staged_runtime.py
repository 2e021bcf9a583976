"""What all runtimes share: preparing pictures, checking, decoding in chunks, leaving out unwanted masks.

A backend only implements `Stages`: how to run the pieces of a network.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from anymask.core.arrays import sealed
from anymask.core.errors import EmbeddingError, ModelError, PromptError
from anymask.core.images import Picture
from anymask.predict.preprocess import network_input
from anymask.predict.runtime import ALL_TOKENS, NOT_A_POINT, Float32, Int64, LowResMasks, PromptBatch

if TYPE_CHECKING:
    from anymask.models.spec import ModelSpec

CHUNK: Final = 16
"""Prompts that `lite` decodes at once; its graphs for many clicks are compiled for so many."""
SAM_CHUNK: Final = 4
"""Prompts of Segment Anything's networks: each takes 50 MB while it is decoded, and more are no faster."""


_PREPARED: Final = 4  # images whose shared decoder work is kept; SAM's takes 14 MB each


@dataclass(frozen=True, eq=False)
class Decoded:
    """B prompts, decoded up to their scores (B, 4).

    upscale: (rows (K,) of the wanted prompts, slice of T tokens) -> logits (K, T, h, w), a copy.
    Valid until the next decode.
    """

    scores: Float32
    upscale: Callable[[Int64, slice], Float32]


def whole_prompt(prompts: PromptBatch, mask_size: int) -> dict[str, np.ndarray]:
    """Prompts for a decoder that always takes points and a mask.

    points_xy (B, N, 2), labels (B, N) with N >= 1, mask_logits (B, 1, h, w), has_mask (B,) 0 or 1.
    """
    batch = len(prompts)
    points_xy, labels, mask_logits = prompts.points_xy, prompts.labels, prompts.mask_logits
    if points_xy.shape[1] == 0:
        points_xy, labels = np.zeros((batch, 1, 2), np.float32), np.full((batch, 1), NOT_A_POINT, np.int32)
    has_mask = np.full(batch, mask_logits is not None, np.float32)
    if mask_logits is None:
        mask_logits = np.zeros((batch, 1, mask_size, mask_size), np.float32)
    return {"points_xy": points_xy, "labels": labels, "mask_logits": mask_logits, "has_mask": has_mask}


class Stages(Protocol):
    """The pieces of one network. Calls come one at a time for `encode`, and one at a time for the others."""

    def feature_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes of the features that the decoder takes."""
        ...

    def encode(self, pixels: Float32) -> dict[str, np.ndarray]:
        """(1, 3, S, S) -> features by name, float32, memory of the caller's own."""
        ...

    def prepare(self, features: Mapping[str, np.ndarray]) -> Any:
        """Everything about an image that its prompts share."""
        ...

    def decode(self, image: Any, prompts: PromptBatch) -> Decoded:
        """Decode a few prompts of an image that `prepare` made."""
        ...


class StagedRuntime:
    """A `Runtime` on top of a backend's stages. Safe to call from several threads."""

    def __init__(self, spec: ModelSpec, stages: Stages) -> None:
        self.spec = spec
        self._stages = stages
        self._chunk = CHUNK if spec.architecture == "lite" else SAM_CHUNK
        self._prepared = _Recent(_PREPARED)
        self._encoding = threading.Lock()
        self._decoding = threading.Lock()

    def encode(self, picture: Picture) -> dict[str, np.ndarray]:
        """See `Runtime.encode`. Raises ModelError if the weights give no numbers."""
        pixels = network_input(picture, self.spec)
        with self._encoding:
            features = self._stages.encode(pixels)
        if not all(np.isfinite(feature).all() for feature in features.values()):
            raise ModelError(
                f"Model {self.spec.full_name} gave NaN or infinity; its weights are damaged: "
                "remove the model and pull or import it again."
            )
        return {name: sealed(features[name]) for name in self.spec.features}

    def decode(
        self,
        features: Mapping[str, np.ndarray],
        prompts: PromptBatch,
        *,
        tokens: slice = ALL_TOKENS,
        min_score: float | None = None,
    ) -> LowResMasks:
        """See `Runtime.decode`. Raises EmbeddingError, PromptError if features or masks have other shapes."""
        self._check_prompts(prompts)
        parts = []
        for start in range(0, len(prompts), self._chunk):
            with self._decoding:
                chunk = prompts[start : start + self._chunk]
                part = self._decode_chunk(self._prepare(features), chunk, tokens, min_score)
            parts.append((part[0], part[1], part[2] + start))
        logits, scores, index = (np.concatenate(column) for column in zip(*parts, strict=True))
        return LowResMasks(logits, scores, index)

    def _decode_chunk(
        self, image: Any, prompts: PromptBatch, tokens: slice, min_score: float | None
    ) -> tuple[Float32, Float32, Int64]:
        decoded = self._stages.decode(image, prompts)
        scores = decoded.scores[:, tokens]
        wanted = np.ones(len(prompts), bool) if min_score is None else (scores >= min_score).any(axis=1)
        rows = np.flatnonzero(wanted)
        if len(rows):
            return decoded.upscale(rows, tokens), scores.copy(), rows
        nothing = np.zeros((0, scores.shape[1], self.spec.mask_size, self.spec.mask_size), np.float32)
        return nothing, scores.copy(), rows

    def _prepare(self, features: Mapping[str, np.ndarray]) -> Any:
        arrays = self._check_features(features)
        known = self._prepared.get(arrays)
        if known is None:
            plain = (np.ascontiguousarray(array, np.float32) for array in arrays)
            known = self._stages.prepare(dict(zip(self.spec.features, plain, strict=True)))
            self._prepared.put(arrays, known)
        return known

    def _check_features(self, features: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        for name, shape in self._stages.feature_shapes().items():
            given = features[name].shape if name in features else None
            if given != shape:
                raise EmbeddingError(
                    f"Feature {name!r} has shape {given}, {self.spec.full_name} needs {shape}; "
                    "embed the picture with this model."
                )
        return tuple(features[name] for name in self.spec.features)

    def _check_prompts(self, prompts: PromptBatch) -> None:
        if prompts.mask_logits is not None:
            side = self.spec.mask_size
            if prompts.mask_logits.shape[2:] != (side, side):
                raise PromptError(
                    f"mask_logits has shape {prompts.mask_logits.shape}; {self.spec.full_name} needs "
                    f"({len(prompts)}, 1, {side}, {side}): give logits of its own earlier answer."
                )


class _Recent:
    """The last few values by the identity of arrays; forgotten when the arrays go or could change."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[tuple[int, ...], tuple[list[weakref.ref[np.ndarray]], Any]] = OrderedDict()

    def get(self, arrays: tuple[np.ndarray, ...]) -> Any | None:
        key = tuple(map(id, arrays))
        if key not in self._values:
            return None
        references, value = self._values[key]
        if any(r() is not a for r, a in zip(references, arrays, strict=True)):
            del self._values[key]  # another array lives at a dead one's address
            return None
        self._values.move_to_end(key)
        return value

    def put(self, arrays: tuple[np.ndarray, ...], value: Any) -> None:
        if any(array.flags.writeable for array in arrays):
            return
        self._values[tuple(map(id, arrays))] = ([weakref.ref(array) for array in arrays], value)
        while len(self._values) > self._size:
            self._values.popitem(last=False)
