"""Random sequences of saves against a model of what masks are: lists of rows, only ever added to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from anymask.store import Conflict, Mask, NewMask, Project, Store
from tests.store.building import correction, new_id, new_image, new_mask, rectangle

_rectangles = st.builds(
    lambda x, y, width, height: rectangle(x, y, x + width, y + height),
    st.integers(0, 20),
    st.integers(0, 12),
    st.integers(0, 12),
    st.integers(0, 12),
)


class Masks(RuleBasedStateMachine):
    """Keeps every row it has saved, by object, oldest first."""

    def __init__(self, store: Store, project: Project) -> None:
        super().__init__()
        self.store, self.project = store, project
        self.rows: dict[str, list[Mask]] = {}
        self.sent: dict[str, NewMask] = {}

    @initialize()
    def begin(self) -> None:
        self.image = self.store.images.add(self.project.id, [new_image(f"{new_id()}.jpg")])[0]

    @rule(rle=_rectangles, position=st.integers(-3, 3))
    def add(self, rle: Any, position: int) -> None:
        self._save(new_mask(self.image, rle, position=position))

    @precondition(lambda self: self.rows)
    @rule(data=st.data(), rle=_rectangles, deleted=st.booleans())
    def correct(self, data: st.DataObject, rle: Any, deleted: bool) -> None:
        chain = data.draw(st.sampled_from(list(self.rows.values())))
        self._save(correction(chain[-1], rle, deleted=deleted))

    @precondition(lambda self: self.rows)
    @rule(data=st.data(), rle=_rectangles)
    def correct_what_may_be_old(self, data: st.DataObject, rle: Any) -> None:
        chain = data.draw(st.sampled_from(list(self.rows.values())))
        parent = data.draw(st.sampled_from(chain))
        if parent == chain[-1]:
            self._save(correction(parent, rle))
            return
        with pytest.raises(Conflict) as caught:
            self.store.masks.save(correction(parent, rle))
        assert caught.value.head == chain[-1]

    @precondition(lambda self: self.rows)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        chain = data.draw(st.sampled_from(list(self.rows.values())))
        known = data.draw(st.sampled_from(chain))
        assert self.store.masks.save(self.sent[known.id]) == known

    @precondition(lambda self: self.rows)
    @rule(rle=_rectangles)
    def correct_all_at_once(self, rle: Any) -> None:
        self._save(*(correction(chain[-1], rle) for chain in self.rows.values()))

    @precondition(lambda self: self.rows)
    @rule(data=st.data(), rle=_rectangles)
    def fail_together(self, data: st.DataObject, rle: Any) -> None:
        chain = data.draw(st.sampled_from(list(self.rows.values())))
        with pytest.raises(Conflict):
            self.store.masks.save_many(
                [new_mask(self.image), new_mask(self.image, object_id=chain[0].object_id)]
            )

    @invariant()
    def the_heads_are_the_ends_of_the_chains(self) -> None:
        if not hasattr(self, "image"):
            return
        ends = [chain[-1] for chain in self.rows.values() if not chain[-1].deleted]
        expected = sorted(ends, key=lambda mask: (mask.position, mask.created, mask.id))
        assert self.store.masks.heads(self.image.id) == expected
        assert self.store.images.get(self.image.id).masks == len(expected)

    @invariant()
    def nothing_that_was_saved_has_changed(self) -> None:
        for object_id, chain in self.rows.items():
            assert self.store.masks.history(object_id) == chain

    def _save(self, *new: NewMask) -> None:
        for given, saved in zip(new, self.store.masks.save_many(new), strict=True):
            self.sent[given.id] = given
            self.rows.setdefault(saved.object_id, []).append(saved)


def test_masks_are_append_only_chains(store: Store, project: Project) -> None:
    run_state_machine_as_test(
        lambda: Masks(store, project), settings=settings(max_examples=8, stateful_step_count=12)
    )
