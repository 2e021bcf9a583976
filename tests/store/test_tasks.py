"""Tasks: leases, the queue, and what finishing leads to."""

from __future__ import annotations

import pytest

from anymask.core.errors import InputError
from anymask.store import Image, LeaseLost, NotFound, Project, Store, Task, User
from tests.store.building import ManualClock, correction, new_id, new_image, new_mask


def test_a_claimed_task_is_given_to_nobody_else(
    store: Store, project: Project, images: list[Image], anna: User, bert: User
) -> None:
    mine = _claim(store, project, anna)
    theirs = _claim(store, project, bert)
    assert (mine.image_id, theirs.image_id) == (images[0].id, images[1].id)
    assert (mine.state, mine.assignee_id) == ("claimed", anna.id)
    assert store.tasks.claim(project.id, bert.id, image_id=images[0].id) is None
    assert store.tasks.get(mine.id).lease_token is None, "a token is for its holder alone"
    gallery = {found.image.id: found.assignee for found in store.images.page(project.id).items}
    assert gallery == {images[0].id: "anna", images[1].id: "bert", images[2].id: None}


def test_a_person_gets_the_task_they_hold_again(
    store: Store, project: Project, images: list[Image], anna: User
) -> None:
    first, again = _claim(store, project, anna), _claim(store, project, anna)
    assert (again.id, again.lease_token) == (first.id, first.lease_token)
    assert again.lease_until > first.lease_until  # type: ignore[operator]


def test_a_lease_that_ran_out_is_taken_by_the_next(
    store: Store, project: Project, images: list[Image], anna: User, bert: User, clock: ManualClock
) -> None:
    mine = _claim(store, project, anna)
    clock.pass_by(minutes=9)
    store.tasks.renew(mine.id, _token(mine))
    clock.pass_by(minutes=9)
    assert _claim(store, project, bert).image_id == images[1].id, "renewed in time"
    clock.pass_by(minutes=2)
    theirs = store.tasks.claim(project.id, bert.id, image_id=images[0].id)
    assert theirs is not None
    assert theirs.lease_token != mine.lease_token
    for late in (store.tasks.renew, store.tasks.finish, store.tasks.skip, store.tasks.release):
        with pytest.raises(LeaseLost, match="somebody else"):
            late(mine.id, _token(mine))
    assert store.tasks.finish(theirs.id, _token(theirs)).state == "done"


def test_a_lease_that_ran_out_still_counts_while_nobody_took_it(
    store: Store, project: Project, images: list[Image], anna: User, clock: ManualClock
) -> None:
    mine = _claim(store, project, anna)
    clock.pass_by(hours=3)
    assert store.tasks.get(mine.id).state == "open"
    assert store.tasks.finish(mine.id, _token(mine)).state == "done"
    with pytest.raises(LeaseLost):
        store.tasks.finish(mine.id, _token(mine))


def test_tasks_come_by_priority_then_path(store: Store, project: Project, anna: User) -> None:
    b, a, c = store.images.add(project.id, [new_image("b.jpg"), new_image("a.jpg"), new_image("c.jpg")])
    store.tasks.create_for([a.id, b.id])
    store.tasks.create_for([c.id], priority=3)
    assert store.tasks.upcoming(project.id, anna.id) == [c.id, a.id, b.id]
    order = []
    while (task := store.tasks.claim(project.id, anna.id)) is not None:
        order.append(task.image_id)
        store.tasks.finish(task.id, _token(task), seconds=2)
    assert order == [c.id, a.id, b.id]


def test_tasks_are_made_once_for_an_image(store: Store, project: Project, images: list[Image]) -> None:
    assert store.tasks.create_for([image.id for image in images]) == 0
    assert store.tasks.create_for([images[0].id, new_id()], kind="review") == 1
    assert [task.kind for task in store.tasks.of_image(images[0].id)] == ["label", "review"]


def test_skipped_tasks_are_not_given_again_unless_asked_for(
    store: Store, project: Project, images: list[Image], anna: User
) -> None:
    task = _claim(store, project, anna)
    assert store.tasks.skip(task.id, _token(task), seconds=1.5).state == "skipped"
    assert _claim(store, project, anna).image_id == images[1].id
    asked = store.tasks.claim(project.id, anna.id, image_id=images[0].id)
    assert asked is not None
    assert store.tasks.finish(asked.id, _token(asked), seconds=2).seconds == 3.5
    assert store.tasks.counts(project.id) == {"open": 1, "claimed": 1, "done": 1, "skipped": 0}


