"""Where a mask came from, as the JSON object that a record keeps."""

from __future__ import annotations

from typing import Any, Protocol

from anymask._version import __version__
from anymask.core.prompt import Prompt


class Origin(Protocol):
    """What says which model looked at which picture: an embedding, or a state made of one."""

    @property
    def model(self) -> str: ...

    @property
    def model_sha256(self) -> str: ...

    @property
    def image_sha256(self) -> str: ...


def provenance(embedding: Origin, prompt: Prompt) -> dict[str, Any]:
    """Model, picture and prompt of a mask, in plain JSON values.

    prompt: points as [x, y, label], boxes as [x0, y0, x1, y1], both in pixels of the picture; "mask" is
    "drawn" for a mask, lasso or brush in the picture's frame, "previous" for an earlier prediction fed back.
    """
    return {
        "anymask": __version__,
        "model": embedding.model,
        "model_sha256": embedding.model_sha256,
        "image_sha256": embedding.image_sha256,
        "prompt": prompt_to_json(prompt),
    }


def prompt_to_json(prompt: Prompt) -> dict[str, Any]:
    """A prompt without the pixels of its mask; parts that are not given are left out."""
    labelled = zip(prompt.points_xy.tolist(), prompt.labels.tolist(), strict=True)
    parts: dict[str, Any] = {
        "points": [[x, y, label] for (x, y), label in labelled],
        "boxes": prompt.boxes_xyxy.tolist(),
        "mask": "drawn" if prompt.mask is not None else "previous" if prompt.mask_logits is not None else "",
    }
    return {name: part for name, part in parts.items() if part}
