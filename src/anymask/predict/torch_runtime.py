"""Torch: for GPUs, and to compare with. The networks of `modeling/` themselves."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from anymask.core.errors import MissingExtraError
from anymask.models.folder import ModelFolder
from anymask.predict.runtime import Float32, Int64, PromptBatch
from anymask.predict.staged_runtime import Decoded, Stages, whole_prompt

if TYPE_CHECKING:
    import torch

    from anymask.modeling.lite.lite import Lite
    from anymask.modeling.sam import Sam
    from anymask.models.spec import ModelSpec


def torch_stages(folder: ModelFolder, *, fast: bool, threads: int | None) -> Stages:
    """The stages of the model in a folder, on the first CUDA device or else the CPU.

    fast: bfloat16 on a CUDA device that computes in it. threads: of the CPU, for the whole process, or None.
    Raises MissingExtraError without torch, ModelError for weights that do not fit.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError(
            f"backend 'torch' cannot be imported ({error}); pip install 'anymask[torch]'"
        ) from error
    if threads is not None:
        torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    half = fast and device.type == "cuda" and torch.cuda.is_bf16_supported()
    if folder.spec.architecture == "lite":
        from anymask.modeling.load import load_lite

        return TorchLite(load_lite(folder).to(device), folder.spec)
    from anymask.modeling.load import load_sam

    return TorchSam(load_sam(folder.path).to(device), half=half)


class _OnDevice:
    """Arrays to and from a device."""

    def __init__(self, module: torch.nn.Module) -> None:
        import torch

        self._torch = torch
        self._device = next(module.parameters()).device

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return self._torch.tensor(array, device=self._device)  # a copy: arrays may be read-only

    def _array(self, tensor: torch.Tensor) -> np.ndarray:
        array: np.ndarray = tensor.float().cpu().numpy()
        return array


class TorchSam(_OnDevice):
    """Segment Anything as `Stages`; see there for the methods. half: bfloat16 where it costs no positions."""

    def __init__(self, sam: Sam, *, half: bool) -> None:
        from anymask.modeling.fast_decoder import FastDecoder

        super().__init__(sam)
        self._sam = sam.eval()
        self._decoder = FastDecoder(sam.prompt_encoder, sam.mask_decoder).eval()
        self._half = half

    def feature_shapes(self) -> Mapping[str, tuple[int, ...]]:
        config = self._sam.config
        return {"image_embedding": (1, config.prompt_dim, config.grid, config.grid)}

    def encode(self, pixels: Float32) -> dict[str, np.ndarray]:
        with self._torch.inference_mode(), self._brief():
            return {"image_embedding": self._array(self._sam.encode(self._tensor(pixels)))}

    def prepare(self, features: Mapping[str, np.ndarray]) -> tuple[torch.Tensor, Any]:
        with self._torch.inference_mode():
            embedding = self._tensor(features["image_embedding"])
            return embedding, self._decoder.prepare_image(embedding)

    def decode(self, image: tuple[torch.Tensor, Any], prompts: PromptBatch) -> Decoded:
        embedding, side = image
        with self._torch.inference_mode():
            points, labels = self._tensor(prompts.points_xy), self._tensor(prompts.labels)
            tokens = self._decoder.prompt_tokens(points, labels)
            if prompts.mask_logits is None:
                with self._brief():
                    decoded = self._decoder.token_decoder(*side, tokens)
            else:
                # In float32: this stage computes the positions of the image's cells, too.
                mask_logits = self._tensor(prompts.mask_logits)
                decoded = self._decoder.masked_token_decoder(embedding, tokens, mask_logits)

        def upscale(rows: Int64, wanted: slice) -> Float32:
            chosen = self._tensor(rows)
            with self._torch.inference_mode(), self._brief():
                logits = self._decoder.upscale(decoded.keys[chosen], decoded.mask_weights[chosen, wanted])
            return self._array(logits)

        return Decoded(self._array(decoded.scores), upscale)

    def _brief(self) -> contextlib.AbstractContextManager[object]:
        if not self._half:
            return contextlib.nullcontext()
        half: contextlib.AbstractContextManager[object] = self._torch.autocast("cuda", self._torch.bfloat16)
        return half


class TorchLite(_OnDevice):
    """`lite` as `Stages`; see there for the methods."""

    def __init__(self, lite: Lite, spec: ModelSpec) -> None:
        super().__init__(lite)
        self._lite = lite.eval()
        self._spec = spec
        self._shapes: dict[str, tuple[int, ...]] = {}

    def feature_shapes(self) -> Mapping[str, tuple[int, ...]]:
        if not self._shapes:
            size = self._spec.input_size
            encoder = self._lite.encoder
            with self._torch.inference_mode():
                features = encoder(self._torch.zeros(1, 3, size, size, device=self._device))
            self._shapes = {n: tuple(f.shape) for n, f in zip(self._spec.features, features, strict=True)}
        return self._shapes

    def encode(self, pixels: Float32) -> dict[str, np.ndarray]:
        with self._torch.inference_mode():
            features = self._lite.encoder(self._tensor(pixels))
        return {n: self._array(f) for n, f in zip(self._spec.features, features, strict=True)}

    def prepare(self, features: Mapping[str, np.ndarray]) -> list[torch.Tensor]:
        return [self._tensor(features[name]) for name in self._spec.features]

    def decode(self, image: list[torch.Tensor], prompts: PromptBatch) -> Decoded:
        given = whole_prompt(prompts, self._spec.mask_size)
        with self._torch.inference_mode():
            tensors = {name: self._tensor(array) for name, array in given.items()}
            logits, scores = self._lite.decoder(*image, **tensors)

        def upscale(rows: Int64, wanted: slice) -> Float32:
            return np.ascontiguousarray(self._array(logits)[rows, wanted])

        return Decoded(self._array(scores), upscale)