def test_releasing_leaves_a_task_as_it_was(
    store: Store, project: Project, images: list[Image], anna: User
) -> None:
    task = _claim(store, project, anna)
    assert store.tasks.release(task.id, _token(task)).state == "open"
    task = _claim(store, project, anna)
    store.tasks.finish(task.id, _token(task))
    looked_at = store.tasks.claim(project.id, anna.id, image_id=task.image_id)
    assert looked_at is not None
    assert store.tasks.release(looked_at.id, _token(looked_at)).state == "done"


def test_an_image_without_a_task_gets_one_when_it_is_opened(
    store: Store, image: Image, project: Project, anna: User
) -> None:
    task = store.tasks.claim(project.id, anna.id, image_id=image.id)
    assert task is not None
    assert task.state == "claimed"
    other = store.projects.create("other")
    with pytest.raises(InputError, match="another project"):
        store.tasks.claim(other.id, anna.id, image_id=image.id)
    with pytest.raises(NotFound):
        store.tasks.claim(project.id, new_id())
    with pytest.raises(InputError, match="label, review"):
        store.tasks.claim(project.id, anna.id, "dance")


def test_the_way_of_an_image(store: Store, project: Project, image: Image, anna: User, bert: User) -> None:
    def state() -> str:
        return store.images.get(image.id).state

    store.tasks.create_for([image.id])
    assert state() == "new"
    first, second = store.masks.save_many([new_mask(image, author_id=anna.id) for _ in range(2)])
    assert state() == "in_progress"
    task = _claim(store, project, anna)
    store.tasks.finish(task.id, _token(task))
    assert state() == "done"

    review = _claim(store, project, bert, "review")
    assert review.image_id == image.id
    store.reviews.give(first.id, bert.id, "accepted")
    assert state() == "done", "one of two"
    store.reviews.give(second.id, bert.id, "rejected", "too wide")
    assert state() == "rejected"
    store.tasks.finish(review.id, _token(review))

    again = _claim(store, project, anna)
    assert (again.image_id, again.priority) == (image.id, 1)
    third = store.masks.save(correction(second, author_id=anna.id))
    assert state() == "in_progress"
    store.tasks.finish(again.id, _token(again))
    assert state() == "done"

    review = _claim(store, project, bert, "review")
    store.reviews.give(third.id, bert.id, "comment", "better")
    assert state() == "done", "a comment is no verdict"
    store.reviews.give(third.id, bert.id, "accepted")
    assert state() == "accepted"
    store.tasks.finish(review.id, _token(review))
    assert state() == "accepted"
    counts = store.projects.get(project.id).counts
    assert (counts.images, counts.labelled, counts.reviewed, counts.masks) == (1, 1, 1, 2)


def test_an_image_without_objects_is_accepted_by_its_review(
    store: Store, project: Project, image: Image, anna: User
) -> None:
    store.tasks.create_for([image.id])
    for kind, state in (("label", "done"), ("review", "accepted")):
        task = _claim(store, project, anna, kind)
        store.tasks.finish(task.id, _token(task))
        assert store.images.get(image.id).state == state


def test_reviewers_get_others_work_first(
    store: Store, project: Project, images: list[Image], anna: User, bert: User
) -> None:
    for person in (anna, bert):
        task = _claim(store, project, person)
        store.tasks.finish(task.id, _token(task))
    assert _claim(store, project, anna, "review").image_id == images[1].id
    assert _claim(store, project, bert, "review").image_id == images[0].id


@pytest.fixture
def images(store: Store, project: Project) -> list[Image]:
    """Three, with a task each."""
    added = store.images.add(project.id, [new_image(f"{name}.jpg") for name in "abc"])
    store.tasks.create_for(image.id for image in added)
    return added


def _claim(store: Store, project: Project, user: User, kind: str = "label") -> Task:
    task = store.tasks.claim(project.id, user.id, kind)
    assert task is not None
    return task


def _token(task: Task) -> str:
    assert task.lease_token is not None
    return task.lease_token
