"""Corrections stay where the click is, and are flagged when they do harm."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from anymask.core.geometry import InputFrame
from anymask.core.prediction import Candidate
from anymask.core.rle import encode
from anymask.predict.model import Model
from anymask.predict.runtime import PromptBatch
from anymask.studio.prompting.answering import Answered, Earlier, answer, points_of
from anymask.studio.prompting.schemas import StudioPrompt
from anymask.studio.prompting.worse import is_much_worse
from tests.fake_runtime import SHA256, FakeRuntime, scene
from tests.studio.running import BAR, SQUARE, block, placed

FRAME = InputFrame((120, 160), 256)
SQUARE_MASK = block(slice(20, 70), slice(30, 80))


class Forgetful(FakeRuntime):
    """Draws the whole mask anew around the last click, as small networks now and then do."""

    def _answer(self, grid: np.ndarray, prompts: PromptBatch, i: int) -> np.ndarray:
        if prompts.mask_logits is None:
            return super()._answer(grid, prompts, i)
        (last,) = np.flatnonzero(prompts.labels[i] >= 0)[-1:]
        seen = PromptBatch(prompts.points_xy[i][None, last : last + 1], np.ones((1, 1), np.int32), None)
        return super()._answer(grid, seen, 0)


def model_of(*, local: bool, runtime: FakeRuntime | None = None) -> Model:
    """local: whether corrections stay near their click."""
    runtime = runtime or FakeRuntime()
    runtime.spec = dataclasses.replace(runtime.spec, local_corrections=local)
    return Model(runtime, sha256=SHA256)


def asked(**fields: Any) -> StudioPrompt:
    return StudioPrompt.model_validate(fields)


def refined(model: Model, *clicks: tuple[float, float, float]) -> Answered:
    """A click on the square, and then a correction by one or more clicks at once."""
    embedding = model.embed(scene())
    first = asked(points=[[*SQUARE, 1.0]])
    before = answer(model, embedding, first, None)
    earlier = Earlier(before.prediction[0], points_of(first.points))
    again = asked(points=[[*SQUARE, 1.0], *(list(click) for click in clicks)])
    return answer(model, embedding, again, earlier)


def test_a_correction_keeps_what_lies_elsewhere() -> None:
    spoilt = refined(model_of(local=False, runtime=Forgetful()), (*BAR, 1.0))
    assert not spoilt.prediction.best.mask[25, 35]
    assert spoilt.worse
    kept = refined(model_of(local=True, runtime=Forgetful()), (*BAR, 1.0))
    assert kept.prediction.best.mask[25, 35]
    assert kept.prediction.best.mask[75, 125]
    assert not kept.worse


def test_what_is_flagged_is_what_is_sent() -> None:
    for local in (True, False):
        answered = refined(model_of(local=local, runtime=Forgetful()), (*BAR, 1.0))
        sent = answered.candidates[0]
        assert sent["area"] == answered.prediction.best.area


@pytest.mark.parametrize("clicks", [(), ((*BAR, 1.0), (50.0, 45.0, 0.0))])
def test_no_click_or_two_at_once_are_no_correction(clicks: tuple[tuple[float, float, float], ...]) -> None:
    for local in (True, False):
        assert not refined(model_of(local=local, runtime=Forgetful()), *clicks).worse


def test_a_sent_mask_is_corrected_too() -> None:
    model = model_of(local=True, runtime=Forgetful())
    rle = encode(SQUARE_MASK)
    body = asked(points=[[*BAR, 1.0]], mask={"size": list(rle.size_hw), "counts": rle.counts})
    best = answer(model, model.embed(scene()), body, None).prediction.best
    assert best.mask[75, 125]
    assert (SQUARE_MASK & best.mask).sum() > 0.95 * SQUARE_MASK.sum()


def test_a_drawing_keeps_its_pixels_away_from_the_click() -> None:
    """A mask finer than the decoder's cells: a comb of single columns, and two clicks far from it."""
    model = model_of(local=True, runtime=Forgetful())
    embedding = model.embed(scene())
    comb = np.zeros((120, 160), bool)
    comb[5:18, 5:60:2] = True
    rle = encode(comb)
    sent = {"size": list(rle.size_hw), "counts": rle.counts}
    first = answer(model, embedding, asked(points=[[*BAR, 1.0]], mask=sent), None)
    mask = placed(first.candidates[0])
    assert mask[75, 125]
    assert (mask[:20, :90] == comb[:20, :90]).all()
    assert first.candidates[0]["area"] == mask.sum()
    earlier = Earlier(first.prediction[0], ((*BAR, 1.0),), first.drawn)
    again = answer(model, embedding, asked(points=[[*BAR, 1.0], [*SQUARE, 1.0]]), earlier)
    mask = placed(again.candidates[0])
    assert mask[75, 125]
    assert mask[30, 50]
    assert (mask[:18, :90] == comb[:18, :90]).all()


def candidate(mask: np.ndarray) -> Candidate:
    return Candidate(np.where(mask, 8, -8).astype(np.float32), 0.9, FRAME)


def cells(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros((64, 64), bool)
    mask[rows, columns] = True
    return mask


LEFT, RIGHT = cells(np.s_[4:24], np.s_[4:24]), cells(np.s_[4:24], np.s_[40:60])
SPOT, WIDE = cells(np.s_[8:13], np.s_[28:33]), cells(np.s_[:48], np.s_[:64])
NOTHING = np.zeros((64, 64), bool)
IN_SPOT = 30.5 * 2.5, 10.5 * 2.5
"""A click on the middle of the spot, pixels of the image; a cell is 4 of the input, 2.5 of the image."""


@pytest.mark.parametrize(
    ("before", "after", "include", "worse"),
    [
        (LEFT, LEFT | SPOT, True, False),  # the click's own change
        (LEFT | SPOT, LEFT, False, False),
        (LEFT, LEFT, True, False),  # nothing happened
        (LEFT, LEFT | RIGHT, True, True),  # something came, but not where the click is
        (LEFT | RIGHT, LEFT, False, True),  # something went, but not where the click is
        (LEFT, SPOT, True, True),  # an include click, and the object is gone
        (SPOT | LEFT, RIGHT | LEFT, False, True),  # an exclude click, and another object came
        (LEFT, WIDE, True, True),  # it ran out of the click's place over everything
        (WIDE, LEFT, False, True),
        (LEFT, NOTHING, False, True),
        (NOTHING, NOTHING, True, False),
        (NOTHING, SPOT, True, False),
    ],
)
def test_what_counts_as_much_worse(before: np.ndarray, after: np.ndarray, include: bool, worse: bool) -> None:
    assert is_much_worse(candidate(before), candidate(after), IN_SPOT, include=include) == worse
