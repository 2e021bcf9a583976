"""`anymask studio` as a process: started, stopped, killed in the middle of saving, started again."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from anymask.cli.main import run
from anymask.core.images import load_image
from anymask.core.rle import encode
from tests.fake_runtime import fake_model, scene
from tests.server.running import wait_until
from tests.studio.served import PASSWORD, PICTURES, encoded, new_id

ROOT = Path(__file__).parents[2]
API = "/api/v1"
COMMAND = [sys.executable, "-m", "tests.cli.fake_anymask", "studio"]


class Process:
    """A studio in a process of its own, and a client of it."""

    def __init__(self, *words: object, lines: int = 1, **environment: str) -> None:
        command = [*COMMAND, *map(str, words), "--port", "0"]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "DISPLAY": "", "WAYLAND_DISPLAY": "", **environment},
            stderr=subprocess.PIPE,
            text=True,
            # a shell that starts jobs in the background lets them ignore Ctrl-C
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert self.process.stderr is not None
        self.said = "".join(self.process.stderr.readline() for _ in range(lines))
        found = re.search(r"at (?:once at )?(http://[^\s/]+)", self.said)
        assert found, self.said
        port = httpx.URL(found[1]).port
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)

    def open(self) -> Process:
        """As the local administrator, once the folder has been looked through."""
        self.client.headers["X-CSRF-Token"] = self.client.get(f"{API}/me").json()["csrf"]
        [project] = self.client.get(f"{API}/projects").json()["items"]
        self.project = project["id"]
        self.client.post(f"{API}/projects/{self.project}/scan")
        return self

    def images(self) -> list[str]:
        """Ids of the pictures, by name."""
        found = self.client.get(f"{API}/projects/{self.project}/images").json()["items"]
        return [image["id"] for image in found]

    def stop(self, how: signal.Signals) -> tuple[int, str]:
        """Exit code and what was said since the start."""
        self.process.send_signal(how)
        return self.process.wait(60), self.process.communicate()[1]


@contextlib.contextmanager
def started(*words: object, **more: object) -> Iterator[Process]:
    studio = Process(*words, **more)  # type: ignore[arg-type]
    try:
        yield studio
    finally:
        studio.client.close()
        studio.process.kill()
        studio.process.wait(60)
        assert studio.process.stderr is not None
        studio.process.stderr.close()


def test_it_says_where_it_is_and_stops_on_ctrl_c(folder: Path) -> None:
    with started(folder) as studio:
        assert studio.said.startswith(f"anymask: '{folder}' at http://127.0.0.1:")
        assert len(studio.open().images()) == PICTURES
        assert studio.stop(signal.SIGINT) == (130, "anymask: interrupted\n")


def test_open_pages_do_not_keep_it_from_stopping(folder: Path) -> None:
    with started(folder) as studio:
        studio.open()
        address = f"{API}/projects/{studio.project}/events-stream"
        with studio.client.stream("GET", address, params={"client": "page"}) as events:
            lines = events.iter_lines()
            next(lines)
            stopping = threading.Thread(target=studio.process.send_signal, args=(signal.SIGINT,))
            stopping.start()
            for _ in lines:  # the stream ends; one that was cut off would raise
                pass
            stopping.join()
        assert studio.process.wait(60) == 130


def test_examples_can_be_opened() -> None:
    examples = ROOT / "examples"
    before = {path.name for path in examples.iterdir()}
    try:
        with started(examples) as studio:
            assert len(studio.open().images()) == 4
    finally:
        if ".anymask" not in before:
            for path in sorted((examples / ".anymask").rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            (examples / ".anymask").rmdir()


def test_killed_while_saving_no_acknowledged_mask_is_lost(folder: Path) -> None:
    """Four people save; the server is killed in the middle of it. What was answered is there afterwards."""
    acknowledged: list[str] = []
    with started(folder) as studio:
        images = studio.open().images()

        def annotator(number: int) -> None:
            image = images[number % len(images)]
            with contextlib.suppress(httpx.TransportError):
                for step in range(10_000):
                    sent = row(number, step)
                    answer = studio.client.post(f"{API}/images/{image}/masks", json={"masks": [sent]})
                    assert answer.status_code == 201, answer.text
                    acknowledged.append(sent["id"])

        with ThreadPoolExecutor(4) as pool:
            people = [pool.submit(annotator, number) for number in range(4)]
            wait_until(lambda: len(acknowledged) > 60)
            studio.process.kill()
            for one in people:
                one.result()
    with started(folder) as studio:
        known = set()
        for image in studio.open().images():
            saved = studio.client.get(f"{API}/images/{image}/masks").json()["items"]
            known |= {mask["id"] for mask in saved}
        assert set(acknowledged) <= known
        # and it saves on
        assert (
            studio.client.post(f"{API}/images/{image}/masks", json={"masks": [row(9, 9)]}).status_code == 201
        )


def row(number: int, step: int) -> dict[str, object]:
    """A new object's first mask."""
    mask = np.zeros((120, 160), bool)
    mask[number : number + 20, step % 100 : step % 100 + 30] = True
    return {"id": new_id(), "object_id": new_id(), "rle": encode(mask).to_coco()}


