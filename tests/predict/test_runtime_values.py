"""Batches of prompts: checked, read-only, grouped so that every prompt gets the answer it would get alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anymask.core.errors import PromptError
from anymask.core.geometry import InputFrame
from anymask.core.prompt import Prompt
from anymask.predict.prompts import prompt_batch, prompt_batches
from anymask.predict.runtime import LowResMasks, PromptBatch

FRAME = InputFrame((100, 200), 1000)  # five input pixels per image pixel


@pytest.mark.parametrize(
    ("points", "labels", "masks", "message"),
    [
        (np.zeros((2, 2)), np.zeros(2), None, r"points_xy has shape \(2, 2\)"),
        (np.zeros((0, 1, 2)), np.zeros((0, 1)), None, "at least one prompt"),
        (np.zeros((1, 2, 3)), np.zeros((1, 2)), None, r"\(1, 2, 3\)"),
        (np.zeros((1, 2, 2)), np.zeros((1, 3)), None, r"labels has shape \(1, 3\); give \(1, 2\)"),
        (np.full((1, 1, 2), np.nan), np.zeros((1, 1)), None, "NaN or infinity"),
        (np.zeros((1, 2, 2)), np.array([[1, 7]]), None, r"labels holds \[7\]"),
        (np.zeros((2, 1, 2)), np.zeros((2, 1)), np.zeros((1, 1, 4, 4)), r"give \(2, 1, h, w\)"),
        (np.zeros((1, 1, 2)), np.zeros((1, 1)), np.full((1, 1, 4, 4), np.inf), "mask_logits holds NaN"),
    ],
)
def test_wrong_batches_are_refused(points: Any, labels: Any, masks: Any, message: str) -> None:
    with pytest.raises(PromptError, match=message):
        PromptBatch(points, labels, masks)


def test_a_batch_is_read_only_and_sliced_as_its_arrays() -> None:
    batch = PromptBatch(np.arange(12).reshape(3, 2, 2), np.ones((3, 2)), np.zeros((3, 1, 4, 4)))
    assert batch.points_xy.dtype == np.float32
    assert batch.labels.dtype == np.int32
    assert not any(a.flags.writeable for a in (batch.points_xy, batch.labels, batch.mask_logits))
    part = batch[1:]
    assert len(part) == 2
    np.testing.assert_array_equal(part.points_xy, batch.points_xy[1:])
    assert part.mask_logits.shape == (2, 1, 4, 4)


@pytest.mark.parametrize(
    ("logits", "scores", "index"),
    [((2, 3, 4, 4), (5, 4), (2,)), ((2, 3, 4, 4), (5, 3), (3,)), ((2, 3, 4), (5, 3), (2,))],
)
def test_answers_that_do_not_agree(logits: Any, scores: Any, index: Any) -> None:
    with pytest.raises(ValueError, match="logits"):
        LowResMasks(np.zeros(logits), np.zeros(scores), np.zeros(index))


def test_points_are_followed_by_one_that_is_none() -> None:
    batch = prompt_batch([Prompt.of((100, 200), points=[(10, 20), (30, 40, 0)])], FRAME, 64)
    np.testing.assert_array_equal(batch.points_xy, [[[50, 100], [150, 200], [0, 0]]])
    np.testing.assert_array_equal(batch.labels, [[1, 0, -1]])
    assert batch.mask_logits is None


def test_boxes_become_corners_behind_the_points() -> None:
    prompt = Prompt.of((100, 200), points=[(10, 20)], boxes=[(1, 2, 3, 4), (5, 6, 7, 8)])
    batch = prompt_batch([prompt], FRAME, 64)
    np.testing.assert_array_equal(batch.points_xy, [[[50, 100], [5, 10], [15, 20], [25, 30], [35, 40]]])
    np.testing.assert_array_equal(batch.labels, [[1, 2, 3, 2, 3]])


def test_a_mask_alone_has_no_points() -> None:
    mask = np.zeros((100, 200), bool)
    mask[20:80, 50:150] = True
    batch = prompt_batch([Prompt.of((100, 200), mask=mask)], FRAME, 64)
    assert batch.points_xy.shape == (1, 0, 2)
    assert batch.mask_logits is not None
    assert batch.mask_logits.shape == (1, 1, 64, 64)
    assert batch.mask_logits[0, 0, 16, 32] > 0 > batch.mask_logits[0, 0, 60, 60]


def test_logits_of_another_model() -> None:
    prompt = Prompt.click(1, 1).with_previous(np.zeros((256, 256), np.float32))
    with pytest.raises(PromptError, match=r"shape \(256, 256\); this model's are \(64, 64\)"):
        prompt_batch([prompt], FRAME, 64)


def test_prompts_are_grouped_by_kind_in_order() -> None:
    logits = np.zeros((64, 64), np.float32)
    prompts = [
        Prompt.click(1, 2),
        Prompt.box(1, 2, 3, 4),
        Prompt.click(3, 4).with_previous(logits),
        Prompt.click(5, 6, 0),
        Prompt.click(1, 1).with_click(2, 2),
        Prompt.box(5, 6, 7, 8),
    ]
    groups = prompt_batches(prompts, FRAME, 64)
    found = {i: (batch, row) for members, batch in groups for row, i in enumerate(members)}
    assert sorted(found) == list(range(len(prompts)))
    assert len(groups) == 3  # two tokens, two tokens and a mask, three tokens
    for i, prompt in enumerate(prompts):
        alone, (batch, row) = prompt_batch([prompt], FRAME, 64), found[i]
        np.testing.assert_array_equal(batch.points_xy[row], alone.points_xy[0])
        np.testing.assert_array_equal(batch.labels[row], alone.labels[0])
        assert (batch.mask_logits is None) == (alone.mask_logits is None)


def test_different_kinds_do_not_fit_one_batch() -> None:
    with pytest.raises(PromptError, match="2 kinds of prompt"):
        prompt_batch([Prompt.click(1, 2), Prompt.click(1, 2).with_click(3, 4)], FRAME, 64)
