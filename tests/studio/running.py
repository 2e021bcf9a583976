"""What tests say to a studio again and again: saving, asking, masks as rows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from anymask.core.rle import Rle, decode, encode
from anymask.studio.services import StudioServices
from tests.fake_runtime import FakeRuntime, scene
from tests.studio.served import new_id, running

SQUARE = 50.0, 30.0
BAR = 125.0, 75.0
"""Points on the two objects of the fake model's scene."""


class RunningStudio:
    """A client of a studio, with what tests say again and again."""

    def __init__(self, client: httpx.Client, services: StudioServices) -> None:
        self.client, self.services = client, services

    @property
    def project(self) -> str:
        """The first project's id."""
        found: str = self.get("/projects")["items"][0]["id"]
        return found

    def images(self) -> list[dict[str, Any]]:
        """The first project's images by path."""
        found: list[dict[str, Any]] = self.get(f"/projects/{self.project}/images")["items"]
        return found

    @property
    def image(self) -> str:
        """The first image's id."""
        found: str = self.images()[0]["id"]
        return found

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        """JSON of a GET below /api/v1."""
        return self._json(self.client.get(f"/api/v1{path}", params=params), status)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        """JSON of a POST below /api/v1."""
        return self._json(self.client.post(f"/api/v1{path}", json={} if body is None else body), status)

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        """JSON of a PATCH below /api/v1."""
        return self._json(self.client.patch(f"/api/v1{path}", json=body), status)

    def save(self, image: str, *masks: dict[str, Any], status: int = 201) -> Any:
        """Save rows."""
        return self.post(f"/images/{image}/masks", {"masks": list(masks)}, status)

    @staticmethod
    def _json(answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


@contextlib.contextmanager
def running_studio(folder: Path, *runtimes: FakeRuntime, **settings: Any) -> Iterator[RunningStudio]:
    """A studio over `folder` that answers with these runtimes (a fake one if there is none)."""
    with running(folder, *runtimes, **settings) as started:
        yield RunningStudio(started.client, started.services)


def pictures(folder: Path, count: int = 2) -> Path:
    """A folder with pictures of the fake model's scene, each a little brighter than the one before."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        pixels = np.clip(scene().astype(int) + number, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"picture-{number}.png")
    return folder


def row(mask: np.ndarray, **known: Any) -> dict[str, Any]:
    """A row to be saved, of a new object unless `known` says otherwise."""
    rle = encode(mask)
    return {"id": new_id(), "object_id": new_id(), "rle": rle.to_coco(), **known}


def block(rows: slice, columns: slice, size: tuple[int, int] = (120, 160)) -> np.ndarray:
    """A mask of the scene's size that is a rectangle."""
    mask = np.zeros(size, bool)
    mask[rows, columns] = True
    return mask


def placed(candidate: dict[str, Any], size: tuple[int, int] = (120, 160)) -> np.ndarray:
    """A candidate's window in the image."""
    (height, width), (x, y) = candidate["size"], candidate["offset"]
    mask = np.zeros(size, bool)
    mask[y : y + height, x : x + width] = decode(Rle((height, width), candidate["counts"]))
    return mask
