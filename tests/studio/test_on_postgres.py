"""The whole studio over PostgreSQL: a short day of a team."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from anymask.core.rle import encode
from tests.fake_runtime import scene
from tests.postgres import running_postgres
from tests.studio.served import PASSWORD, PICTURES, Running, encoded, fill, new_id, running

API = "/api/v1"


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("photos")
    fill(folder)
    with running_postgres() as url, running(folder, accounts=True, database=url) as studio:
        assert not list(folder.glob(".anymask/studio.db*"))
        studio.services.store.people.create("boss", "admin", password=PASSWORD)
        yield studio


def test_a_day_of_a_team(team: Running) -> None:
    with team.login("boss") as boss, team.visitor() as ann:
        token = boss.post(f"{API}/invitations", json={"role": "annotator"}).json()["token"]
        account = {"token": token, "name": "Ann", "password": PASSWORD}
        ann.headers["X-CSRF-Token"] = ann.post(f"{API}/redeem", json=account).json()["csrf"]
        files = {"files": ("new.png", encoded(scene()[::-1], "PNG"))}
        assert len(boss.post(f"{API}/projects/{team.project}/images", files=files).json()["added"]) == 1
        label = boss.post(f"{API}/projects/{team.project}/labels", json={"name": "square"}).json()["id"]
        task = ann.post(f"{API}/projects/{team.project}/tasks/next", json={}).json()["task"]
        image = f"{API}/images/{task['image_id']}"
        assert ann.post(f"{image}/prompt", json={"points": [[50, 30, 1]]}).json()["candidates"]
        mask = np.zeros((120, 160), bool)
        mask[20:70, 30:80] = True
        row = {"id": new_id(), "object_id": new_id(), "rle": encode(mask).to_coco(), "label_id": label}
        assert ann.post(f"{image}/masks", json={"masks": [row]}).status_code == 201
        assert ann.post(f"{image}/masks", json={"masks": [row]}).status_code == 201  # the same again
        other = {**row, "id": new_id()}
        assert ann.post(f"{image}/masks", json={"masks": [other]}).status_code == 409
        lease = {"lease_token": task["lease_token"], "seconds": 3}
        assert ann.post(f"{API}/tasks/{task['id']}/finish", json=lease).json()["state"] == "done"
        [project] = boss.get(f"{API}/projects").json()["items"]
        assert project["counts"] == {"images": PICTURES + 1, "labelled": 1, "reviewed": 0, "masks": 1}
        coco = boss.post(f"{API}/projects/{team.project}/export", json={"format": "coco"})
        assert coco.status_code == 200


@pytest.mark.parametrize("text", ["a\0b", "%", "_", "'; DROP TABLE images; --", "\\", "é", "🙂"])
def test_text_that_databases_stumble_over(team: Running, text: str) -> None:
    """A zero is no text for PostgreSQL; the others have a meaning in some query."""
    with team.login("boss") as boss:
        images = f"{API}/projects/{team.project}/images"
        found = boss.get(images, params={"search": text})
        made = boss.post(f"{API}/projects/{team.project}/labels", json={"name": text})
        if "\0" in text:
            assert (found.status_code, made.status_code) == (422, 422)
        else:
            assert found.json()["items"] == []
            assert made.json()["name"] == text
        login = boss.post(f"{API}/login", json={"name": text, "password": "a password"})
        assert login.status_code in (401, 422)
