"""The pieces of a network as graphs of a model folder, run by any engine that opens ONNX files.

Two kinds of decoder exist: one in steps (Segment Anything; `modeling/fast_decoder.py` says why), one whole
(`lite`; `click_stages.py` adds a faster way for many clicks).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from anymask.core.errors import ModelError
from anymask.models.manifest import WEIGHTS
from anymask.models.weights import read_layout
from anymask.predict.runtime import Float32, Int64, PromptBatch
from anymask.predict.staged_runtime import Decoded, whole_prompt

if TYPE_CHECKING:
    from anymask.models.spec import ModelSpec

ENCODER: Final = "encoder"
PROMPT: Final = "prompt"
PREPARE: Final = "prepare"
DECODER: Final = "decoder"
DECODER_MASKED: Final = "decoder_masked"
UPSCALE: Final = "upscale"

PROMPT_INPUTS: Final = ("points_xy", "labels", "mask_logits", "has_mask")
"""Coordinates need more than the 8 significant bits of bfloat16: 1023 would become 1024."""

Value = Any
"""An engine's own kind of array."""


class OpenGraph(Protocol):
    """A graph ready to run; not for use from two threads at a time."""

    def input_shape(self, name: str) -> tuple[int, ...]:
        """The shape of an input without dynamic axes."""
        ...

    def run(self, inputs: Mapping[str, Value]) -> Mapping[str, Value]:
        """Compute. inputs: arrays or values. The outputs are valid until the graph's next run or release."""
        ...

    def release(self) -> None:
        """Give back the memory of intermediate results; the next run takes it again."""
        ...


class Engine(Protocol):
    """Opens the graphs of one model folder."""

    def open(
        self,
        name: str,
        *,
        exact: tuple[str, ...] = (),
        brief: tuple[str, ...] = (),
        usual: Mapping[str, tuple[int, ...]] | None = None,
    ) -> OpenGraph:
        """Open `NAME.onnx`.

        exact: what is computed from these inputs alone must be computed in float32.
        brief: inputs and outputs that only other graphs see; the engine may keep them in fewer bits.
        usual: input shapes of the commonest call, for which the engine may keep the graph a second time.
        Raises ModelError if the graph or its weights cannot be read.
        """
        ...

    def value(self, array: np.ndarray) -> Value:
        """An array as the engine's own kind, to be given to several runs."""
        ...

    def array(self, value: Value) -> np.ndarray:
        """A value as an array with memory of its own."""
        ...

    def copy(self, value: Value) -> Value:
        """A value with memory of its own, whatever the bits it is kept in."""
        ...

    def take(self, value: Value, rows: Int64) -> Value:
        """Some rows (along the first axis) of a value that may be kept in fewer bits."""
        ...


@dataclass(frozen=True)
class GraphFiles:
    """The graphs in a model folder. Raises ModelError if the weights file is missing, cut short, or none."""

    folder: Path

    def __post_init__(self) -> None:
        read_layout(self.folder / WEIGHTS)

    def has(self, name: str) -> bool:
        """Whether there is a graph of this name."""
        return self._path(name).is_file()

    def graph(self, name: str) -> Path:
        """Path of a graph. Raises ModelError if it is missing."""
        path = self._path(name)
        if not path.is_file():
            raise ModelError(f"{path} is missing; remove the model and pull or import it again.")
        return path

    def broken(self, name: str, error: Exception) -> ModelError:
        """The one line for a graph that an engine cannot open."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = lines[-1][:160] if lines else "no reason given"
        path = self._path(name)
        return ModelError(f"Cannot open {path} ({reason}); remove the model and pull or import it again.")

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.onnx"


class _Encoder:
    """The image encoder's graph: pixels -> features."""

    def __init__(self, engine: Engine, spec: ModelSpec) -> None:
        self._engine = engine
        self._spec = spec

    @cached_property
    def _encoder(self) -> OpenGraph:
        return self._engine.open(ENCODER)

    def encode(self, pixels: Float32) -> dict[str, np.ndarray]:
        """See `Stages.encode`."""
        outputs = self._encoder.run({"pixels": pixels})
        return {name: self._engine.array(outputs[name]) for name in self._spec.features}


