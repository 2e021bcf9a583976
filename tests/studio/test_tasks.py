"""Tasks and jobs over HTTP: a picture is one person's at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.studio.served import PICTURES, Running, fill, running

API = "/api/v1"


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Running]:
    fill(tmp_path)
    with running(tmp_path, accounts=True) as studio:
        yield studio


def claim(client: httpx.Client, project: str, **asked: object) -> httpx.Response:
    return client.post(f"{API}/projects/{project}/tasks/next", json=asked)


def test_two_people_never_get_the_same_picture(team: Running) -> None:
    """More people than pictures ask at the same moment."""
    people = PICTURES + 2
    with ThreadPoolExecutor(people) as pool:

        def ask(number: int) -> dict[str, object] | None:
            with team.person(f"person {number}") as client:
                found: dict[str, object] | None = claim(client, team.project).json()["task"]
                return found

        tasks = [task for task in pool.map(ask, range(people)) if task is not None]
    assert len(tasks) == PICTURES
    assert {task["image_id"] for task in tasks} == set(team.images)


def test_work_is_taken_finished_and_reviewed(team: Running) -> None:
    with team.person("ann") as ann, team.person("rita", "reviewer") as rita:
        first = claim(ann, team.project).json()
        task = first["task"]
        assert first["left"] == PICTURES - 1
        assert claim(ann, team.project).json()["task"]["id"] == task["id"]  # the same, until it is finished
        assert claim(rita, team.project, image=task["image_id"]).json()["code"] == "lease_held"
        shown = rita.get(f"{API}/projects/{team.project}/images").json()["items"]
        assert [image["assignee"] for image in shown] == ["ann", None, None]
        lease = {"lease_token": task["lease_token"], "seconds": 12.5}
        renewed = ann.post(f"{API}/tasks/{task['id']}/renew", json=lease).json()
        assert renewed["lease_until"] >= task["lease_until"]
        finished = ann.post(f"{API}/tasks/{task['id']}/finish", json=lease).json()
        assert (finished["state"], finished["seconds"], finished["lease_token"]) == ("done", 12.5, None)
        assert ann.get(f"{API}/images/{task['image_id']}").json()["state"] == "done"
        again = ann.post(f"{API}/tasks/{task['id']}/finish", json=lease)
        assert (again.status_code, again.json()["code"]) == (409, "lease_lost")
        assert claim(ann, team.project, kind="review").status_code == 403
        review = claim(rita, team.project, kind="review").json()["task"]
        assert (review["image_id"], review["kind"]) == (task["image_id"], "review")


def test_a_task_can_be_given_back_or_left(team: Running) -> None:
    with team.person("ann") as ann, team.person("bob") as bob:
        task = claim(ann, team.project).json()["task"]
        lease = {"lease_token": task["lease_token"]}
        others = bob.post(f"{API}/tasks/{task['id']}/release", json={"lease_token": "0" * 32})
        assert others.json()["code"] == "lease_lost"
        assert ann.post(f"{API}/tasks/{task['id']}/release", json=lease).json()["state"] == "open"
        taken = claim(bob, team.project).json()["task"]
        assert taken["id"] == task["id"]
        lease = {"lease_token": taken["lease_token"]}
        assert bob.post(f"{API}/tasks/{task['id']}/skip", json=lease).json()["state"] == "skipped"
        assert claim(bob, team.project).json()["task"]["id"] != task["id"]


def test_a_lease_that_ran_out_goes_to_the_next_who_asks(
    team: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with team.person("ann") as ann, team.person("bob") as bob:
        task = claim(ann, team.project).json()["task"]
        later = datetime.now(UTC) + timedelta(minutes=11)
        monkeypatch.setattr(team.services.store._database, "clock", lambda: later)
        taken = claim(bob, team.project).json()["task"]
        assert taken["id"] == task["id"]
        lost = ann.post(f"{API}/tasks/{task['id']}/finish", json={"lease_token": task["lease_token"]})
        assert (lost.status_code, lost.json()["code"]) == (409, "lease_lost")


def test_jobs_are_watched_and_stopped(team: Running) -> None:
    jobs = team.services.store.jobs
    job = jobs.enqueue("nobody works on this kind", {}, project_id=team.project)
    studio_wide = jobs.enqueue("nobody works on this kind", {}, project_id=None)
    with team.person("ann") as ann, team.person("rita", "reviewer") as rita:
        listed = ann.get(f"{API}/projects/{team.project}/jobs").json()["items"]
        assert [one["id"] for one in listed] == [job.id]
        assert ann.get(f"{API}/jobs/{job.id}").json()["state"] == "waiting"
        assert ann.get(f"{API}/jobs/{studio_wide.id}").status_code == 404
        assert ann.post(f"{API}/jobs/{job.id}/stop").status_code == 403
        assert rita.post(f"{API}/jobs/{job.id}/stop").json()["state"] == "stopped"
        assert rita.post(f"{API}/jobs/{job.id}/stop").status_code == 409
