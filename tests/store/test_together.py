"""People who change the same things at the same moment: nothing is miscounted, lost or done twice."""

from __future__ import annotations

from functools import partial

import pytest

from anymask.store import Conflict, Image, Mask, NotFound, Project, Store, User
from tests.store.building import correction, new_id, new_image, new_mask
from tests.store.racing import at_once

ROUNDS = 5


def test_all_objects_of_an_image_are_counted(store: Store, image: Image) -> None:
    for done in range(1, ROUNDS + 1):
        at_once([partial(store.masks.save, new_mask(image)) for _ in range(6)])
        assert store.images.get(image.id).masks == len(store.masks.heads(image.id)) == 6 * done


def test_reviews_of_an_image_settle_its_state(store: Store, image: Image, anna: User) -> None:
    for _ in range(ROUNDS):
        for mask in store.masks.heads(image.id):
            store.masks.save(correction(mask))
        saved = [store.masks.save(new_mask(image)) for _ in range(2)]
        heads = [*store.masks.heads(image.id)]
        assert {mask.id for mask in saved} <= {mask.id for mask in heads}
        at_once([partial(store.reviews.give, mask.id, anna.id, "accepted") for mask in heads])
        assert store.images.get(image.id).state == "accepted"


def test_saving_on_several_images_in_any_order(store: Store, project: Project) -> None:
    images = store.images.add(project.id, [new_image(f"{i}.jpg") for i in range(6)])
    for done in range(1, ROUNDS + 1):
        at_once(
            [
                partial(store.masks.save_many, [new_mask(image) for image in order])
                for order in (images, images[::-1], images[3:] + images[:3])
            ]
        )
        assert {store.images.get(image.id).masks for image in images} == {3 * done}


def test_two_administrators_do_not_demote_each_other(store: Store) -> None:
    for i in range(ROUNDS):
        pair = [store.people.create(f"{name} {i}", "admin", password="long enough 123") for name in "ab"]
        for other in store.people.list():
            if other.role == "admin" and other.id not in {admin.id for admin in pair}:
                store.people.update(other.id, role="annotator")
        outcomes = at_once(
            [partial(store.people.update, admin.id, role="annotator") for admin in pair], expected=Conflict
        )
        assert [isinstance(outcome, Conflict) for outcome in outcomes].count(True) == 1
        assert [user.role for user in store.people.list()].count("admin") == 1


def test_a_label_sent_twice_is_made_once(store: Store, project: Project) -> None:
    for i in range(ROUNDS):
        id = new_id()
        made = at_once([partial(store.labels.create, project.id, f"duck {i}", id=id) for _ in range(4)])
        assert made == [store.labels.get(id)] * 4
    outcomes = at_once(
        [partial(store.labels.create, project.id, "goose") for _ in range(4)], expected=Conflict
    )
    assert [isinstance(outcome, Conflict) for outcome in outcomes].count(False) == 1


def test_a_hotkey_belongs_to_one_label(store: Store, project: Project) -> None:
    labels = [store.labels.create(project.id, name) for name in "abcd"]
    for _ in range(ROUNDS):
        at_once([partial(store.labels.update, label.id, hotkey="7") for label in labels])
        assert [label.hotkey for label in store.labels.list(project.id)].count("7") == 1


def test_a_snapshot_name_is_given_once(store: Store, project: Project, image: Image) -> None:
    store.masks.save(new_mask(image))
    for i in range(ROUNDS):
        freeze = partial(store.snapshots.freeze, project.id, f"v{i}", states=("in_progress",))
        outcomes = at_once([freeze] * 3, expected=Conflict)
        assert [isinstance(outcome, Conflict) for outcome in outcomes].count(True) == 2
    assert [snapshot.masks for snapshot in store.snapshots.list(project.id)] == [1] * ROUNDS


def test_a_project_keeps_what_two_changed(store: Store, project: Project) -> None:
    for i in range(ROUNDS):
        at_once(
            [
                partial(store.projects.update, project.id, name=f"name {i}"),
                partial(store.projects.update, project.id, settings={"i": i}),
                partial(store.projects.update, project.id, model=f"model {i}"),
            ]
        )
        now = store.projects.get(project.id)
        assert (now.name, now.settings, now.model) == (f"name {i}", {"i": i}, f"model {i}")


def test_labels_are_merged_while_people_work(store: Store, project: Project, image: Image) -> None:
    into = store.labels.create(project.id, "bird")
    for i in range(ROUNDS):
        label = store.labels.create(project.id, f"duck {i}")
        first = [store.masks.save(new_mask(image, label_id=label.id)) for _ in range(4)]
        outcomes = at_once(
            [
                partial(store.labels.merge, label.id, into.id),
                *(partial(store.masks.save, correction(mask, label_id=label.id)) for mask in first),
            ],
            expected=Conflict,
        )
        assert not isinstance(outcomes[0], Conflict)
        heads = {mask.object_id: mask for mask in store.masks.heads(image.id)}
        for mask, outcome in zip(first, outcomes[1:], strict=True):
            # Either the correction came first and was merged as well, or it lost to the merged one.
            assert heads[mask.object_id].label_id == into.id
            lengths = {True: 2, False: 3}
            assert len(store.masks.history(mask.object_id)) == lengths[isinstance(outcome, Conflict)]


def test_an_image_is_purged_while_people_work(store: Store, project: Project, anna: User) -> None:
    for i in range(ROUNDS):
        image = store.images.add(project.id, [new_image(f"{i}.jpg")])[0]
        first = store.masks.save(new_mask(image))
        task = store.tasks.claim(project.id, anna.id, image_id=image.id)
        assert task is not None
        assert task.lease_token is not None
        outcomes = at_once(
            [
                partial(store.images.purge, image.id),
                partial(store.masks.save, new_mask(image)),
                partial(store.masks.save, correction(first)),
                partial(store.tasks.finish, task.id, task.lease_token),
            ],
            expected=(NotFound, Conflict),
        )
        assert isinstance(outcomes[0], Image)
        assert all(isinstance(outcome, Mask | NotFound | Conflict) for outcome in outcomes[1:3])
        with pytest.raises(NotFound):
            store.images.get(image.id)
