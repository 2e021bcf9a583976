"""Prompts in image pixels become batches in the model's frame."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from anymask.core.errors import PromptError
from anymask.core.geometry import InputFrame
from anymask.core.mask_prompt import mask_to_logits
from anymask.core.prompt import Prompt
from anymask.predict.runtime import BOX_CORNERS, NOT_A_POINT, Float32, Int64, PromptBatch


def prompt_batch(prompts: Sequence[Prompt], frame: InputFrame, mask_size: int) -> PromptBatch:
    """One batch of prompts that have the same number of tokens, and all a mask or none.

    frame: of the image that the prompts are for. mask_size: side of the model's low-resolution logits.
    As in Segment Anything, a prompt with points and no box gets one more token, labelled "not a point".
    Raises PromptError if the prompts differ (see `prompt_batches`) or a mask has another size.
    """
    kinds = {_kind(prompt) for prompt in prompts}
    if len(kinds) != 1:
        raise PromptError(f"{len(kinds)} kinds of prompt (tokens, mask) in one batch; batch each by itself.")
    has_mask = kinds.pop()[1]
    return PromptBatch(
        np.stack([_points(prompt, frame) for prompt in prompts]),
        np.stack([_labels(prompt) for prompt in prompts]),
        np.stack([_mask_logits(prompt, frame, mask_size) for prompt in prompts]) if has_mask else None,
    )


def prompt_batches(
    prompts: Sequence[Prompt], frame: InputFrame, mask_size: int
) -> list[tuple[Int64, PromptBatch]]:
    """Any prompts as (indices into `prompts`, batch), one per kind of prompt.

    Prompts are grouped and not padded to equal length, because padding takes part in the decoder's attention:
    this way every prompt gets the answer it would get alone.
    """
    groups: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for i, prompt in enumerate(prompts):
        groups[_kind(prompt)].append(i)
    return [
        (np.array(members, np.int64), prompt_batch([prompts[i] for i in members], frame, mask_size))
        for members in groups.values()
    ]


def _kind(prompt: Prompt) -> tuple[int, bool]:
    return len(_labels(prompt)), prompt.mask is not None or prompt.mask_logits is not None


def _needs_padding(prompt: Prompt) -> bool:
    return len(prompt.points_xy) > 0 and len(prompt.boxes_xyxy) == 0


def _points(prompt: Prompt, frame: InputFrame) -> Float32:
    """(N, 2) in input pixels: points, padding, box corners."""
    padding = np.zeros((int(_needs_padding(prompt)), 2), np.float32)
    corners = frame.boxes_to_input(prompt.boxes_xyxy).reshape(-1, 2)
    return np.concatenate([frame.points_to_input(prompt.points_xy), padding, corners])


def _labels(prompt: Prompt) -> np.ndarray:
    padding = [NOT_A_POINT] * _needs_padding(prompt)
    corners = BOX_CORNERS * len(prompt.boxes_xyxy)
    return np.array([*prompt.labels.tolist(), *padding, *corners], np.int32)


def _mask_logits(prompt: Prompt, frame: InputFrame, mask_size: int) -> Float32:
    """(1, mask_size, mask_size)."""
    if prompt.mask is not None:
        return mask_to_logits(prompt.mask, frame, mask_size)[None]
    assert prompt.mask_logits is not None
    if prompt.mask_logits.shape != (mask_size, mask_size):
        raise PromptError(
            f"mask_logits has shape {prompt.mask_logits.shape}; this model's are {(mask_size, mask_size)}: "
            "give logits of a prediction of the same model."
        )
    return prompt.mask_logits[None]
