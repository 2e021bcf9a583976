"""Prompts, reviews, snapshots, models, jobs, events and figures."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from anymask.core.errors import InputError
from anymask.store import (
    Conflict,
    FrozenImage,
    Image,
    Job,
    LeaseLost,
    NewPrompt,
    NotFound,
    Project,
    Snapshot,
    Store,
    User,
)
from tests.store.building import ManualClock, correction, new_id, new_image, new_mask, rectangle
from tests.store.racing import at_once

EVERY = ("new", "in_progress", "done", "accepted", "rejected")


def test_prompts_are_recorded_in_order_and_once(store: Store, image: Image, anna: User) -> None:
    object_id = new_id()
    first = NewPrompt(
        id=new_id(),
        image_id=image.id,
        prompt={"points": [[1, 2, 1]], "box": None},
        object_id=object_id,
        user_id=anna.id,
        model_sha256="b" * 64,
        milliseconds=12.5,
        chosen=2,
        seconds_since_last=0.8,
    )
    second = NewPrompt(id=new_id(), image_id=image.id, prompt={})
    store.prompts.record(first)
    store.prompts.record_many([first, second])
    kept = store.prompts.list(image.id)
    assert [{name: getattr(prompt, name) for name in vars(first)} for prompt in kept] == [
        vars(first),
        vars(second),
    ]
    assert store.prompts.list(image.id, object_id) == kept[:1]
    store.prompts.record_many([])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"image_id": new_id()}, NotFound),
        ({"user_id": new_id()}, NotFound),
        ({"id": "1"}, InputError),
        ({"milliseconds": float("nan")}, InputError),
        ({"chosen": -1}, InputError),
        ({"prompt": {"a": b"x"}}, InputError),
    ],
)
def test_prompts_that_cannot_be_are_refused(
    store: Store, image: Image, wrong: dict[str, Any], error: type[Exception]
) -> None:
    given: dict[str, Any] = {"id": new_id(), "image_id": image.id, "prompt": {}}
    with pytest.raises(error):
        store.prompts.record(NewPrompt(**{**given, **wrong}))
    assert store.prompts.list(image.id) == []


def test_reviews_are_kept_with_their_mask(store: Store, image: Image, anna: User) -> None:
    mask = store.masks.save(new_mask(image))
    id = new_id()
    said = store.reviews.give(mask.id, anna.id, "rejected", "the tail is missing\nhere", id=id)
    assert store.reviews.give(mask.id, anna.id, "rejected", "the tail is missing\nhere", id=id) == said
    corrected = store.masks.save(correction(mask))
    accepted = store.reviews.give(corrected.id, None, "accepted")
    assert store.reviews.of_image(image.id) == [said, accepted]
    with pytest.raises(Conflict, match="another review"):
        store.reviews.give(mask.id, anna.id, "accepted", id=id)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"mask_id": new_id()}, NotFound),
        ({"reviewer_id": new_id()}, NotFound),
        ({"verdict": "perhaps"}, InputError),
        ({"verdict": "comment"}, InputError),
        ({"comment": "x" * 10_001}, InputError),
        ({"comment": "\x07"}, InputError),
    ],
)
def test_reviews_that_cannot_be_are_refused(
    store: Store, image: Image, anna: User, wrong: dict[str, Any], error: type[Exception]
) -> None:
    mask = store.masks.save(new_mask(image))
    given: dict[str, Any] = {"mask_id": mask.id, "reviewer_id": anna.id, "verdict": "accepted"}
    with pytest.raises(error):
        store.reviews.give(**{**given, **wrong})
    assert store.reviews.of_image(image.id) == []


def test_a_snapshot_stays_what_it_was(store: Store, project: Project, image: Image, anna: User) -> None:
    label = store.labels.create(project.id, "duck")
    store.images.add(project.id, [new_image("empty.jpg", split="val")])
    high = store.masks.save(new_mask(image, label_id=label.id, position=2))
    low = store.masks.save(new_mask(image, position=1))
    gone = store.masks.save(new_mask(image))
    store.masks.save(correction(gone, deleted=True))
    snapshot = store.snapshots.freeze(project.id, "v1", anna.id, states=EVERY)
    assert (snapshot.images, snapshot.masks, snapshot.author_id) == (2, 2, anna.id)
    before = _content(store, snapshot)
    assert [(one.image.path, one.split, [mask.id for mask in one.masks]) for one in before] == [
        ("a.jpg", None, [low.id, high.id]),
        ("empty.jpg", "val", []),
    ]
    assert before[0].labels == {label.id: "duck"}

    store.masks.save(correction(low, rectangle(0, 0, 1, 1)))
    store.masks.save(new_mask(image))
    store.labels.update(label.id, name="mallard")
    store.images.update(image.id, split="test")
    after = _content(store, snapshot)
    assert [(one.split, one.masks, one.labels) for one in after] == [
        (one.split, one.masks, one.labels) for one in before
    ]
    assert store.snapshots.verify(snapshot.id)
    later = store.snapshots.freeze(project.id, "v2", states=EVERY)
    assert later.sha256 != snapshot.sha256
    assert store.snapshots.list(project.id) == [snapshot, later]


def test_the_same_content_has_the_same_hash(store: Store, project: Project, image: Image) -> None:
    store.masks.save_many([new_mask(image) for _ in range(5)])
    first, second = (store.snapshots.freeze(project.id, name, states=EVERY) for name in ("a", "b"))
    assert first.sha256 == second.sha256
    assert len(first.sha256) == 64


def test_a_snapshot_takes_finished_images_alone(
    store: Store, project: Project, image: Image, anna: User
) -> None:
    store.masks.save(new_mask(image))
    assert store.snapshots.freeze(project.id, "early").images == 0
    task = store.tasks.claim(project.id, anna.id, image_id=image.id)
    assert task is not None
    store.tasks.finish(task.id, task.lease_token or "")
    assert store.snapshots.freeze(project.id, "late").masks == 1


def test_damage_to_a_snapshot_is_noticed(store: Store, project: Project, image: Image) -> None:
    mask = store.masks.save(new_mask(image))
    snapshot = store.snapshots.freeze(project.id, "v1", states=EVERY)
    with store._database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE masks SET counts = 'k36h0' WHERE id = '{mask.id}'")
    assert not store.snapshots.verify(snapshot.id)


def test_snapshots_that_cannot_be_are_refused(store: Store, project: Project) -> None:
    store.snapshots.freeze(project.id, "v1")
    with pytest.raises(Conflict, match="'v1' already"):
        store.snapshots.freeze(project.id, "v1")
    with pytest.raises(InputError, match="one of new"):
        store.snapshots.freeze(project.id, "v2", states=("lost",))
    for lost in (store.snapshots.get, store.snapshots.verify, store.snapshots.records):
        with pytest.raises(NotFound):
            lost(new_id())
    with pytest.raises(NotFound):
        store.snapshots.freeze(new_id(), "v1")


def test_models_are_switched_and_reverted(store: Store, project: Project) -> None:
    def states() -> list[str]:
        return [model.state for model in store.models.list(project.id)]

    shas = [letter * 64 for letter in "abc"]
    for i, sha in enumerate(shas):
        store.models.register(
            project.id,
            sha,
            f"model {i}",
            f"models/{i}",
            parent_sha256=shas[i - 1] if i else None,
            metrics={"iou": 0.5},
        )
    assert states() == ["candidate"] * 3
    assert store.models.current(project.id) is None
    for sha in shas:
        store.models.switch(project.id, sha)
    assert states() == ["retired", "retired", "current"]
    assert store.projects.get(project.id).model == "models/2"
    back = store.models.revert(project.id)
    assert back is not None
    assert (back.sha256, states()) == (shas[1], ["retired", "current", "refused"])
    assert store.projects.get(project.id).model == "models/1"
    assert store.models.revert(project.id) is not None
    assert store.models.revert(project.id) is None
    assert store.projects.get(project.id).model is None
    with pytest.raises(Conflict, match="nothing to go back"):
        store.models.revert(project.id)


def test_models_that_cannot_be_are_refused(store: Store, project: Project) -> None:
    model = store.models.register(project.id, "a" * 64, "one", "models/one")
    assert store.models.register(project.id, "a" * 64, "other", "models/other") == model
    assert store.models.refuse(project.id, "a" * 64).state == "refused"
    store.models.switch(project.id, "a" * 64)
    store.models.switch(project.id, "a" * 64)
    with pytest.raises(Conflict, match="in use"):
        store.models.refuse(project.id, "a" * 64)
    for lost in (
        lambda: store.models.switch(project.id, "b" * 64),
        lambda: store.models.switch(new_id(), "a" * 64),
        lambda: store.models.register(project.id, "c" * 64, "x", "x", snapshot_id=new_id()),
    ):
        with pytest.raises(NotFound):
            lost()
    with pytest.raises(InputError):
        store.models.register(project.id, "short", "x", "x")


def test_a_job_is_done_by_one_worker(store: Store, project: Project, clock: ManualClock) -> None:
    job = store.jobs.enqueue("train", {"epochs": 3}, project_id=project.id)
    assert store.jobs.claim("w", kinds=["export"]) == []
    [mine] = store.jobs.claim("w1")
    assert (mine.id, mine.state, mine.arguments) == (job.id, "running", {"epochs": 3})
    assert store.jobs.claim("w2") == []
    clock.pass_by(seconds=100)
    assert store.jobs.progress(job.id, "w1", 0.5, "epoch 2").progress == 0.5
    clock.pass_by(seconds=100)
    assert store.jobs.claim("w2") == [], "a sign of life"
    clock.pass_by(seconds=100)
    [theirs] = store.jobs.claim("w2")
    assert theirs.progress == 0.5
    for late in (
        lambda: store.jobs.progress(job.id, "w1", 0.6),
        lambda: store.jobs.finish(job.id, "w1"),
        lambda: store.jobs.fail(job.id, "w1", "no"),
    ):
        with pytest.raises(LeaseLost):
            late()
    done = store.jobs.finish(job.id, "w2", "iou 0.9")
    assert (done.state, done.progress, done.detail, done.lease_until) == ("done", 1.0, "iou 0.9", None)
    assert store.jobs.list(project.id) == store.jobs.list(states=["done"]) == [done]
    assert store.jobs.list(new_id()) == store.jobs.list(states=["failed"]) == []


def test_jobs_are_stopped_and_fail(store: Store) -> None:
    waiting, running, failing = store.jobs.enqueue_many("export", [{}, {}, {}])
    assert store.jobs.stop(waiting.id).state == "stopped"
    assert {job.id for job in store.jobs.claim("w", most=5)} == {running.id, failing.id}
    store.jobs.stop(running.id)
    with pytest.raises(LeaseLost, match="stopped"):
        store.jobs.progress(running.id, "w", 0.1)
    assert store.jobs.fail(failing.id, "w", "disk full\0").detail == "disk full"
    with pytest.raises(Conflict, match="over"):
        store.jobs.stop(failing.id)
    with pytest.raises(InputError):
        store.jobs.progress(failing.id, "w", 1.5)
    with pytest.raises(NotFound):
        store.jobs.get(new_id())


def test_workers_that_claim_at_once_share_the_jobs(store: Store) -> None:
    jobs = store.jobs.enqueue_many("tile", [{"i": i} for i in range(30)])
    assert store.jobs.enqueue_many("tile", []) == []

    def work(worker: str) -> list[Job]:
        got: list[Job] = []
        while batch := store.jobs.claim(worker, most=4):
            got += batch
        return got

    ids = [job.id for got in at_once([partial(work, f"w{i}") for i in range(4)]) for job in got]
    assert sorted(ids) == sorted(job.id for job in jobs)


def test_events_come_newest_first(store: Store, project: Project, anna: User) -> None:
    made = [
        store.events.add("export", {"n": i}, project_id=project.id if i % 2 else None, user_id=anna.id)
        for i in range(5)
    ]
    first = store.events.page(limit=2)
    second = store.events.page(limit=3, cursor=first.next)
    assert [*first.items, *second.items] == made[::-1]
    assert second.next is None
    assert [event.detail["n"] for event in store.events.page(project.id).items] == [3, 1]
    with pytest.raises(InputError):
        store.events.page(cursor="x")
    with pytest.raises(InputError):
        store.events.add("")


def test_figures_of_a_project(
    store: Store, project: Project, image: Image, anna: User, bert: User, clock: ManualClock
) -> None:
    label = store.labels.create(project.id, "duck")
    first = store.masks.save(new_mask(image, author_id=anna.id, seconds=10, label_id=label.id, source="box"))
    store.masks.save(correction(first, author_id=anna.id, seconds=5, label_id=label.id))
    store.masks.save(new_mask(image, author_id=anna.id, seconds=4))
    store.prompts.record_many(
        NewPrompt(id=new_id(), image_id=image.id, prompt={}, user_id=anna.id) for _ in range(3)
    )
    clock.pass_by(days=1)
    last = store.masks.save(new_mask(image, author_id=bert.id, seconds=6))
    store.masks.save(new_mask(image, source="import"))
    store.reviews.give(last.id, anna.id, "accepted")
    task = store.tasks.claim(project.id, bert.id, image_id=image.id)
    assert task is not None
    store.tasks.finish(task.id, task.lease_token or "")

    progress = store.statistics.progress(project.id)
    assert progress.images == {"new": 0, "in_progress": 0, "done": 1, "accepted": 0, "rejected": 0}
    assert (progress.masks, progress.by_label) == (4, {label.id: 1})
    assert progress.by_source == {"click": 3, "import": 1}
    first_person, second_person = store.statistics.people(project.id)
    assert (first_person.name, first_person.masks, first_person.seconds_per_mask) == ("anna", 2, 9.5)
    assert (first_person.prompts_per_mask, first_person.images, first_person.reviews) == (1.5, 0, 1)
    assert (second_person.name, second_person.masks, second_person.images) == ("bert", 1, 1)
    days = store.statistics.seconds_per_mask(project.id)
    assert [(day.day, day.name, day.masks, day.seconds, day.prompts) for day in days] == [
        ("2026-03-01", "anna", 2, 19.0, 3),
        ("2026-03-02", "bert", 1, 6.0, 0),
    ]
    other = store.projects.create("other")
    assert store.statistics.people(other.id) == store.statistics.seconds_per_mask(other.id) == []
    assert store.statistics.progress(other.id).masks == 0


def test_agreement_matches_masks_by_iou(
    store: Store, project: Project, image: Image, anna: User, bert: User
) -> None:
    label = store.labels.create(project.id, "duck")
    left, right, small = rectangle(0, 0, 10, 10), rectangle(16, 0, 26, 10), rectangle(0, 20, 2, 22)
    ours = store.masks.save_many(
        [
            new_mask(image, left, author_id=anna.id, label_id=label.id),
            new_mask(image, right, author_id=anna.id),
            new_mask(image, small, author_id=anna.id),
        ]
    )
    near = store.masks.save(new_mask(image, rectangle(0, 0, 10, 8), author_id=bert.id))
    corrected = store.masks.save(correction(ours[1], rectangle(16, 0, 26, 9), author_id=bert.id))
    far = store.masks.save(new_mask(image, rectangle(20, 20, 22, 22), author_id=bert.id))
    [agreement] = store.statistics.agreement(image.id)
    first, second = sorted([anna.id, bert.id])
    assert (agreement.first_user, agreement.second_user) == (first, second)
    found = {
        (*sorted([match.first_mask, match.second_mask]), round(match.iou, 6), match.same_label)
        for match in agreement.matches
    }
    assert found == {
        (*sorted([ours[0].id, near.id]), 0.8, False),
        (*sorted([ours[1].id, corrected.id]), 0.9, True),
    }
    assert {*agreement.first_only, *agreement.second_only} == {ours[2].id, far.id}
    assert agreement.mean_iou == pytest.approx(0.85)
    assert agreement.f1 == pytest.approx(2 * 2 / 6)


def test_one_person_has_nobody_to_agree_with(store: Store, image: Image, anna: User, bert: User) -> None:
    gone = store.masks.save(new_mask(image, author_id=bert.id))
    store.masks.save(correction(gone, author_id=bert.id, deleted=True))
    store.masks.save(new_mask(image, author_id=anna.id))
    store.masks.save(new_mask(image))
    assert store.statistics.agreement(image.id) == []
    with pytest.raises(NotFound):
        store.statistics.agreement(new_id())


def _content(store: Store, snapshot: Snapshot) -> list[FrozenImage]:
    return list(store.snapshots.records(snapshot.id))
