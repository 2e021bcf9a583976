"""A prompt request to a prompt, and candidates to their JSON form."""

from __future__ import annotations

import base64
from functools import cached_property
from typing import Any

import numpy as np

from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import PromptError
from anymask.core.prediction import Candidate, Prediction
from anymask.core.prompt import Prompt
from anymask.core.rle import Rle, decode
from anymask.predict.model import Model
from anymask.predict.provenance import provenance
from anymask.server.schemas import PromptRequest, RleMask


class PromptJob:
    """Answers one request; `run` computes, and belongs into a lane."""

    def __init__(
        self, model: Model, embedding: ImageEmbedding, request: PromptRequest, previous: Candidate | None
    ) -> None:
        """previous: the candidate that the request refines."""
        self._model, self._embedding, self._request, self._previous = model, embedding, request, previous

    def run(self) -> tuple[Prediction, list[dict[str, Any]]]:
        """The prediction and its candidates as JSON. Raises PromptError, FormatError."""
        prediction = self._predict()
        wanted = prediction[:1] if self._request.only_best else prediction
        return prediction, [self._json(candidate) for candidate in wanted]

    def best_png(self) -> bytes:
        """The best candidate's mask as a picture. Raises as `run`."""
        return mask_png(self._predict().best)

    def _predict(self) -> Prediction:
        asked = self._request.multimask
        return self._model.predict_many(
            self._embedding, [self._prompt], multimask="auto" if asked is None else asked
        )[0]

    @cached_property
    def _prompt(self) -> Prompt:
        asked = self._request
        image_hw = self._embedding.image_hw
        return Prompt.of(
            image_hw,
            points=asked.points or None,
            box=asked.box,
            mask=None if asked.mask is None else mask_of(asked.mask, image_hw),
            scribble=asked.scribble or None,
            polygon=asked.polygon,
            previous=self._previous,
        )

    def _json(self, candidate: Candidate) -> dict[str, Any]:
        asked = self._request
        points = self._prompt.points_xy
        record = candidate.to_record(
            label=asked.label,
            point_xy=(float(points[0, 0]), float(points[0, 1])) if len(points) == 1 else None,
            provenance=provenance(self._embedding, self._prompt),
            with_stability=asked.stability,
        )
        answer = record.to_json()
        if asked.encoding == "png":
            answer["png"] = base64.b64encode(mask_png(candidate)).decode("ascii")
        return answer


def mask_of(mask: RleMask, image_hw: tuple[int, int]) -> np.ndarray:
    """The pixels of a mask that was sent.

    Raises PromptError if it has another size, FormatError if it is damaged.
    """
    if tuple(mask.size) != image_hw:
        raise PromptError(
            f"the mask has {mask.size[1]} x {mask.size[0]} pixels, the image {image_hw[1]} x {image_hw[0]}; "
            "give a mask of the image's size"
        )
    return decode(Rle(image_hw, mask.counts))


def mask_png(candidate: Candidate) -> bytes:
    """A grey PNG of the image's size, 255 on the object."""
    from anymask.formats import encode

    return encode(candidate, "png")
