"""`anymask serve` as a process: started, killed in the middle, started again, and used by many at once."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from anymask.core.record import MaskRecord
from tests.fake_runtime import fake_model, scene
from tests.server.running import TOKEN, png, upload

ROOT = Path(__file__).parents[2]


class Served:
    """A server process and a client of it."""

    def __init__(self, *words: object) -> None:
        command = [sys.executable, "-m", "tests.cli.fake_anymask", "serve", "--port", "0", *map(str, words)]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
            # a shell that starts jobs in the background lets them ignore Ctrl-C
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert self.process.stderr is not None
        self.line = self.process.stderr.readline()
        found = re.search(r"at (http://\S+) ", self.line)
        assert found, self.line
        self.client = httpx.Client(base_url=found[1], timeout=60, trust_env=False)

    def stop(self, how: signal.Signals) -> tuple[int, str]:
        """Exit code and what was said since the start."""
        self.client.close()
        self.process.send_signal(how)
        return self.process.wait(60), self.process.communicate()[1]


@contextlib.contextmanager
def serving(*words: object) -> Iterator[Served]:
    served = Served(*words)
    try:
        yield served
    finally:
        served.client.close()
        served.process.kill()
        served.process.wait(60)
        assert served.process.stderr is not None
        served.process.stderr.close()


def test_it_says_where_it_is_and_stops_on_ctrl_c() -> None:
    with serving() as served:
        assert served.line.startswith("anymask: fake@0.0.1 at http://127.0.0.1:")
        assert served.client.get("/v1/health").status_code == 200
        assert served.stop(signal.SIGINT) == (130, "anymask: interrupted\n")


def test_killed_and_started_again_it_answers_on(tmp_path: Path) -> None:
    body = {"points": [[55, 45]], "keep": False}
    with serving("--cache", tmp_path / "cache") as served:
        image = upload(served.client)
        before = served.client.post(f"/v1/images/{image}/prompt", json=body).json()
        served.stop(signal.SIGKILL)
    with serving("--cache", tmp_path / "cache") as served:
        assert served.client.get(f"/v1/images/{image}").json()["width"] == 160
        assert served.client.post(f"/v1/images/{image}/prompt", json=body).json() == before
        served.stop(signal.SIGKILL)
    with serving() as served:  # without the cache nothing is known any more
        assert served.client.get(f"/v1/images/{image}").status_code == 404


def test_killed_while_many_ask_it_keeps_whole_files_only(tmp_path: Path) -> None:
    pictures = [png(np.roll(scene(), shift, axis=1)) for shift in range(12)]
    with serving("--cache", tmp_path) as served, ThreadPoolExecutor(4) as pool:
        client = served.client
        done = [pool.submit(upload, client, picture) for picture in pictures]
        known = [done[0].result(), done[1].result()]
        served.process.kill()
        for one in done:
            with contextlib.suppress(httpx.TransportError):
                one.result()
    with serving("--cache", tmp_path) as served:
        for image in known:  # what was acknowledged is there
            assert served.client.get(f"/v1/images/{image}").status_code == 200
        for path in tmp_path.glob("*.image"):
            assert served.client.get(f"/v1/images/{path.stem}").status_code == 200


def test_many_at_once_get_what_each_asked_for() -> None:
    """Twelve clients, ten prompts each, on three images: nobody gets another's mask, nobody an error."""
    model = fake_model()
    pictures = [np.roll(scene(), shift, axis=1) for shift in (0, 5, 10)]
    embeddings = [model.embed(picture) for picture in pictures]
    with serving("--rate", 10_000) as served, ThreadPoolExecutor(12) as pool:
        images = [upload(served.client, png(picture)) for picture in pictures]

        def annotator(number: int) -> None:
            rng = np.random.default_rng(number)
            with httpx.Client(base_url=served.client.base_url, timeout=60, trust_env=False) as client:
                for which, x, y in rng.integers(0, [3, 160, 120], (10, 3)).tolist():
                    answer = client.post(f"/v1/images/{images[which]}/prompt", json={"points": [[x, y]]})
                    assert answer.status_code == 200, answer.text
                    best = MaskRecord.from_json(answer.json()["candidates"][0])
                    expected = model.predict(embeddings[which], points=[(x, y)]).best
                    assert np.array_equal(best.mask, expected.mask)

        for done in [pool.submit(annotator, number) for number in range(12)]:
            done.result()


REFUSED = {
    "no token": (["--host", "0.0.0.0"], "can be reached from other machines; give a token"),
    "short token": (["--token", "abc"], "give at least 16"),
    "two tokens": (["--token", TOKEN, "--token-file", "token"], "both given"),
    "no token file": (["--token-file", "nowhere"], "cannot read 'nowhere'"),
    "empty token file": (["--token-file", "empty"], "'empty' is empty"),
    "not an address": (["--host", "203.0.113.1", "--token", TOKEN], "cannot listen on 203.0.113.1"),
    "a wrong host": (["--allow-host", "a/b"], "is not a host name"),
    "Label Studio's token alone": (["--label-studio-token-file", "token"], "--label-studio"),
    "not Label Studio": (["--label-studio", "file:///etc"], "http://host:8080"),
    "twice the same model": (["--model", "a", "--model", "b"], "two models are called 'fake'"),
}


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_safe_or_cannot_be_is_refused(words: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "token").write_text(TOKEN + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.fake_anymask", "serve", "--port", "0", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("anymask: error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_told() -> None:
    with serving() as served:
        port = str(served.client.base_url.port)
        done = subprocess.run(
            [sys.executable, "-m", "tests.cli.fake_anymask", "serve", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 2
        assert "another --host or --port" in done.stderr


def test_the_token_can_come_from_a_file_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    with serving("--host", "0.0.0.0", "--token-file", tmp_path / "token") as served:
        local = f"http://127.0.0.1:{served.client.base_url.port}"
        with httpx.Client(base_url=local, trust_env=False, timeout=60) as client:
            assert client.get("/v1/models").status_code == 401
            assert client.get("/v1/models", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert TOKEN not in served.line


def test_without_the_extra_the_install_line_is_told(tmp_path: Path) -> None:
    (tmp_path / "fastapi.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'fastapi'\", name='fastapi')"
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.fake_anymask", "serve"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "pip install 'anymask[studio]'" in done.stderr