def test_killed_while_uploading_only_whole_pictures_are_kept(folder: Path) -> None:
    pictures = [encoded(np.roll(scene(), n, 0), "PNG") for n in range(1, 60)]
    done: list[str] = []
    with started(folder) as studio:
        studio.open()

        def upload(data: bytes) -> None:
            with contextlib.suppress(httpx.TransportError):
                address = f"{API}/projects/{studio.project}/images"
                done.extend(studio.client.post(address, files={"files": ("a.png", data)}).json()["added"])

        with ThreadPoolExecutor(4) as pool:
            for data in pictures:
                pool.submit(upload, data)
            wait_until(lambda: len(done) > 5)
            studio.process.kill()
    with started(folder) as studio:
        assert set(done) <= set(studio.open().images())
        for path in (folder / ".anymask" / "uploads").iterdir():
            load_image(path)


def test_the_first_administrators_link_is_printed_and_works(folder: Path) -> None:
    with started(folder, "--accounts", "--quiet") as studio:
        link = re.search(r"once at (http://127\.0\.0\.1:\d+)/#/setup\?token=(\S+)", studio.said)
        assert link, studio.said
        account = {"token": link[2], "name": "Ada", "password": PASSWORD}
        assert studio.client.post(f"{API}/setup", json=account).json()["user"]["role"] == "admin"
    with started(folder, "--accounts") as studio:  # not again
        assert "token" not in studio.said
        login = {"name": "Ada", "password": PASSWORD}
        assert studio.client.post(f"{API}/login", json=login).status_code == 200
        assert studio.stop(signal.SIGINT) == (130, "anymask: interrupted\n")


def test_on_other_addresses_people_log_in(folder: Path) -> None:
    with started(folder, "--host", "0.0.0.0", lines=2) as studio:
        assert "#/setup?token=" in studio.said
        assert studio.client.get(f"{API}/projects").status_code == 401


def test_the_browser_is_opened_where_there_is_a_display(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("browser")
    browser = place / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {place}/opened\n')
    browser.chmod(0o755)
    with started(folder, DISPLAY=":0", BROWSER=f"{browser} %s") as studio:
        wait_until(lambda: (place / "opened").exists() and (place / "opened").read_text().strip())
        address = str(studio.client.base_url).rstrip("/")
        assert (place / "opened").read_text().strip() == address
        (place / "opened").unlink()
    with started(folder, "--no-browser", DISPLAY=":0", BROWSER=f"{browser} %s") as studio:
        studio.open()
        assert not (place / "opened").exists()


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The one line that a start that cannot be made says."""
    monkeypatch.setattr("anymask.cli.studio_job.load", lambda *_, **__: fake_model())

    def fail(*words: object) -> str:
        assert run(["studio", *map(str, words)]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("anymask: error: ")
        assert said.err.count("\n") == 1
        return said.err

    return fail


def test_what_cannot_be_is_one_line(folder: Path, failing: Callable[..., str]) -> None:
    assert "is not a folder" in failing(folder / "missing")
    assert "is not a folder" in failing(folder / "photo-0.png")
    (folder / "short").write_text("abc\n")
    assert "at least 16" in failing(folder, "--token-file", folder / "short")
    assert "is not a host name" in failing(folder, "--allow-host", "a/b")
    assert "cannot listen on 203.0.113.1" in failing(folder, "--host", "203.0.113.1")
    assert "postgresql://" in failing(folder, "--database", "nonsense")
    assert "postgresql://" in failing(folder, "--database", "mysql://here/there")


def test_a_port_that_is_taken_is_told(folder: Path, failing: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "another --host or --port" in failing(folder, "--port", taken.getsockname()[1])
