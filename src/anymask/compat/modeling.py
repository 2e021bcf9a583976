"""`Sam`: the model as the published package hands it from the registry to the predictor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anymask.compat.prompting import answer, batch_of, full_masks, resized_picture
from anymask.compat.tensors import Tensor, to_tensor
from anymask.core.errors import InputError, MissingExtraError, ModelError
from anymask.core.geometry import InputFrame
from anymask.predict.load import Backend
from anymask.predict.model import Model
from anymask.predict.runtime import Runtime


@dataclass(frozen=True)
class ImageEncoder:
    """What callers read of the image encoder. img_size: side of the model's square input, pixels."""

    img_size: int


class Sam:
    """A model for `SamPredictor` and `SamAutomaticMaskGenerator`, or to be called with a batch of images."""

    mask_threshold: float = 0.0
    image_format: str = "RGB"

    def __init__(self, model: Model, reload: Callable[[Backend], Model] | None = None) -> None:
        """model: from `anymask.load`; any of its models will do, also the one in the package.

        reload: the same model on another backend, for `to`.
        """
        if not isinstance(model, Model):
            raise InputError(
                f"model is a {type(model).__name__}; give one of sam_model_registry or anymask.load"
            )
        self.model = self._on_cpu = model
        self._reload = reload
        self.image_encoder = ImageEncoder(model.spec.input_size)

    @property
    def runtime(self) -> Runtime:
        """What computes."""
        return self.model.runtime

    @property
    def device(self) -> Any:
        """Where tensors live that it gives: `torch.device("cpu")`, or "cpu" if torch is not installed."""
        try:
            import torch
        except ImportError:
            return "cpu"
        return torch.device("cpu")

    def to(self, device: Any = "cpu") -> Sam:
        """Compute on "cpu" or "cuda" from now on; returns itself. Tensors it gives stay on the CPU.

        Raises ModelError for another device, or without a CUDA device; MissingExtraError without torch.
        """
        kind = str(device).split(":")[0]
        if kind == "cuda":
            self.model = self._on_cuda(str(device))
        elif kind != "cpu":
            raise ModelError(f"device is {device}; give 'cpu' or 'cuda'")
        else:
            self.model = self._on_cpu
        return self

    def eval(self) -> Sam:
        """Itself: it never trains."""
        return self

    def __call__(
        self, batched_input: Sequence[Mapping[str, Any]], multimask_output: bool
    ) -> list[dict[str, Tensor]]:
        """Masks of several images with their prompts.

        batched_input: one mapping per image: image (3, h, w), already scaled (`ResizeLongestSide`);
            original_size (H, W); and as wanted point_coords (B, N, 2), point_labels (B, N), boxes (B, 4),
            in the input frame, and mask_inputs (B, 1, 256, 256). multimask_output: three masks, or one.

        Returns per image masks (B, C, H, W) bool, iou_predictions (B, C), low_res_logits (B, C, h, w).
        Raises ImageError, PromptError.
        """
        return [self._one(record, multimask_output) for record in batched_input]

    def _on_cuda(self, device: str) -> Model:
        if self._reload is None:
            raise ModelError(f"this model cannot move to {device}; load it with sam_model_registry")
        try:
            import torch
        except ImportError as error:
            raise MissingExtraError(f"device {device} needs torch; pip install 'anymask[torch]'") from error
        if not torch.cuda.is_available():
            raise ModelError(f"device is {device}, but torch finds no CUDA device here; give 'cpu'")
        return self._reload("torch")

    def _one(self, record: Mapping[str, Any], multimask_output: bool) -> dict[str, Tensor]:
        height, width = record["original_size"]
        frame = InputFrame((int(height), int(width)), self.image_encoder.img_size)
        features = self.runtime.encode(resized_picture(record["image"], frame.image_hw, frame.input_size))
        prompts = batch_of(
            *(record.get(name) for name in ("point_coords", "point_labels", "boxes", "mask_inputs"))
        )
        found = answer(self.runtime, features, prompts, multimask_output=multimask_output)
        return {
            "masks": to_tensor(full_masks(found.logits, frame, self.mask_threshold)),
            "iou_predictions": to_tensor(found.scores),
            "low_res_logits": to_tensor(found.logits),
        }


def as_sam(model: Sam | Model) -> Sam:
    """A model of anymask as what this package works with. Raises InputError for anything else."""
    return model if isinstance(model, Sam) else Sam(model)