class SteppedStages(_Encoder):
    """Segment Anything: graphs prompt, prepare, decoder, decoder_masked, upscale."""

    def encode(self, pixels: Float32) -> dict[str, np.ndarray]:
        """See `Stages.encode`. A large encoder's attention maps are not kept while prompts are answered."""
        features = super().encode(pixels)
        self._encoder.release()
        return features

    def feature_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """See `Stages`."""
        return {name: self._prepare.input_shape(name) for name in self._spec.features}

    def prepare(self, features: Mapping[str, np.ndarray]) -> dict[str, Value]:
        """The features, and the image side of the decoder's first layer."""
        image = {name: self._engine.value(feature) for name, feature in features.items()}
        side = self._prepare.run(image)
        return image | {name: self._engine.copy(value) for name, value in side.items()}

    def decode(self, image: Mapping[str, Value], prompts: PromptBatch) -> Decoded:
        """See `Stages.decode`."""
        tokens = self._prompt.run({"points_xy": prompts.points_xy, "labels": prompts.labels})["tokens"]
        features = {name: image[name] for name in self._spec.features}
        if prompts.mask_logits is None:
            side = {name: value for name, value in image.items() if name not in features}
            decoded = self._decoder.run({**side, "tokens": tokens})
        else:
            masked = {**features, "tokens": tokens, "mask_logits": prompts.mask_logits}
            decoded = self._decoder_masked.run(masked)
        weights = self._engine.array(decoded["mask_weights"])

        def upscale(rows: Int64, wanted: slice) -> Float32:
            keys = self._engine.take(decoded["keys"], rows)
            chosen = np.ascontiguousarray(weights[rows, wanted])
            return self._engine.array(self._upscale.run({"keys": keys, "mask_weights": chosen})["logits"])

        return Decoded(self._engine.array(decoded["scores"]), upscale)

    @cached_property
    def _prompt(self) -> OpenGraph:
        return self._engine.open(PROMPT, exact=PROMPT_INPUTS)

    @cached_property
    def _prepare(self) -> OpenGraph:
        return self._engine.open(PREPARE)

    @cached_property
    def _decoder(self) -> OpenGraph:
        return self._engine.open(DECODER, brief=("keys",))

    @cached_property
    def _decoder_masked(self) -> OpenGraph:
        return self._engine.open(DECODER_MASKED, brief=("keys",))

    @cached_property
    def _upscale(self) -> OpenGraph:
        return self._engine.open(UPSCALE, brief=("keys",))


class WholeStages(_Encoder):
    """A decoder in one graph: features, points_xy, labels, mask_logits, has_mask -> logits, scores."""

    @cached_property
    def _decoder(self) -> OpenGraph:
        side = self._spec.mask_size
        single_click = {  # the click and its padding; a third less time than with sizes left open (OpenVINO)
            "points_xy": (1, 2, 2),
            "labels": (1, 2),
            "mask_logits": (1, 1, side, side),
            "has_mask": (1,),
        }
        return self._engine.open(DECODER, exact=PROMPT_INPUTS, usual=single_click)

    def feature_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """See `Stages`."""
        return {name: self._decoder.input_shape(name) for name in self._spec.features}

    def prepare(self, features: Mapping[str, np.ndarray]) -> dict[str, Value]:
        """The features as the engine's values."""
        return {name: self._engine.value(feature) for name, feature in features.items()}

    def decode(self, image: Mapping[str, Value], prompts: PromptBatch) -> Decoded:
        """See `Stages.decode`."""
        outputs = self._decoder.run({**image, **whole_prompt(prompts, self._spec.mask_size)})

        def upscale(rows: Int64, wanted: slice) -> Float32:
            return np.ascontiguousarray(self._engine.array(outputs["logits"])[rows, wanted])

        return Decoded(self._engine.array(outputs["scores"]), upscale)
