"""The pages: what is sent for the built front end's files, and nothing else is."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from anymask.server.problems import add_handlers
from anymask.studio.static_files import FOLDER, pages
from tests.studio.served import Running

SCRIPT = b"export const answer = 42; // " + b"x" * 2000


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A front end's build, and files beside it that are nobody's business."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>studio</title>")
    (folder / "assets" / "index-DV3qowLW.js").write_bytes(SCRIPT)
    (folder / "assets" / "ort-wasm-DcHrbrbl.wasm.gz").write_bytes(gzip.compress(b"\0asm" + bytes(500)))
    (folder / "assets" / "both-AbCdEfGh.wasm").write_bytes(b"plain")
    (folder / "assets" / "both-AbCdEfGh.wasm.br").write_bytes(b"brotli's bytes")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.fixture
def client(built: Path) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(pages(built))
    add_handlers(app)
    with TestClient(app, headers={"Accept-Encoding": "identity"}) as client:
        yield client


def test_the_first_page(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.text.startswith("<!doctype html>")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
    assert "'unsafe-eval'" not in policy
    assert "frame-ancestors 'none'" in policy


def test_hashed_names_may_be_kept_for_ever(client: TestClient) -> None:
    answer = client.get("/assets/index-DV3qowLW.js")
    assert answer.content == SCRIPT
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_text_is_packed_for_those_who_take_it(client: TestClient) -> None:
    packed = client.get("/assets/index-DV3qowLW.js", headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT) / 10
    assert packed.content == SCRIPT  # the client has unpacked it


def test_a_new_build_is_not_answered_with_the_old_one(client: TestClient, built: Path) -> None:
    gzipped = {"Accept-Encoding": "gzip"}
    assert "studio" in client.get("/", headers=gzipped).text
    (built / "index.html").write_text("<!doctype html><title>newer</title>")
    assert "newer" in client.get("/", headers=gzipped).text


def test_what_lies_packed_is_sent_as_it_lies(client: TestClient) -> None:
    address = "/assets/ort-wasm-DcHrbrbl.wasm"
    for accepted, encoding in (("gzip", "gzip"), ("identity", None)):
        answer = client.get(address, headers={"Accept-Encoding": accepted})
        assert answer.content == b"\0asm" + bytes(500)
        assert answer.headers.get("content-encoding") == encoding
        assert answer.headers["content-type"] == "application/wasm"


def test_brotli_goes_first(client: TestClient) -> None:
    headers = {"Accept-Encoding": "gzip, deflate, br"}
    with client.stream("GET", "/assets/both-AbCdEfGh.wasm", headers=headers) as answer:
        assert answer.headers["content-encoding"] == "br"
        assert b"".join(answer.iter_raw()) == b"brotli's bytes"


@pytest.mark.parametrize(
    "path", ["/missing.js", "/assets", "/assets/", "/link.txt", "/..%2fsecret.txt", "/assets/index-DV3qowLW"]
)
def test_nothing_else_is_there(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_the_built_pages_are_in_the_package(studio: Running) -> None:
    """And every file that the first page names is there."""
    with httpx.Client(base_url=studio.address, trust_env=False, timeout=60) as browser:
        page = browser.get("/")
        assert page.status_code == 200
        named = [word.split('"')[0] for word in page.text.replace('href="', 'src="').split('src="')[1:]]
        assert len(named) >= 2
        for name in named:
            found = browser.get("/" + name.removeprefix("/").removeprefix("./"))
            assert found.status_code == 200, name
        assert page.headers["cross-origin-opener-policy"] == "same-origin"
        assert page.headers["x-content-type-options"] == "nosniff"
    assert sum(path.stat().st_size for path in FOLDER.rglob("*")) < 10_000_000
