"""What one person does another one sees, over real connections."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.studio.running import RunningStudio, block, pictures, row, running_studio
from tests.studio.served import PASSWORD, running

ONE = block(slice(20, 70), slice(30, 80))
Events = queue.Queue[tuple[str, dict[str, Any]] | None]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(pictures(tmp_path_factory.mktemp("workspace"), 2)) as studio:
        yield studio


@contextlib.contextmanager
def following(client: httpx.Client, project: str, page: str, **params: str) -> Iterator[Events]:
    """The events of a project as they come; None when the stream has ended."""
    heard: Events = queue.Queue()
    with client.stream(
        "GET", f"/api/v1/projects/{project}/events-stream", params={"client": page, **params}
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")

        def read() -> None:
            kind = ""
            with contextlib.suppress(httpx.HTTPError):
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        kind = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        heard.put((kind, json.loads(line.removeprefix("data: "))))
                    elif line.startswith(":"):
                        heard.put(("alive", {}))
            heard.put(None)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        yield heard


def expect(heard: Events, kind: str) -> dict[str, Any]:
    """The next event of this kind."""
    while True:
        event = heard.get(timeout=30)
        assert event is not None, "the stream has ended"
        if event[0] == kind:
            return event[1]


def test_a_save_of_many_is_one_event(studio: RunningStudio) -> None:
    rows = [row(ONE) for _ in range(40)]
    with following(studio.client, studio.project, "watcher") as heard:
        expect(heard, "hello")
        studio.save(studio.image, *rows)
        event = expect(heard, "mask")
        assert (event["id"], event["more"]) == (rows[0]["id"], 39)
        studio.save(studio.image, *[row(ONE), row(ONE)])
        assert [expect(heard, "mask")["more"] for _ in range(2)] == [0, 0]


def until_present(heard: Events, expected: dict[str, str | None]) -> None:
    """Wait until just these pages are there, each with the image it shows."""
    while {one["client"]: one["image_id"] for one in expect(heard, "presence")["people"]} != expected:
        pass


def test_a_saved_mask_is_seen_by_others(studio: RunningStudio) -> None:
    with following(studio.client, studio.project, "watcher") as heard:
        expect(heard, "hello")
        sent = row(ONE)
        studio.save(studio.image, sent)
        event = expect(heard, "mask")
        assert (event["image_id"], event["id"]) == (studio.image, sent["id"])
        studio.post(f"/projects/{studio.project}/labels", {"name": "seen"}, 201)  # from a thread
        expect(heard, "label")
        studio.post(f"/masks/{sent['id']}/review", {"verdict": "accepted"}, 201)
        assert expect(heard, "review")["verdict"] == "accepted"


def test_people_see_who_is_there(studio: RunningStudio) -> None:
    one, other = (image["id"] for image in studio.images())
    with following(studio.client, studio.project, "page-1", image=one) as heard:
        until_present(heard, {"page-1": one})
        with following(studio.client, studio.project, "page-2") as second:
            until_present(second, {"page-1": one, "page-2": None})
            until_present(heard, {"page-1": one, "page-2": None})
            studio.post(f"/projects/{studio.project}/presence", {"client": "page-2", "image_id": other}, 204)
            until_present(heard, {"page-1": one, "page-2": other})
        until_present(heard, {"page-1": one})


def test_a_removed_picture_is_told_as_removed(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_studio(pictures(tmp_path_factory.mktemp("removing"), 2)) as studio:
        gone, kept = (image["id"] for image in studio.images())
        with following(studio.client, studio.project, "watcher") as heard:
            expect(heard, "hello")
            assert studio.client.delete(f"/api/v1/images/{gone}").status_code == 204
            assert expect(heard, "image") == {"image_id": gone, "removed": True}
        assert [image["id"] for image in studio.images()] == [kept]


def test_a_page_can_only_look_at_what_is_there(studio: RunningStudio) -> None:
    address = f"/api/v1/projects/{studio.project}/events-stream"
    assert studio.client.get(address, params={"client": "x", "image": "0" * 32}).status_code == 404
    assert studio.client.get(address).status_code == 422
    body = {"client": "x", "image_id": "0" * 32}
    studio.post(f"/projects/{studio.project}/presence", body, 404)


def test_a_stream_ends_with_the_right_to_see_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(pictures(tmp_path_factory.mktemp("team")), accounts=True) as team:
        team.services.hub.heartbeat = 0.02
        people = team.services.store.people
        user = people.create("Anna", "annotator", password=PASSWORD)
        with team.login("Anna") as anna, following(anna, team.project, "page") as heard:
            expect(heard, "alive")
            expect(heard, "alive")
            people.update(user.id, disabled=True)
            while heard.get(timeout=30) is not None:
                pass
        address = f"/api/v1/projects/{team.project}/events-stream"
        assert team.client.get(address, params={"client": "x"}).status_code == 401


def test_open_streams_do_not_keep_the_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        running(pictures(tmp_path_factory.mktemp("stopping"))) as studio,
        following(studio.client, studio.project, "page") as heard,
    ):
        expect(heard, "hello")
        studio.services.hub.close()
        while heard.get(timeout=30) is not None:
            pass
