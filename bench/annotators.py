"""Simulated annotators: each points at things on a studio's pictures, corrects, and saves the masks.

Nobody thinks here, and nobody waits for more than their own answers: what is measured is the server.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from anymask.core.rle import Rle, decode, encode_window
from anymask.core.upscale import Window

CLICKS = 3
"""Prompts for one mask: a click and two corrections."""
_RETRIES = 100
_OVERLOADED = 503


@dataclass
class Noted:
    """What annotators saw: milliseconds of every answer, and what was acknowledged.

    prompts: ids of the answers. masks: counts of the mask by its row's id. refusals: times the server was too
    busy.
    """

    prompt_ms: list[float] = field(default_factory=list)
    save_ms: list[float] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    masks: dict[str, str] = field(default_factory=dict)
    refusals: int = 0

    def add(self, other: Noted) -> None:
        """Take in what another one saw."""
        self.prompt_ms += other.prompt_ms
        self.save_ms += other.save_ms
        self.prompts += other.prompts
        self.masks |= other.masks
        self.refusals += other.refusals


class Page:
    """One browser page: a connection that stays open. address: host and port."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._connection = http.client.HTTPConnection(*address, timeout=120)
        self.refusals = 0
        self._csrf = ""
        self._csrf = self.ask("GET", "/me")["csrf"]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """JSON for JSON; comes again while the server is too busy. Raises RuntimeError for every other
        refusal.
        """
        headers = {"X-CSRF-Token": self._csrf, "Content-Type": "application/json"}
        for _ in range(_RETRIES):
            data = None if body is None else json.dumps(body)
            self._connection.request(method, f"/api/v1{path}", data, headers)
            answer = self._connection.getresponse()
            content = answer.read()
            if answer.status < 300:
                return json.loads(content)
            if answer.status != _OVERLOADED:
                raise RuntimeError(f"{method} {path} was answered {answer.status}: {content[:300]!r}")
            self.refusals += 1
            time.sleep(0.2)
        raise RuntimeError(f"{method} {path}: the server was too busy {_RETRIES} times")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Annotator:
    """Works on one picture. image: as the API lists it. seed: where this one points."""

    def __init__(self, page: Page, image: dict[str, Any], seed: int) -> None:
        self._page, self._image, self._random = page, image, random.Random(seed)
        self.noted = Noted()
        self._begin()

    def step(self) -> None:
        """One prompt, and after the last one for an object the mask is saved."""
        answer = self._prompt()
        self._asked += 1
        if self._asked == CLICKS:
            self._save(answer)
            self._begin()

    def _begin(self) -> None:
        self._object, self._points, self._asked = uuid4().hex, list[list[float]](), 0
        self._previous: dict[str, Any] | None = None

    def _prompt(self) -> dict[str, Any]:
        x, y = (self._random.uniform(0, self._image[side]) for side in ("width", "height"))
        self._points.append([x, y, float(not self._points or self._random.random() < 0.5)])
        body = {"points": self._points, "object": self._object, "seconds": 1.0}
        if self._previous is not None:
            body["previous"] = self._previous
        start = time.perf_counter()
        answer: dict[str, Any] = self._page.ask("POST", f"/images/{self._image['id']}/prompt", body)
        self.noted.prompt_ms.append(1000 * (time.perf_counter() - start))
        self.noted.prompts.append(answer["prediction"])
        self._previous = {"prediction": answer["prediction"], "candidate": 0}
        return answer

    def _save(self, answer: dict[str, Any]) -> None:
        rle = whole(answer["candidates"][0], (self._image["height"], self._image["width"]))
        id = uuid4().hex
        row = {
            "id": id,
            "object_id": self._object,
            "rle": rle.to_coco(),
            "source": "click",
            "seconds": 3.0,
        }
        start = time.perf_counter()
        self._page.ask("POST", f"/images/{self._image['id']}/masks", {"masks": [row]})
        self.noted.save_ms.append(1000 * (time.perf_counter() - start))
        self.noted.masks[id] = rle.counts


def whole(candidate: dict[str, Any], image_hw: tuple[int, int]) -> Rle:
    """A candidate's window as a mask of the whole image."""
    (height, width), (x, y) = candidate["size"], candidate["offset"]
    inside = decode(Rle((height, width), candidate["counts"]))
    return encode_window(inside, Window(y, y + height, x, x + width), image_hw)


def simulate(
    address: tuple[str, int], images: Sequence[dict[str, Any]], count: int, prompts: int, interval: float
) -> Noted:
    """Have `count` annotators give `prompts` prompts each, one every `interval` seconds, spread over the
    images.

    An annotator whose answer is late gives the next prompt at once. Raises RuntimeError for anything that the
    server refuses.
    """
    total = Noted()
    failures: list[BaseException] = []
    lock = threading.Lock()
    begin = time.perf_counter() + 0.5

    def work(number: int) -> None:
        page = Page(address)
        annotator = Annotator(page, images[number % len(images)], number)
        try:
            _pace(annotator.step, prompts, interval, begin + interval * number / count)
        except BaseException as error:
            failures.append(error)
        finally:
            page.close()
            annotator.noted.refusals = page.refusals
            with lock:
                total.add(annotator.noted)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return total


def _pace(step: Callable[[], None], times: int, interval: float, begin: float) -> None:
    for number in range(times):
        time.sleep(max(begin + number * interval - time.perf_counter(), 0))
        step()
