"""The small parts on their own: the cache of bytes, joined work, turns of clients."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import InputError
from anymask.server.byte_cache import ByteCache
from anymask.server.lanes import Lane
from anymask.server.problems import Problem, one_line
from anymask.server.shelf import Shelf
from anymask.server.single_flight import SingleFlight
from anymask.server.turns import Turns
from tests.fake_runtime import fake_model

STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "get", "drop"]), st.integers(0, 6), st.integers(0, 40)), max_size=60
)


@given(steps=STEPS, budget=st.integers(1, 100))
def test_the_cache_keeps_what_was_used_last(steps: list[tuple[str, int, int]], budget: int) -> None:
    """Against a list in order of use, cut off in the plainest way."""
    cache: ByteCache[int, bytes] = ByteCache(budget, len)
    model: list[tuple[int, bytes]] = []
    for action, key, size in steps:
        known = dict(model).get(key)
        if action == "put":
            cache.put(key, bytes(size))
            model = [item for item in model if item[0] != key] + [(key, bytes(size))]
            while sum(len(value) for _, value in model) > budget and len(model) > 1:
                model.pop(0)
        elif action == "get":
            assert cache.get(key) == known
            if known is not None:
                model = [item for item in model if item[0] != key] + [(key, known)]
        else:
            cache.drop(key)
            model = [item for item in model if item[0] != key]
        assert list(cache) == [key for key, _ in model]
        assert cache.nbytes == sum(len(value) for _, value in model)


def test_joined_work_is_done_once_and_outlives_who_asked_first() -> None:
    async def main() -> None:
        flights: SingleFlight[str, int] = SingleFlight()
        go, begun = asyncio.Event(), 0

        async def work() -> int:
            nonlocal begun
            begun += 1
            await go.wait()
            return begun

        first, second = (asyncio.create_task(flights.get("a", work)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        go.set()
        assert await second == begun == 1
        assert await flights.get("a", work) == 2

    asyncio.run(main())


def test_joined_work_that_fails_is_tried_again() -> None:
    async def main() -> None:
        flights: SingleFlight[str, int] = SingleFlight()

        async def fail() -> int:
            raise InputError("no")

        async def work() -> int:
            return 1

        answers = await asyncio.gather(*(flights.get("a", fail) for _ in range(3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [InputError] * 3
        assert await flights.get("a", work) == 1

    asyncio.run(main())


def test_what_a_lane_raises_reaches_who_asked_and_the_lane_goes_on() -> None:
    async def main() -> None:
        lane = Lane("prompts", waiting=1, seconds=30)
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                await lane.run(lambda: 1 // 0)
        assert await lane.run(lambda: 7) == 7
        lane.close()

    asyncio.run(main())


def test_only_so_many_clients_are_remembered() -> None:
    turns = Turns(clients=2)
    for client in "abc":
        turns.take(client, 5)
    turns.take("a", 1)  # was forgotten
    with pytest.raises(Problem, match="later request"):
        turns.take("c", 5)


def test_models_have_different_names() -> None:
    with pytest.raises(InputError, match="two models are called 'fake'"):
        Shelf([fake_model(), fake_model()])
    with pytest.raises(InputError, match="no model to serve"):
        Shelf([])


@given(text=st.text())
def test_a_line_is_a_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert len(line) <= 500
