"""A real studio on a free port, in a thread of this process, over a folder of small pictures."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import uvicorn
from PIL import Image

from anymask.predict.model import Model
from anymask.server.run import listen, uvicorn_config
from anymask.store import Store
from anymask.studio.app import create_studio
from anymask.studio.config import StudioConfig
from anymask.studio.services import StudioServices
from anymask.studio.workspace import Workspace
from tests.fake_runtime import FakeRuntime, scene
from tests.server.running import png, sha256, wait_until

PASSWORD = "correct horse battery"
PICTURES = 3


@dataclass
class Running:
    """client: of the local administrator, or of a stranger where there are accounts."""

    address: str
    client: httpx.Client
    services: StudioServices

    @contextlib.contextmanager
    def visitor(self) -> Iterator[httpx.Client]:
        """Another browser, with cookies of its own."""
        with httpx.Client(base_url=self.address, timeout=60, trust_env=False) as client:
            yield client

    @contextlib.contextmanager
    def login(self, name: str) -> Iterator[httpx.Client]:
        """A browser in which somebody has logged in."""
        with self.visitor() as client:
            answer = client.post("/api/v1/login", json={"name": name, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            client.headers["X-CSRF-Token"] = answer.json()["csrf"]
            yield client

    @contextlib.contextmanager
    def person(self, name: str, role: str = "annotator") -> Iterator[httpx.Client]:
        """A browser of somebody new."""
        self.services.store.people.create(name, role, password=PASSWORD)
        with self.login(name) as client:
            yield client

    @property
    def project(self) -> str:
        """Id of the first project."""
        return self.services.store.projects.list()[0].id

    @property
    def images(self) -> list[str]:
        """Ids of its pictures, by path."""
        return [image.id for image in self.services.store.images.all(self.project)]


def fill(folder: Path) -> None:
    """Put a few pictures of the fake model's scene into a folder."""
    for number in range(PICTURES):
        (folder / f"photo-{number}.png").write_bytes(png(np.roll(scene(), 5 * number, axis=1)))


@contextlib.contextmanager
def running(
    folder: Path,
    *runtimes: FakeRuntime,
    models: Sequence[Model] | None = None,
    database: str | None = None,
    **settings: Any,
) -> Iterator[Running]:
    """A studio over a folder; its scan has ended when the block begins.

    models: in place of fake ones. database: a URL in place of the folder's own.
    """
    config = StudioConfig(port=0, **settings)
    if models is None:
        models = [Model(runtime, sha256=sha256(i)) for i, runtime in enumerate(runtimes or (FakeRuntime(),))]
    workspace = Workspace.open(folder)
    with Store.open(database or folder) as store, listen(config) as listener:
        app = create_studio(models, store, workspace, config)
        server = uvicorn.Server(uvicorn_config(app, config))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        services: StudioServices = app.state.studio
        try:
            with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
                wait_until(lambda: server.started)
                for project in store.projects.list():
                    services.scanner.wait(project, 30)
                csrf = client.get("/api/v1/me").json()["csrf"]
                if csrf is not None:
                    client.headers["X-CSRF-Token"] = csrf
                yield Running(address, client, services)
        finally:
            services.hub.close()
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


def encoded(pixels: np.ndarray, format: str, **settings: Any) -> bytes:
    """Pixels as a file of Pillow's `format`."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **settings)
    return file.getvalue()


def new_id() -> str:
    """An id as clients make them."""
    return uuid4().hex
