"""Preparing pictures ahead: in turn, one at a time, and never for what nobody wants any more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from anymask.core.errors import ImageError
from anymask.predict.model import Model
from anymask.studio.ahead import Ahead
from tests.fake_runtime import fake_model


class Work:
    """Embeds when it is told to, and remembers what."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.may = asyncio.Semaphore(0)
        self.at_once = 0

    async def embed(self, image: str, model: Model) -> None:
        self.began.append(image)
        self.at_once += 1
        assert self.at_once == 1
        await self.may.acquire()
        self.at_once -= 1
        if image == "broken":
            raise ImageError("the picture is broken")

    async def go(self, pictures: int) -> None:
        """Let so many be done."""
        for _ in range(pictures):
            self.may.release()
            for _ in range(5):
                await asyncio.sleep(0)


def in_loop(test: Callable[[Work, Ahead], Awaitable[None]]) -> Callable[[], None]:
    def run() -> None:
        async def inside() -> None:
            work = Work()
            await test(work, Ahead(work.embed))

        asyncio.run(inside())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@in_loop
async def test_people_take_turns(work: Work, ahead: Ahead) -> None:
    ahead.want("ann", ["a1", "a2", "a3"], fake_model())
    ahead.want("bob", ["b1", "b2"], fake_model())
    await work.go(6)
    assert work.began == ["a1", "b1", "a2", "b2", "a3"]


@in_loop
async def test_what_somebody_wanted_before_is_forgotten(work: Work, ahead: Ahead) -> None:
    ahead.want("ann", ["a1", "a2", "a3"], fake_model())
    await asyncio.sleep(0)
    ahead.want("ann", ["a9"], fake_model())
    await work.go(4)
    assert work.began == ["a1", "a9"]


@in_loop
async def test_a_broken_picture_keeps_nobody(work: Work, ahead: Ahead) -> None:
    ahead.want("ann", ["broken", "a2"], fake_model())
    await work.go(3)
    assert work.began == ["broken", "a2"]
    ahead.want("ann", ["a3"], fake_model())
    await work.go(1)
    assert work.began == ["broken", "a2", "a3"]


@in_loop
async def test_after_closing_nothing_begins(work: Work, ahead: Ahead) -> None:
    ahead.want("ann", ["a1", "a2"], fake_model())
    await asyncio.sleep(0)
    ahead.close()
    await work.go(3)
    assert work.began == ["a1"]


@pytest.mark.parametrize("images", [[], ["a1"]])
def test_wanting_nothing_is_no_work(images: list[str]) -> None:
    async def inside() -> list[str]:
        work = Work()
        ahead = Ahead(work.embed)
        ahead.want("ann", images, fake_model())
        ahead.want("ann", [], fake_model())
        await work.go(1)
        return work.began

    assert asyncio.run(inside()) == []
