"""Who is looking at a project, and what they are told: queues with an end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

WAITING = 256
"""Events that wait for a slow listener; one more, and it is told to load everything anew."""
HEARTBEAT_SECONDS = 15.0
HEARTBEAT = ": still here\n\n"
"""A comment, so that proxies do not close a quiet stream."""
_PER_PROJECT = 500


class ProjectFullError(Exception):
    """More listeners than a project may have."""


@dataclass(eq=False)
class Listener:
    """One open page.

    user_id, name: who. client: which page of theirs. image_id: what they look at, or None.
    """

    user_id: str
    name: str
    client: str
    image_id: str | None = None
    _queue: asyncio.Queue[str | None] = field(
        default_factory=lambda: asyncio.Queue(WAITING), init=False, repr=False
    )

    def tell(self, message: str) -> None:
        """Queue a message. A listener that is too slow loses all that waits and is told to start over."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._clear()
            self._queue.put_nowait(event("reset", {}))

    def end(self) -> None:
        """Let its stream end after what waits."""
        with suppress(asyncio.QueueFull):
            self._queue.put_nowait(None)

    async def messages(self, heartbeat: float = HEARTBEAT_SECONDS) -> AsyncIterator[str]:
        """What it is told, as it comes, and a sign of life where nothing does; until `end`."""
        while True:
            try:
                async with asyncio.timeout(heartbeat):
                    message = await self._queue.get()
            except TimeoutError:
                yield HEARTBEAT
                continue
            if message is None:
                return
            yield message

    def _clear(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()


class Hub:
    """The listeners of all projects, who all live in one event loop; nothing here waits.

    `tell` and `close` are for any thread, all else is for that loop's. heartbeat: seconds after which a quiet
    stream shows a sign of life.
    """

    def __init__(self, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        self.heartbeat = heartbeat
        self._listeners: dict[str, list[Listener]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def join(self, project_id: str, listener: Listener) -> None:
        """Begin to tell a listener. Raises ProjectFullError if a project has too many."""
        self._loop = asyncio.get_running_loop()
        there = self._listeners.setdefault(project_id, [])
        if len(there) >= _PER_PROJECT:
            raise ProjectFullError(f"{len(there)} pages already follow this project, the limit; close some")
        there.append(listener)
        self._tell_presence(project_id)

    def leave(self, project_id: str, listener: Listener) -> None:
        """Stop telling a listener."""
        there = self._listeners.get(project_id, [])
        if listener in there:
            there.remove(listener)
        if not there:
            self._listeners.pop(project_id, None)
        else:
            self._tell_presence(project_id)

    def look(self, project_id: str, user_id: str, client: str, image_id: str | None) -> None:
        """Note what a page looks at now; a page that does not listen is passed over."""
        for listener in self._listeners.get(project_id, []):
            if (listener.user_id, listener.client) == (user_id, client):
                listener.image_id = image_id
                self._tell_presence(project_id)
                return

    def present(self, project_id: str) -> list[dict[str, Any]]:
        """Who looks at a project, and at what; a person once per page."""
        return [
            {
                "user_id": listener.user_id,
                "name": listener.name,
                "client": listener.client,
                "image_id": listener.image_id,
            }
            for listener in self._listeners.get(project_id, [])
        ]

    def tell(self, project_id: str, kind: str, detail: Mapping[str, Any]) -> None:
        """Tell everybody who looks at a project."""
        if project_id in self._listeners:
            self._in_loop(self._tell, project_id, event(kind, detail))

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self._in_loop(self._end_all)

    def _in_loop(self, work: Callable[..., None], *arguments: Any) -> None:
        loop = self._loop
        if loop is None:  # nobody has ever listened
            return
        if loop is _running_loop():
            work(*arguments)
        else:
            with suppress(RuntimeError):  # the loop has ended, and all streams with it
                loop.call_soon_threadsafe(work, *arguments)

    def _tell(self, project_id: str, message: str) -> None:
        for listener in self._listeners.get(project_id, []):
            listener.tell(message)

    def _end_all(self) -> None:
        for there in self._listeners.values():
            for listener in there:
                listener.end()

    def _tell_presence(self, project_id: str) -> None:
        self.tell(project_id, "presence", {"people": self.present(project_id)})


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def event(kind: str, detail: Mapping[str, Any]) -> str:
    """One server-sent event."""
    return f"event: {kind}\ndata: {json.dumps(dict(detail), separators=(',', ':'))}\n\n"
