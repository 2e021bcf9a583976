"""Listeners hear what happens, slow ones are told to start over, and everybody knows who is there."""

from __future__ import annotations

import asyncio
import json

import pytest

from anymask.studio.live.hub import HEARTBEAT, WAITING, Hub, Listener, ProjectFullError

Events = list[tuple[str, dict[str, object]]]


async def heard(listener: Listener) -> Events:
    """All that waits for a listener, whose stream ends then."""
    listener.end()
    return [parsed(message) async for message in listener.messages()]


def parsed(message: str) -> tuple[str, dict[str, object]]:
    kind, data, *rest = message.split("\n")
    assert rest == ["", ""]
    return kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def person(name: str, client: str = "page") -> Listener:
    return Listener(name * 32, name, client)


def test_events_go_to_their_project_alone() -> None:
    async def play() -> tuple[Events, Events]:
        hub, one, other = Hub(), person("a"), person("b")
        hub.join("first", one)
        hub.join("second", other)
        hub.tell("first", "mask", {"id": "m"})
        hub.tell("nobody", "mask", {"id": "n"})
        return await heard(one), await heard(other)

    one, other = asyncio.run(play())
    assert ("mask", {"id": "m"}) in one
    assert [kind for kind, _ in other] == ["presence"]


def test_presence_follows_people_and_what_they_look_at() -> None:
    async def play() -> list[list[tuple[str, object]]]:
        hub, one, other = Hub(), person("a"), person("b")
        hub.join("p", one)
        hub.join("p", other)
        hub.look("p", other.user_id, "page", "i" * 32)
        hub.look("p", other.user_id, "another page", "j" * 32)  # does not listen
        hub.leave("p", other)
        seen = []
        for _, detail in await heard(one):
            people = detail["people"]
            assert isinstance(people, list)
            seen.append([(one["name"], one["image_id"]) for one in people])
        assert hub.present("p") == [{"user_id": "a" * 32, "name": "a", "client": "page", "image_id": None}]
        return seen

    assert asyncio.run(play()) == [
        [("a", None)],
        [("a", None), ("b", None)],
        [("a", None), ("b", "i" * 32)],
        [("a", None)],
    ]


def test_a_slow_listener_is_told_to_start_over() -> None:
    async def play() -> tuple[Events, Events]:
        hub, slow, quick = Hub(), person("a"), person("b")
        hub.join("p", slow)
        for number in range(WAITING + 10):
            hub.tell("p", "mask", {"number": number})
        hub.join("p", quick)
        return await heard(slow), await heard(quick)

    slow, quick = asyncio.run(play())
    assert slow[0] == ("reset", {})
    assert len(slow) <= WAITING
    assert [kind for kind, _ in quick] == ["presence"]


def test_a_quiet_stream_shows_signs_of_life() -> None:
    async def play() -> str:
        listener = person("a")
        async for message in listener.messages(heartbeat=0.001):
            return message
        raise AssertionError

    assert asyncio.run(play()) == HEARTBEAT


def test_a_project_has_room_for_so_many() -> None:
    async def play() -> None:
        hub = Hub()
        for number in range(500):
            hub.join("p", person("a", str(number)))
        with pytest.raises(ProjectFullError, match="500 pages"):
            hub.join("p", person("b"))
        hub.join("q", person("b"))

    asyncio.run(play())


def test_other_threads_may_tell_and_close() -> None:
    async def play() -> Events:
        hub, listener = Hub(), person("a")
        hub.join("p", listener)
        await asyncio.to_thread(hub.tell, "p", "mask", {"id": "m"})
        await asyncio.to_thread(hub.close)
        return [parsed(message) async for message in listener.messages()]

    assert [kind for kind, _ in asyncio.run(play())] == ["presence", "mask"]


def test_telling_after_the_end_is_no_error() -> None:
    hub = Hub()

    async def play() -> None:
        hub.join("p", person("a"))

    asyncio.run(play())
    hub.tell("p", "mask", {})
    hub.close()
