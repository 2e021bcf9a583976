"""`SamPredictor`: one image at a time, then any number of prompts on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from anymask.compat.modeling import Sam, as_sam
from anymask.compat.prompting import (
    Answer,
    answer,
    batch_of,
    full_logits,
    full_masks,
    picture_of,
    resized_picture,
)
from anymask.compat.tensors import Tensor, to_array, to_tensor
from anymask.compat.utils.transforms import ResizeLongestSide
from anymask.core.arrays import AnyArray, BoolArray, Float32Array, sealed
from anymask.core.errors import EmbeddingError, ImageError, PromptError
from anymask.core.geometry import InputFrame
from anymask.core.images import Picture
from anymask.predict.model import Model


class SamPredictor:
    """Embeds an image, then answers prompts on it. The image is state: one predictor serves one user."""

    def __init__(self, sam_model: Sam | Model) -> None:
        """sam_model: from `sam_model_registry`, or a model from `anymask.load`."""
        self.model = as_sam(sam_model)
        self.transform = ResizeLongestSide(self.model.image_encoder.img_size)
        self.original_size: tuple[int, int] | None = None
        self.input_size: tuple[int, int] | None = None
        self._features: Mapping[str, AnyArray] | None = None
        self.reset_image()

    def set_image(self, image: AnyArray, image_format: str = "RGB") -> None:
        """Embed an image, which takes longest. image: (H, W, 3) uint8. image_format: "RGB" or "BGR".

        Raises ImageError for anything else.
        """
        picture = picture_of(image, image_format)
        self._embed(picture, picture.image_hw)

    def set_torch_image(self, transformed_image: Tensor, original_image_size: tuple[int, ...]) -> None:
        """Embed an image that was scaled for the model already.

        transformed_image: (1, 3, h, w), the output of `transform.apply_image`: whole numbers 0 to 255.
        original_image_size: (H, W) before. Raises ImageError if the two do not belong together, or for
        fractions, which `transform.apply_image_torch` gives: use `set_image`.
        """
        if len(transformed_image.shape) != 4 or transformed_image.shape[0] != 1:
            raise ImageError(
                f"transformed_image has shape {tuple(transformed_image.shape)}; give (1, 3, height, width)"
            )
        size = (int(original_image_size[0]), int(original_image_size[1]))
        self._embed(resized_picture(transformed_image[0], size, self.transform.target_length), size)

    def predict(
        self,
        point_coords: AnyArray | None = None,
        point_labels: AnyArray | None = None,
        box: AnyArray | None = None,
        mask_input: AnyArray | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[BoolArray | Float32Array, Float32Array, Float32Array]:
        """Masks for one prompt on the image.

        point_coords: (N, 2) x, y in pixels of the image. point_labels: (N,) 1 include, 0 exclude.
        box: (4,) x0, y0, x1, y1. mask_input: (1, 256, 256), low-resolution logits of an earlier prediction.
        multimask_output: three masks, for a prompt that may mean several things, or one.
        return_logits: logits instead of bool masks.

        Returns masks (C, H, W), predicted IoU (C,), low-resolution logits (C, 256, 256).
        Raises EmbeddingError (a RuntimeError) without an image, PromptError for a prompt that does not fit.
        """
        frame = self._frame()
        coords, labels, boxes, mask = None, None, None, None
        if point_coords is not None:
            coords = self.transform.apply_coords(point_coords, frame.image_hw)[None]
            labels = None if point_labels is None else np.asarray(point_labels)[None]
        if box is not None:
            boxes = self.transform.apply_boxes(_one_box(box), frame.image_hw)
        if mask_input is not None:
            mask = np.asarray(mask_input)[None]
        found = self._answer(coords, labels, boxes, mask, multimask_output)
        return self._masks(found, frame, return_logits)[0], found.scores[0].copy(), found.logits[0].copy()

    def predict_torch(
        self,
        point_coords: Tensor | None,
        point_labels: Tensor | None,
        boxes: Tensor | None = None,
        mask_input: Tensor | None = None,
        multimask_output: bool = True,
        return_logits: bool = False,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Masks for B prompts, whose coordinates are in the input frame already (`transform`).

        point_coords: (B, N, 2). point_labels: (B, N). boxes: (B, 4). mask_input: (B, 1, 256, 256).
        Returns tensors: masks (B, C, H, W), predicted IoU (B, C), low-resolution logits (B, C, 256, 256).
        Raises as `predict`.
        """
        frame = self._frame()
        found = self._answer(point_coords, point_labels, boxes, mask_input, multimask_output)
        masks = self._masks(found, frame, return_logits)
        return to_tensor(masks), to_tensor(found.scores), to_tensor(found.logits)

    def get_image_embedding(self) -> Tensor:
        """The image's embedding as a tensor (1, C, h, w); of several features, the first.

        Raises EmbeddingError (a RuntimeError) without an image.
        """
        return to_tensor(next(iter(self._checked_features().values())))

    @property
    def features(self) -> Tensor | None:
        """As `get_image_embedding`, but None without an image. Settable, to bring back a kept embedding."""
        return None if self._features is None else to_tensor(next(iter(self._features.values())))

    @features.setter
    def features(self, value: Tensor | None) -> None:
        names = self.model.model.spec.features
        if value is not None and len(names) > 1:
            raise EmbeddingError(
                f"{self.model.model.spec.full_name} has features {', '.join(names)}, which set_image makes "
                "together; keep embeddings with Model.embed of anymask"
            )
        own = None if value is None else sealed(np.array(to_array(value), np.float32))
        self._features = None if own is None else {names[0]: own}

    @property
    def device(self) -> Any:
        """See `Sam.device`."""
        return self.model.device

    def reset_image(self) -> None:
        """Forget the image."""
        self.is_image_set = False
        self._features = None

    def _embed(self, picture: Picture, original_size: tuple[int, int]) -> None:
        self.reset_image()
        self._features = self.model.runtime.encode(picture)
        self.original_size = original_size
        self.input_size = InputFrame(original_size, self.transform.target_length).resized_hw
        self.is_image_set = True

    def _checked_features(self) -> Mapping[str, AnyArray]:
        if not self.is_image_set or self._features is None:
            raise EmbeddingError("no image is set; call set_image(image) first")
        return self._features

    def _frame(self) -> InputFrame:
        self._checked_features()
        if self.original_size is None:
            raise EmbeddingError("original_size is not set; set it with features, or call set_image(image)")
        height, width = self.original_size
        return InputFrame((height, width), self.transform.target_length)

    def _answer(self, points: Any, labels: Any, boxes: Any, masks: Any, multimask_output: bool) -> Answer:
        prompts, features = batch_of(points, labels, boxes, masks), self._checked_features()
        return answer(self.model.runtime, features, prompts, multimask_output=multimask_output)

    def _masks(self, found: Answer, frame: InputFrame, return_logits: bool) -> BoolArray | Float32Array:
        if return_logits:
            return full_logits(found.logits, frame)
        return full_masks(found.logits, frame, self.model.mask_threshold)


def _one_box(box: AnyArray) -> AnyArray:
    corners = np.asarray(box)
    if corners.shape not in ((4,), (1, 4)):
        raise PromptError(
            f"box has shape {corners.shape}; give x0, y0, x1, y1, or several boxes to predict_torch"
        )
    return corners
