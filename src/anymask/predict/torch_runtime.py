"""Torch: for GPUs, and to compare with. The networks of `modeling/` themselves."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from anymask.core.errors import MissingExtraError
from anymask.models.folder import ModelFolder
from anymask.predict.runtime import Float32, Int64, PromptBatch
from anymask.predict.staged_runtime import Decoded, Stages

if TYPE_CHECKING:
    import torch

    from anymask.modeling.sam import Sam


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
    from anymask.modeling.load import load_sam

    return TorchSam(load_sam(folder.path).to(device), half=half)


class TorchSam:
    """Segment Anything as `Stages`; see there for the methods. half: bfloat16 where it costs no positions."""

    def __init__(self, sam: Sam, *, half: bool) -> None:
        import torch

        from anymask.modeling.fast_decoder import FastDecoder

        self._torch = torch
        self._sam = sam.eval()
        self._decoder = FastDecoder(sam.prompt_encoder, sam.mask_decoder).eval()
        self._device = next(sam.parameters()).device
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

    def _brief(self) -> contextlib.AbstractContextManager[None]:
        if not self._half:
            return contextlib.nullcontext()
        return self._torch.autocast(self._device.type, self._torch.bfloat16)

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return self._torch.tensor(array, device=self._device)  # a copy: arrays may be read-only

    def _array(self, tensor: torch.Tensor) -> np.ndarray:
        return tensor.float().cpu().numpy()
