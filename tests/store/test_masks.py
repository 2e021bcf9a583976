"""Masks: append-only chains with one head each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from anymask.core.errors import InputError
from anymask.core.rle import encode
from anymask.store import Conflict, Image, Mask, NewMask, NotFound, Project, Store, User
from tests.store.building import HEIGHT, WIDTH, correction, new_id, new_image, new_mask, rectangle
from tests.store.racing import at_once


def test_a_mask_comes_back_as_it_was_saved(store: Store, image: Image, project: Project, anna: User) -> None:
    label = store.labels.create(project.id, "duck")
    new = new_mask(
        image,
        rectangle(4, 3, 20, 9),
        author_id=anna.id,
        score=0.1 + 0.2,
        stability=0.97,
        label_id=label.id,
        attributes={"ring": True, "note": "ä ☂ 𝄞", "age": 2.5},
        position=7,
        source="box",
        model_sha256="a" * 64,
        prompts=({"points": [[1.5, 2.25, 1]]},),
        seconds=3.5,
        locked=True,
    )
    saved = store.masks.save(new)
    given, kept = vars(new), vars(saved)
    assert {name: kept[name] for name in given if name not in ("rle", "prompts")} == {
        name: given[name] for name in given if name not in ("rle", "prompts")
    }
    assert saved.rle == new.rle
    assert saved.prompts == [{"points": [[1.5, 2.25, 1]]}]
    assert saved.bbox == (4, 3, 16, 6)
    assert saved.area == 96
    assert store.masks.get(new.id) == saved
    assert store.masks.heads(image.id) == [saved]
    record = saved.to_record("duck")
    assert (record.label, record.area, record.score) == ("duck", 96, 0.1 + 0.2)


def test_a_correction_becomes_the_head_and_nothing_is_changed(store: Store, image: Image) -> None:
    first = store.masks.save(new_mask(image))
    second = store.masks.save(correction(first, rectangle(0, 0, 2, 2)))
    third = store.masks.save(correction(second, deleted=True))
    assert store.masks.heads(image.id) == []
    assert store.masks.heads(image.id, deleted=True) == [third]
    assert store.masks.history(first.object_id) == [first, second, third]
    assert store.images.get(image.id).masks == 0
    again = store.masks.save(correction(third, rectangle(0, 0, 2, 2)))
    assert store.masks.heads(image.id) == [again]
    assert store.images.get(image.id).masks == 1


def test_heads_are_ordered_by_position(store: Store, image: Image) -> None:
    high, low = (store.masks.save(new_mask(image, position=position)) for position in (5, -2))
    assert store.masks.heads(image.id) == [low, high]


def test_saving_the_same_row_again_is_no_error(store: Store, image: Image, anna: User, bert: User) -> None:
    new = new_mask(image, attributes={"a": [1, 2]}, score=0.3, author_id=anna.id)
    saved = store.masks.save(new)
    store.masks.save(correction(new))
    assert store.masks.save(new) == saved, "also when it is no longer the head"
    assert store.masks.save(replace(new, author_id=bert.id)) == saved
    assert len(store.masks.history(new.object_id)) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"rle": rectangle(0, 0, 1, 1)},
        {"score": 0.4},
        {"attributes": {}},
        {"deleted": True},
        {"object_id": new_id()},
    ],
)
def test_an_id_belongs_to_one_content(store: Store, image: Image, other: dict[str, Any]) -> None:
    new = new_mask(image, attributes={"a": 1}, score=0.3)
    store.masks.save(new)
    with pytest.raises(Conflict, match="another mask"):
        store.masks.save(replace(new, **other))
    assert len(store.masks.heads(image.id)) == 1


def test_a_correction_of_what_is_not_the_head_conflicts(store: Store, image: Image) -> None:
    first = store.masks.save(new_mask(image))
    second = store.masks.save(correction(first))
    with pytest.raises(Conflict) as caught:
        store.masks.save(correction(first))
    assert caught.value.head == second
    with pytest.raises(Conflict) as caught:
        store.masks.save(new_mask(image, object_id=first.object_id))
    assert caught.value.head == second
    with pytest.raises(Conflict) as caught:
        store.masks.save(new_mask(image, parent_id=new_id()))
    assert caught.value.head is None


def test_an_object_stays_on_its_image(store: Store, image: Image, project: Project) -> None:
    first = store.masks.save(new_mask(image))
    other = store.images.add(project.id, [new_image("b.jpg")])[0]
    with pytest.raises(Conflict):
        store.masks.save(correction(first, image_id=other.id))
    stranger = store.masks.save(new_mask(image))
    with pytest.raises(Conflict):
        store.masks.save(correction(first, parent_id=stranger.id))


def test_many_are_saved_together_or_not_at_all(store: Store, image: Image) -> None:
    taken = store.masks.save(new_mask(image))
    store.masks.save(correction(taken))
    good = new_mask(image)
    with pytest.raises(Conflict):
        store.masks.save_many([good, correction(good), correction(taken)])
    assert {mask.object_id for mask in store.masks.heads(image.id)} == {taken.object_id}
    saved = store.masks.save_many([good, correction(good)])
    assert [mask.parent_id for mask in saved] == [None, good.id]
    assert store.masks.save_many([]) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"id": "x"}, "32 hex digits"),
        ({"id": new_id().upper()}, "32 hex digits"),
        ({"object_id": "../" + new_id()[3:]}, "32 hex digits"),
        ({"rle": encode(np.ones((HEIGHT, WIDTH + 1), np.bool_))}, "24 x 33 pixels, the image of 24 x 32"),
        ({"rle": "k36h0"}, "expected an Rle"),
        ({"score": float("nan")}, "finite"),
        ({"score": True}, "finite"),
        ({"seconds": -1.0}, "at least 0"),
        ({"seconds": None}, "expected the time spent"),
        ({"position": 2**31}, "whole number"),
        ({"source": "magic"}, "one of click, box"),
        ({"model_sha256": "a"}, "64 hex digits"),
        ({"attributes": {"a": float("inf")}}, "JSON"),
        ({"attributes": {1: "a"}}, "keys have to be text"),
        ({"attributes": {"a": "\0"}}, "number 0"),
        ({"prompts": [object()]}, "JSON"),
        ({"deleted": 1}, "true or false"),
    ],
)
def test_what_cannot_be_is_refused(store: Store, image: Image, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        store.masks.save(new_mask(image, **wrong))
    assert store.masks.heads(image.id) == []


def test_unknown_things_are_not_found(store: Store, image: Image, project: Project) -> None:
    other = store.projects.create("other")
    foreign = store.labels.create(other.id, "cat")
    attempts: list[Callable[[], Any]] = [
        lambda: store.masks.save(new_mask(new_id())),
        lambda: store.masks.save(new_mask(image, label_id=new_id())),
        lambda: store.masks.save(new_mask(image, label_id=foreign.id)),
        lambda: store.masks.save(new_mask(image, author_id=new_id())),
        lambda: store.masks.get(new_id()),
        lambda: store.masks.heads(new_id()),
        lambda: store.masks.history(new_id()),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()


def test_of_concurrent_corrections_exactly_one_wins(store: Store, image: Image) -> None:
    for _ in range(5):
        parent = store.masks.save(new_mask(image))
        rivals = [correction(parent) for _ in range(6)]
        won, lost = _race(store, rivals)
        assert len(won) == 1
        assert len(lost) == 5
        assert all(conflict.head == won[0] for conflict in lost)
        assert store.masks.history(parent.object_id) == [parent, won[0]]


def test_of_concurrent_beginnings_exactly_one_wins(store: Store, image: Image) -> None:
    object_id = new_id()
    won, lost = _race(store, [new_mask(image, object_id=object_id) for _ in range(6)])
    assert len(won) == 1
    assert all(conflict.head == won[0] for conflict in lost)


def test_the_same_row_from_two_tabs_at_once_is_saved_once(store: Store, image: Image) -> None:
    for _ in range(5):
        new = new_mask(image)
        won, lost = _race(store, [new] * 6)
        assert not lost
        assert won == [store.masks.get(new.id)] * 6


def test_5000_masks_take_few_statements(store: Store, image: Image, statements: list[str]) -> None:
    many = [new_mask(image, position=i) for i in range(5000)]
    store.masks.save_many(many)
    assert len(statements) < 80
    statements.clear()
    heads = store.masks.heads(image.id)
    assert [mask.id for mask in heads] == [new.id for new in many]
    assert len(statements) == 2


@pytest.fixture
def statements(store: Store) -> list[str]:
    """What is sent to the database, as it comes."""
    sent: list[str] = []
    listener = event.listens_for(store._database.engine, "before_cursor_execute")
    listener(lambda *about: None if about[2].startswith("BEGIN") else sent.append(about[2]))
    return sent


def _race(store: Store, rivals: list[NewMask]) -> tuple[list[Mask], list[Conflict]]:
    """Save all at the same moment: what was saved, and what was refused."""
    outcomes = at_once([partial(store.masks.save, new) for new in rivals], expected=Conflict)
    return (
        [outcome for outcome in outcomes if isinstance(outcome, Mask)],
        [outcome for outcome in outcomes if isinstance(outcome, Conflict)],
    )
