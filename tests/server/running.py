"""A real server on a free port, in a thread of this process."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import uvicorn
from PIL import Image

from anymask.predict.model import Model
from anymask.server.app import create_app
from anymask.server.config import ServerConfig
from anymask.server.run import listen, uvicorn_config
from tests.fake_runtime import SHA256, FakeRuntime, scene

TOKEN = "correct-horse-battery"


@contextlib.contextmanager
def running(*runtimes: FakeRuntime, **settings: Any) -> Iterator[httpx.Client]:
    """A client of a server that answers with these runtimes (a fake one if there is none)."""
    config = ServerConfig(port=0, **settings)
    models = [Model(runtime, sha256=sha256(i)) for i, runtime in enumerate(runtimes or (FakeRuntime(),))]
    with listen(config) as listener:
        server = uvicorn.Server(uvicorn_config(create_app(models, config), config))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
                wait_until(lambda: server.started)
                yield client
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


def sha256(number: int) -> str:
    """Of the weights of the fake model of this number."""
    return SHA256 if number == 0 else f"{number:064x}"


def wait_until(condition: Any, seconds: float = 120) -> None:
    """Return once the condition holds; fail if it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def png(pixels: np.ndarray | None = None) -> bytes:
    """An image file; the scene of the fake model unless other pixels are given."""
    file = io.BytesIO()
    Image.fromarray(scene() if pixels is None else pixels).save(file, "PNG")
    return file.getvalue()


def upload(client: httpx.Client, data: bytes | None = None) -> str:
    """Upload an image and return its id."""
    answer = client.post("/v1/images", files={"file": ("photo.png", data or png(), "image/png")})
    assert answer.status_code == 201, answer.text
    image: str = answer.json()["id"]
    return image
