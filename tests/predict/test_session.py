"""Session: prompts add up, the chosen mask is fed back, every step can be undone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from anymask.core.errors import InputError, PromptError
from anymask.core.record import MaskRecord
from anymask.predict.model import AMBIGUITY_MASKS, SINGLE_MASK, Model
from anymask.predict.session import Session
from tests.fake_runtime import SHA256, FakeRuntime, fake_model, scene

ORANGE = (40, 30)
SPOT = (55, 45)
BLUE = (125, 70)


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime()


@pytest.fixture
def session(runtime: FakeRuntime) -> Session:
    return Model(runtime, sha256=SHA256).session(scene())


def test_the_picture_is_embedded_once(session: Session, runtime: FakeRuntime) -> None:
    session.click(*ORANGE)
    session.exclude(*SPOT)
    session.undo()
    assert runtime.encoded == 1


def test_the_first_click_is_ambiguous_the_next_refines_the_best(
    session: Session, runtime: FakeRuntime
) -> None:
    first = session.click(*ORANGE)
    assert runtime.batches[-1][1] == AMBIGUITY_MASKS
    session.exclude(*SPOT)
    batch, tokens = runtime.batches[-1]
    assert tokens == SINGLE_MASK
    assert batch.labels[0].tolist() == [1, 0, -1]
    assert batch.mask_logits is not None
    np.testing.assert_array_equal(batch.mask_logits[0, 0], first.best.low_res_logits)


def test_the_chosen_candidate_is_fed_back(session: Session, runtime: FakeRuntime) -> None:
    first = session.click(*SPOT)
    assert session.choose(2) is first[2]
    assert session.candidate is first[2]
    session.click(*ORANGE)
    batch = runtime.batches[-1][0]
    assert batch.mask_logits is not None
    np.testing.assert_array_equal(batch.mask_logits[0, 0], first[2].low_res_logits)


def test_a_click_after_undo_feeds_back_what_is_seen(session: Session, runtime: FakeRuntime) -> None:
    first = session.click(*ORANGE)
    session.click(*BLUE)
    session.undo()
    session.exclude(*SPOT)
    batch = runtime.batches[-1][0]
    assert batch.labels[0].tolist() == [1, 0, -1], "the click on the bar was taken back"
    assert batch.mask_logits is not None
    np.testing.assert_array_equal(batch.mask_logits[0, 0], first.best.low_res_logits)


def test_a_box_replaces_a_box_and_is_not_biased_by_the_mask_so_far(
    session: Session, runtime: FakeRuntime
) -> None:
    session.box(0, 0, 20, 20)
    session.box(98, 38, 152, 112)
    batch = runtime.batches[-1][0]
    assert batch.labels[0].tolist() == [2, 3]
    assert batch.mask_logits is None
    assert session.candidate is not None
    assert session.candidate.box == (100, 40, 150, 110)


def test_box_then_click_keeps_both(session: Session, runtime: FakeRuntime) -> None:
    session.box(28, 18, 82, 72)
    session.exclude(*SPOT)
    batch = runtime.batches[-1][0]
    assert batch.labels[0].tolist() == [0, 2, 3]
    assert batch.mask_logits is not None


def test_scribble_and_polygon(session: Session, runtime: FakeRuntime) -> None:
    session.scribble([(102, 45), (145, 45), (145, 105)])
    assert session.candidate is not None
    assert session.candidate.box == (100, 40, 150, 110)
    assert set(runtime.batches[-1][0].labels[0].tolist()) == {1, -1}
    session.accept()
    session.polygon([(32, 22), (78, 22), (78, 68), (32, 68)])
    assert runtime.batches[-1][0].mask_logits is not None
    assert session.candidate is not None
    assert session.candidate.area > 2000


def test_accept_keeps_the_record_and_starts_anew(session: Session, runtime: FakeRuntime) -> None:
    session.click(*ORANGE)
    session.click(*SPOT)
    candidate = session.candidate
    assert candidate is not None
    record = session.accept(label="square", attributes={"colour": "orange"})
    assert session.records == (record,)
    assert session.prediction is None
    assert session.candidate is None
    assert session.prompt is None
    np.testing.assert_array_equal(record.mask, candidate.mask)
    assert (record.label, record.point_xy, dict(record.attributes)) == (
        "square",
        ORANGE,
        {"colour": "orange"},
    )
    assert record.provenance["model_sha256"] == SHA256
    assert record.provenance["prompt"]["points"] == [[*ORANGE, 1], [*SPOT, 1]]
    assert record.provenance["prompt"]["mask"] == "previous"
    assert MaskRecord.from_json(record.to_json()).to_json() == record.to_json()
    session.click(*BLUE)
    assert runtime.batches[-1][1] == AMBIGUITY_MASKS, "the next object starts without memory"


def test_accept_is_undoable(session: Session) -> None:
    before = session.click(*ORANGE)
    session.accept()
    assert session.undo() is before
    assert session.records == ()
    session.redo()
    assert len(session.records) == 1


def test_a_new_step_forgets_what_was_undone(session: Session) -> None:
    session.click(*ORANGE)
    session.click(*SPOT)
    session.undo()
    assert session.can_redo
    session.click(*BLUE)
    assert not session.can_redo
    with pytest.raises(InputError, match="nothing to redo"):
        session.redo()


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda s: s.undo(), "nothing to undo"),
        (lambda s: s.redo(), "nothing to redo"),
        (lambda s: s.accept(), "nothing to accept yet"),
        (lambda s: s.choose(0), "nothing to choose yet"),
    ],
)
def test_nothing_there_yet(session: Session, act: Callable[[Session], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        act(session)


def test_an_empty_mask_is_not_accepted(session: Session) -> None:
    session.exclude(*ORANGE)
    with pytest.raises(InputError, match="mask is empty"):
        session.accept()
    assert session.records == ()


def test_choose_out_of_range(session: Session) -> None:
    session.click(*ORANGE)
    for index in (3, -1, 99):
        with pytest.raises(InputError, match="give 0 to 2"):
            session.choose(index)


@pytest.mark.parametrize(
    "act",
    [
        lambda s: s.click(500, 5),
        lambda s: s.click(5, 5, label=3),
        lambda s: s.box(9, 9, 3, 3),
        lambda s: s.polygon([(1, 1), (2, 2)]),
        lambda s: s.scribble([(1, 1), (float("nan"), 2)]),
        lambda s: s.scribble([(1, 1), (900, 2)]),
    ],
)
def test_a_wrong_prompt_leaves_the_session_as_it_was(
    session: Session, act: Callable[[Session], object]
) -> None:
    before = session.click(*ORANGE)
    with pytest.raises(PromptError):
        act(session)
    assert session.prediction is before
    session.undo()
    assert not session.can_undo


class Clicking(RuleBasedStateMachine):
    """Any mixture of steps against the plainest undo: a list of everything seen and a position in it."""

    def __init__(self) -> None:
        super().__init__()
        self.session = fake_model().session(scene())
        self.seen = [self.view()]
        self.at = 0

    def view(self) -> tuple[object, ...]:
        s = self.session
        return s.prompt, s.prediction, s.candidate, s.records

    def stepped(self) -> None:
        self.seen[self.at + 1 :] = [self.view()]
        self.at += 1

    @rule(x=st.integers(0, 160), y=st.integers(0, 120), label=st.sampled_from([0, 1]))
    def click(self, x: int, y: int, label: int) -> None:
        self.session.click(x, y, label=label)
        self.stepped()

    @rule(x=st.integers(0, 100), y=st.integers(0, 80), w=st.integers(1, 60), h=st.integers(1, 40))
    def box(self, x: int, y: int, w: int, h: int) -> None:
        self.session.box(x, y, x + w, y + h)
        self.stepped()

    @rule()
    def lasso(self) -> None:
        self.session.polygon([(32, 22), (78, 22), (78, 68), (32, 68)])
        self.stepped()

    @precondition(lambda self: self.session.prediction is not None)
    @rule(data=st.data())
    def choose(self, data: st.DataObject) -> None:
        assert self.session.prediction is not None
        self.session.choose(data.draw(st.integers(0, len(self.session.prediction) - 1)))
        self.stepped()

    @precondition(lambda self: self.session.candidate is not None and self.session.candidate.area > 0)
    @rule(label=st.none() | st.text(max_size=5))
    def accept(self, label: str | None) -> None:
        self.session.accept(label)
        self.stepped()

    @precondition(lambda self: self.at > 0)
    @rule()
    def undo(self) -> None:
        self.session.undo()
        self.at -= 1

    @precondition(lambda self: self.at + 1 < len(self.seen))
    @rule()
    def redo(self) -> None:
        self.session.redo()
        self.at += 1

    @invariant()
    def is_what_it_was(self) -> None:
        for now, then in zip(self.view(), self.seen[self.at], strict=True):
            assert now is then or now == then
        assert self.session.can_undo == (self.at > 0)
        assert self.session.can_redo == (self.at + 1 < len(self.seen))


Clicking.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestClicking = Clicking.TestCase
