"""Reviews, agreement, figures, snapshots: what a team does after the masks are made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from anymask.core.rle import Rle
from anymask.store import NewMask
from tests.studio.running import RunningStudio, block, pictures, row, running_studio
from tests.studio.served import PASSWORD, new_id

ONE = block(slice(20, 70), slice(30, 80))
SIMILAR = block(slice(21, 70), slice(30, 80))
OTHER = block(slice(40, 110), slice(100, 150))


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(pictures(tmp_path_factory.mktemp("workspace"), 6)) as studio:
        yield studio


@pytest.fixture
def image(studio: RunningStudio) -> str:
    """An image without masks."""
    found: str = next(one["id"] for one in studio.images() if one["masks"] == 0)
    return found


def state_of(studio: RunningStudio, image: str) -> str:
    found: str = studio.get(f"/images/{image}")["state"]
    return found


def finish(studio: RunningStudio, image: str) -> None:
    """Finish the labelling of an image."""
    task = studio.post(f"/projects/{studio.project}/tasks/next", {"kind": "label", "image": image})["task"]
    studio.post(f"/tasks/{task['id']}/finish", {"lease_token": task["lease_token"]})


def test_verdicts_and_comments(studio: RunningStudio, image: str) -> None:
    sent = row(ONE)
    studio.save(image, sent)
    finish(studio, image)
    assert state_of(studio, image) == "done"
    address = f"/masks/{sent['id']}/review"
    comment = studio.post(address, {"verdict": "comment", "comment": "<b>the tail</b> is missing"}, 201)
    assert comment["comment"] == "<b>the tail</b> is missing"
    studio.post(address, {"verdict": "rejected"}, 201)
    assert state_of(studio, image) == "rejected"
    studio.post(address, {"verdict": "accepted"}, 201)
    verdicts = [one["verdict"] for one in studio.get(f"/images/{image}/reviews")["items"]]
    assert verdicts == ["comment", "rejected", "accepted"]
    studio.post(address, {"verdict": "comment", "comment": "  "}, 422)
    studio.post(address, {"verdict": "maybe"}, 422)
    assert studio.post(f"/masks/{'0' * 32}/review", {"verdict": "accepted"}, 404)["code"] == "unknown"


def test_a_review_that_is_sent_twice_counts_once(studio: RunningStudio, image: str) -> None:
    sent = row(ONE)
    studio.save(image, sent)
    body = {"verdict": "accepted", "id": new_id()}
    first = studio.post(f"/masks/{sent['id']}/review", body, 201)
    assert studio.post(f"/masks/{sent['id']}/review", body, 201) == first
    assert len(studio.get(f"/images/{image}/reviews")["items"]) == 1


def test_how_far_two_people_agree(studio: RunningStudio, image: str) -> None:
    mine = row(ONE), row(OTHER)
    studio.save(image, *mine)
    other = studio.services.store.people.create("Anna", "annotator", password=PASSWORD)
    theirs = row(SIMILAR)
    studio.services.store.masks.save(sent_by(other.id, image, theirs))
    (pair,) = studio.get(f"/images/{image}/agreement")["items"]
    assert {pair["first_user"], pair["second_user"]} == {studio.get("/me")["user"]["id"], other.id}
    (match,) = pair["matches"]
    assert {match["first_mask"], match["second_mask"]} == {mine[0]["id"], theirs["id"]}
    assert match["iou"] == pytest.approx(SIMILAR.sum() / ONE.sum())
    assert pair["mean_iou"] == pytest.approx(match["iou"])
    assert pair["f1"] == pytest.approx(2 / 3)
    assert pair["first_only"] + pair["second_only"] == [mine[1]["id"]]


def sent_by(author: str, image: str, sent: dict[str, Any]) -> NewMask:
    return NewMask(
        id=sent["id"],
        image_id=image,
        object_id=sent["object_id"],
        rle=Rle.from_coco(sent["rle"]),
        author_id=author,
    )


def test_figures(studio: RunningStudio, image: str) -> None:
    before = studio.get(f"/projects/{studio.project}/statistics")
    subject = row(ONE, seconds=6.0, source="box")
    studio.post(f"/images/{image}/prompt", {"box": [30, 20, 80, 70], "object": subject["object_id"]})
    studio.post(f"/images/{image}/prompt", {"box": [30, 20, 80, 71], "object": subject["object_id"]})
    studio.save(image, subject)
    studio.services.recorder.flush()
    after = studio.get(f"/projects/{studio.project}/statistics")
    assert after["masks"] == before["masks"] + 1
    assert after["by_source"]["box"] == before["by_source"].get("box", 0) + 1
    assert sum(after["images"].values()) == 6
    me = studio.get("/me")["user"]["id"]
    (mine,) = (one for one in after["people"] if one["user_id"] == me)
    (earlier,) = (one for one in before["people"] if one["user_id"] == me) if before["people"] else (None,)
    assert mine["seconds"] == (earlier["seconds"] if earlier else 0) + 6
    assert mine["prompts"] == (earlier["prompts"] if earlier else 0) + 2
    (today,) = (one for one in after["days"] if one["user_id"] == me)
    assert today["masks"] == mine["masks"]
    assert after["seconds_per_mask"] > 0


def test_a_snapshot_stays_as_it_was(studio: RunningStudio, image: str) -> None:
    label = studio.post(f"/projects/{studio.project}/labels", {"name": "before"}, 201)
    sent = row(ONE, label_id=label["id"])
    studio.save(image, sent)
    finish(studio, image)
    address = f"/projects/{studio.project}/snapshots"
    frozen = studio.post(address, {"name": "one", "states": ["done"]}, 201)
    assert (frozen["images"], frozen["masks"]) == (1, 1)
    assert studio.post(address, {"name": "one"}, 409)["code"] == "conflict"
    then = export(studio, frozen["id"])
    correction = row(OTHER, object_id=sent["object_id"], parent_id=sent["id"])
    studio.save(image, correction)
    studio.patch(f"/labels/{label['id']}", {"name": "after"})
    assert export(studio, frozen["id"]) == then
    assert [one["name"] for one in json.loads(then)["categories"]] == ["before"]
    assert studio.get(f"/snapshots/{frozen['id']}")["is_whole"] is True
    again = studio.post(address, {"name": "two", "states": ["done"]}, 201)
    assert again["sha256"] != frozen["sha256"]
    assert [one["name"] for one in studio.get(address)["items"]] == ["one", "two"]
    assert studio.get(f"/snapshots/{'0' * 32}", 404)["code"] == "unknown"


def test_a_snapshot_of_another_project_is_not_found(studio: RunningStudio) -> None:
    other = studio.post("/projects", {"id": new_id(), "name": "other"}, 201)["id"]
    frozen = studio.post(f"/projects/{other}/snapshots", {"name": "empty"}, 201)
    body = {"format": "coco", "snapshot": frozen["id"], "empty": True}
    answer = studio.client.post(f"/api/v1/projects/{studio.project}/export", json=body)
    assert answer.status_code == 404


def export(studio: RunningStudio, snapshot: str) -> bytes:
    answer: httpx.Response = studio.client.post(
        f"/api/v1/projects/{studio.project}/export", json={"format": "coco", "snapshot": snapshot}
    )
    assert answer.status_code == 200, answer.text
    return answer.content
