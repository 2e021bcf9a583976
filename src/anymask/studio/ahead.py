"""Embedding pictures before they are asked for, without making those wait who ask now."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from anymask.predict.model import Model


class Ahead:
    """For one event loop. One picture at a time, people in turn: whoever asks for one waits for at most one.

    embed: what makes the embedding of an image for a model, or finds that it is there.
    """

    def __init__(self, embed: Callable[[str, Model], Awaitable[Any]]) -> None:
        self._embed = embed
        self._wanted: OrderedDict[str, deque[tuple[str, Model]]] = OrderedDict()
        self._worker: asyncio.Task[None] | None = None

    def want(self, person: str, images: Iterable[str], model: Model) -> None:
        """Prepare these pictures for a person, in this order; what they wanted before is forgotten."""
        self._wanted.pop(person, None)
        wanted = deque((image, model) for image in images)
        if wanted:
            self._wanted[person] = wanted
        if self._wanted and (self._worker is None or self._worker.done()):
            self._worker = asyncio.create_task(self._work())

    def close(self) -> None:
        """Prepare nothing more."""
        self._wanted.clear()

    async def _work(self) -> None:
        while self._wanted:
            person, wanted = self._wanted.popitem(last=False)
            image, model = wanted.popleft()
            if wanted:
                self._wanted[person] = wanted  # behind the others
            try:
                await self._embed(image, model)
            except Exception:  # whoever opens the picture is told what is wrong with it
                continue
