"""The assistant prefills what it is sure of, people get the gaps, and the estimate follows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anymask.automatic import everything
from anymask.core.rle import Rle, decode
from anymask.models.folder import ModelFolder
from anymask.models.registry import resolve
from anymask.store import Store
from anymask.studio.assist.confident import confident, gap_of, raised
from anymask.studio.assist.estimate import estimate
from tests.fake_runtime import FakeRuntime, fake_model, scene
from tests.server.running import wait_until
from tests.studio.running import RunningStudio, block, pictures, row, running_studio
from tests.studio.served import new_id

ONE = block(slice(20, 70), slice(30, 80))


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[RunningStudio]:
    with running_studio(pictures(tmp_path / "workspace", 4), small()) as studio:
        yield studio


def small() -> FakeRuntime:
    """Everything mode asks a thousand times: few cells are quicker."""
    return FakeRuntime(input_size=128, mask_size=32)


def over(studio: RunningStudio) -> bool:
    job = studio.get(f"/projects/{studio.project}/assist")["job"]
    return job is not None and job["state"] in ("done", "failed", "stopped")


def test_sure_masks_are_those_of_a_stricter_run() -> None:
    model = fake_model()
    state = everything(model, scene(), points_per_side=8, pred_iou_thresh=0.6, stability_score_thresh=0.5)
    sure = confident(state, 0.7)
    strict = everything(
        model,
        scene(),
        points_per_side=8,
        pred_iou_thresh=raised(0.6, 0.7),
        stability_score_thresh=raised(0.5, 0.7),
    ).records()
    assert sorted(one.rle.counts for one in sure) == sorted(one.rle.counts for one in strict)
    assert 0 < len(sure) < len(confident(state, 0))
    assert [one.area for one in sure] == sorted((one.area for one in sure), reverse=True)
    assert confident(state, 1.0) == []


def test_the_gap_is_what_no_mask_covers() -> None:
    records = everything(fake_model(), scene(), points_per_side=8).records()
    covered = np.any([record.mask for record in records], axis=0)
    assert gap_of(records, (120, 160)) == pytest.approx(1 - covered.mean())
    assert gap_of([], (120, 160)) == 1


@pytest.mark.parametrize(
    ("images", "by_source", "pace", "left", "seconds"),
    [
        ({"new": 10}, {}, None, 10, None),
        ({"new": 8, "done": 2}, {"click": 6, "everything": 50}, 4.0, 8, 8 * 3 * 4.0),
        ({"in_progress": 4, "accepted": 1, "rejected": 1}, {"box": 2, "import": 9}, 10.0, 5, 5 * 2 * 10.0),
        ({"new": 3, "done": 3}, {"everything": 12}, None, 3, 0.0),
        ({"done": 3}, {"click": 9}, 5.0, 0, 0.0),
    ],
)
def test_the_estimate(
    images: dict[str, int], by_source: dict[str, int], pace: float | None, left: int, seconds: float | None
) -> None:
    found = estimate(images, by_source, pace)
    assert (found.left, found.seconds_left) == (left, seconds)


def test_images_are_prefilled_and_queued_by_their_gaps(studio: RunningStudio) -> None:
    begun, *fresh = (image["id"] for image in studio.images())
    studio.save(begun, row(ONE))
    label = studio.post(f"/projects/{studio.project}/labels", {"name": "thing"}, 201)["id"]
    asked = {"confidence": 0.1, "label_id": label}
    job = studio.post(f"/projects/{studio.project}/assist", asked, 202)
    assert job["state"] in ("waiting", "running", "done")
    wait_until(lambda: over(studio), 120)
    answer = studio.get(f"/projects/{studio.project}/assist")
    assert answer["job"]["state"] == "done", answer
    assert len(studio.get(f"/images/{begun}/masks")["items"]) == 1
    for image in fresh:
        masks = studio.get(f"/images/{image}/masks")["items"]
        assert masks
        for mask in masks:
            assert mask["locked"]
            assert mask["source"] == "everything"
            assert mask["author_id"] is None
            assert mask["label_id"] == label
            assert mask["score"] > 0
    assert answer["confident"] == sum(len(studio.get(f"/images/{one}/masks")["items"]) for one in fresh)
    assert answer["by_hand"] == 1
    assert answer["left"] == 4
    again = studio.post(f"/projects/{studio.project}/assist", asked, 202)
    wait_until(lambda: over(studio), 120)
    assert studio.get(f"/projects/{studio.project}/assist")["job"]["id"] == again["id"]
    assert studio.get(f"/projects/{studio.project}/assist")["confident"] == answer["confident"]


def test_people_get_the_largest_gap_first(studio: RunningStudio) -> None:
    _, second, _, last = (image["id"] for image in studio.images())
    for image, confidence in ((second, 0.1), (last, 1.0)):
        asked = {"images": [image], "confidence": confidence}
        studio.post(f"/projects/{studio.project}/assist", asked, 202)
        wait_until(lambda: over(studio), 120)
    masks = studio.get(f"/images/{second}/masks")["items"]
    covered = np.any([decode(Rle.from_coco(mask["rle"])) for mask in masks], axis=0)
    (task,) = studio.services.store.tasks.of_image(second)
    assert task.priority == round(100 * (1 - covered.mean()))
    assert studio.get(f"/images/{last}/masks")["items"] == []
    task = studio.post(f"/projects/{studio.project}/tasks/next", {"kind": "label"})["task"]
    assert task["image_id"] == last


def test_finished_images_give_an_estimate(studio: RunningStudio) -> None:
    image = studio.image
    studio.save(image, row(ONE, seconds=7.0), row(block(slice(0, 9), slice(0, 9)), seconds=3.0))
    assert studio.get(f"/projects/{studio.project}/assist")["seconds_left"] is None
    task = studio.post(f"/projects/{studio.project}/tasks/next", {"kind": "label", "image": image})["task"]
    studio.post(f"/tasks/{task['id']}/finish", {"lease_token": task["lease_token"]})
    answer = studio.get(f"/projects/{studio.project}/assist")
    assert (answer["left"], answer["by_hand_per_image"], answer["seconds_per_mask"]) == (3, 2, 5)
    assert answer["seconds_left"] == 30


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"confidence": 2}, 422),
        ({"preset": "all"}, 422),
        ({"label_id": "0" * 32}, 404),
        ({"images": ["0" * 32]}, 404),
        ({"images": []}, 422),
    ],
)
def test_what_cannot_be_meant(shared: RunningStudio, asked: dict[str, Any], status: int) -> None:
    shared.post(f"/projects/{shared.project}/assist", asked, status)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(pictures(tmp_path_factory.mktemp("workspace"), 1)) as studio:
        yield studio


def test_one_run_at_a_time(shared: RunningStudio) -> None:
    waiting = shared.services.store.jobs.enqueue("assist", {"images": []}, project_id=shared.project)
    problem = shared.post(f"/projects/{shared.project}/assist", {}, 409)
    assert "at work" in problem["detail"]
    shared.services.store.jobs.stop(waiting.id)


def test_a_job_is_taken_up_by_the_next_server(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "workspace", 3)
    with running_studio(folder, small()) as studio:
        project = studio.project
    with Store.open(folder) as store:  # no server was there to do it
        store.jobs.enqueue("assist", {"confidence": 0.1}, project_id=project, id=new_id())
    with running_studio(folder, small()) as studio:
        wait_until(lambda: over(studio), 120)
        assert studio.get(f"/projects/{project}/assist")["confident"] > 0
        assert {image["state"] for image in studio.images()} == {"in_progress"}


def test_a_broken_picture_does_not_stop_the_rest(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "workspace", 3)
    with running_studio(folder, small()) as studio:
        (folder / "picture-1.png").write_bytes(b"no picture any more")
        studio.post(f"/projects/{studio.project}/assist", {"confidence": 0}, 202)
        wait_until(lambda: over(studio), 120)
        job = studio.get(f"/projects/{studio.project}/assist")["job"]
        assert job["state"] == "done"
        assert "1 images could not be read" in job["detail"]
        assert [image["masks"] > 0 for image in studio.images()] == [True, False, True]


def test_models_are_switched_and_back(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "workspace", 1)
    with running_studio(folder, FakeRuntime(), FakeRuntime(name="other")) as studio:
        address = f"/projects/{studio.project}/models"
        first, second = studio.get(address)["items"]
        assert [first["state"], second["state"]] == ["current", "candidate"]
        before = studio.post(f"/images/{studio.image}/prompt", {"points": [[50, 30, 1]]})
        after = {
            one["sha256"]: one
            for one in studio.post(f"{address}/switch", {"sha256": second["sha256"]})["items"]
        }
        assert after[second["sha256"]]["state"] == "current"
        assert after[first["sha256"]]["state"] == "retired"
        body = {"points": [[50, 30, 1]], "previous": {"prediction": before["prediction"]}}
        studio.post(f"/images/{studio.image}/prompt", body, 404)  # of the other model
        studio.post(f"/images/{studio.image}/prompt", {"points": [[50, 30, 1]]})
        studio.services.recorder.flush()
        asked = [one.model_sha256 for one in studio.services.store.prompts.list(studio.image)]
        assert asked == [first["sha256"], second["sha256"]]
        back = {one["sha256"]: one for one in studio.post(f"{address}/revert")["items"]}
        assert back[first["sha256"]]["state"] == "current"
        assert back[second["sha256"]]["state"] == "refused"
        assert studio.get(f"/projects/{studio.project}")["model"] == "fake"
        studio.post(f"{address}/switch", {"sha256": "0" * 64}, 404)
        assert json.dumps(studio.get(address)).count("current") == 1


def test_a_model_that_another_process_switched_to(tmp_path: Path) -> None:
    """`anymask learn` makes a model's folder and switches the project to it while the studio runs."""
    folder = pictures(tmp_path / "workspace", 1)
    learned = tmp_path / "learned"
    shutil.copytree(lite_folder(), learned)
    with running_studio(folder, small()) as studio:
        models, project = studio.services.store.models, studio.project
        models.register(project, "fa" * 32, "fake@0.0.1", "fake@0.0.1")
        models.switch(project, "fa" * 32)
        sha256 = ModelFolder.open(learned).sha256
        models.register(project, sha256, "learned", str(learned))
        models.switch(project, sha256)
        assert studio.get(f"/projects/{project}")["model"] == "lite"
        assert studio.post(f"/images/{studio.image}/prompt", {"points": [[50, 30, 1]]})["candidates"]
        studio.services.recorder.flush()
        (prompt,) = studio.services.store.prompts.list(studio.image)
        assert prompt.model_sha256 == sha256
        models.register(project, "ab" * 32, "gone", str(tmp_path / "gone"))
        models.switch(project, "ab" * 32)  # its folder was removed since: the default one answers
        assert studio.get(f"/projects/{project}")["model"] == "fake"
        problem = studio.post(f"/projects/{project}/models/switch", {"sha256": "ab" * 32}, 409)
        assert problem["code"] == "unusable_model"
        assert str(tmp_path) not in problem["detail"]


def lite_folder() -> Path:
    """The model in the package."""
    return resolve("lite").path
