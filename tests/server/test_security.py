"""What a stranger, a foreign web page or a hostile file can do: nothing."""

from __future__ import annotations

import io
import itertools
import json
import logging
import pickle
import socket
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from anymask.core.errors import InputError
from anymask.core.images import Picture
from anymask.server.config import LabelStudio, ServerConfig
from anymask.server.problems import Problem
from anymask.server.rates import Rates
from tests.fake_runtime import FakeRuntime, scene
from tests.server.running import TOKEN, png, running, upload

BEARER = {"Authorization": f"Bearer {TOKEN}"}


# Where it listens, and who may ask


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "labels.example.org", "8.8.8.8", ""])
def test_other_machines_need_a_token(host: str) -> None:
    with pytest.raises(InputError, match="give a token"):
        ServerConfig(host=host)
    assert ServerConfig(host=host, token=TOKEN).token == TOKEN


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_this_machine_needs_none(host: str) -> None:
    assert ServerConfig(host=host).token is None


@pytest.mark.parametrize("token", ["", "short", "with spaces in between", "x" * 15, "ümlaut" * 5])
def test_a_weak_token_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(InputError) as caught:
        ServerConfig(token=token)
    assert not token or token not in str(caught.value)


def test_secrets_are_not_printed() -> None:
    config = ServerConfig(token=TOKEN, label_studio=LabelStudio("http://localhost:8080", "secret-token"))
    assert TOKEN not in repr(config)
    assert "secret-token" not in repr(config)


@pytest.mark.parametrize("wrong", [{"port": 70_000}, {"waiting": 0}, {"requests_per_second": 0.0}])
def test_settings_that_cannot_be_meant(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        ServerConfig(**wrong)


@pytest.mark.parametrize("host", ["evil.example/x", "a b", "-x", "x" * 300])
def test_names_that_are_none(host: str) -> None:
    with pytest.raises(InputError, match="host name"):
        ServerConfig(allowed_hosts=(host,))


def test_without_the_token_nothing_is_told() -> None:
    with running(token=TOKEN) as client:
        for path in ("/v1/models", "/v1/openapi.json", "/v1/nothing", "/", "/x-anylabeling/v1/models"):
            for headers in ({}, {"Authorization": "Bearer wrong"}):
                if client.get(path, headers=headers).status_code == 429:
                    continue
                answer = client.get(path, headers=headers)
                assert answer.status_code in (401, 429)
                assert "fake" not in answer.text
        assert client.get("/v1/health").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [BEARER, {"Token": TOKEN}, {"Authorization": httpx.BasicAuth("any", TOKEN)._auth_header}],
    ids=["bearer", "X-AnyLabeling", "basic"],
)
def test_the_token_opens(headers: dict[str, str]) -> None:
    with running(token=TOKEN) as client:
        assert client.get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "header", ["Bearer", "Basic !!!", "Basic Og==", f"bearer {TOKEN}x", f"Digest {TOKEN}", TOKEN]
)
def test_nearly_the_token_does_not(header: str) -> None:
    with running(token=TOKEN) as client:
        answer = client.get("/v1/models", headers={"Authorization": header})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_tokens_cannot_be_tried_out() -> None:
    with running(token=TOKEN) as client:
        wrong = [client.get("/v1/models", headers={"Token": str(n)}).status_code for n in range(20)]
        assert wrong[:10] == [401] * 10
        assert 429 in wrong[10:]
        late = client.get("/v1/models", headers=BEARER)
        assert (late.status_code, late.json()["code"]) == (429, "too_often")
        assert int(late.headers["retry-after"]) >= 1


@pytest.mark.parametrize("trusted", [True, False])
def test_only_a_trusted_proxy_says_who_asks(trusted: bool) -> None:
    """Behind one, a stranger's wrong tokens do not shut others out; nobody else can change their address."""
    with running(token=TOKEN, proxies=("127.0.0.1",) if trusted else ()) as client:
        for _ in range(12):
            client.get("/v1/models", headers={"Token": "wrong", "X-Forwarded-For": "203.0.113.9"})
        answer = client.get("/v1/models", headers={**BEARER, "X-Forwarded-For": "203.0.113.7"})
        assert answer.status_code == (200 if trusted else 429)


def test_a_proxy_is_an_address() -> None:
    with pytest.raises(InputError, match="not an IP address"):
        ServerConfig(proxies=("*",))


def test_a_client_that_asks_too_often_is_slowed_down() -> None:
    with running(requests_per_second=0.001) as client:
        assert client.get("/v1/models").status_code == 200
        answer = client.get("/v1/models")
        assert (answer.status_code, answer.json()["code"]) == (429, "too_often")


def test_a_bucket_fills_again() -> None:
    now = 0.0
    rates = Rates(2.0, lambda: now, burst=3)
    for _ in range(3):
        rates.take("a")
    with pytest.raises(Problem, match="try again in 1 s"):
        rates.take("a")
    rates.take("b")
    now = 0.5
    rates.take("a")
    with pytest.raises(Problem):
        rates.take("a")


# Web pages of others


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8760", "localhost.evil.example", "", "[", "8.8.8.8"]
)
def test_a_foreign_name_is_refused(client: httpx.Client, host: str) -> None:
    """DNS rebinding: the page's own name now leads to this machine."""
    answer = client.get("/v1/models", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:99", "localhost."])
def test_our_names_are_right(client: httpx.Client, host: str) -> None:
    assert client.get("/v1/models", headers={"Host": host}).status_code == 200


def test_a_name_can_be_allowed() -> None:
    with running(allowed_hosts=("labels.example.org",)) as client:
        assert client.get("/v1/models", headers={"Host": "labels.example.org"}).status_code == 200


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_pages_of_other_sites_can_neither_write_nor_read(
    client: httpx.Client, image: str, headers: dict[str, str]
) -> None:
    for answer in (
        client.post("/v1/images", headers=headers, files={"file": ("a.png", png())}),
        client.delete(f"/v1/images/{image}", headers=headers),
        client.get("/v1/models", headers=headers),
        client.options("/v1/images", headers={**headers, "Access-Control-Request-Method": "POST"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert client.get(f"/v1/images/{image}").status_code == 200


def test_our_own_pages_can(client: httpx.Client) -> None:
    own = str(client.base_url).rstrip("/")
    assert client.get("/v1/models", headers={"Origin": own, "Sec-Fetch-Site": "same-origin"}).is_success


def test_a_form_of_a_page_cannot_prompt(client: httpx.Client, image: str) -> None:
    """Browsers send text/plain to other sites without asking first."""
    body = json.dumps({"points": [[55, 45]]})
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = client.post(f"/v1/images/{image}/prompt", content=body, headers={"Content-Type": kind})
        assert answer.status_code in (415, 422), kind


def test_web_sockets_are_closed(client: httpx.Client) -> None:
    answer = client.get(
        "/v1/models",
        headers={
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
    )
    assert answer.status_code != 101


def test_every_answer_is_armoured(client: httpx.Client, image: str) -> None:
    answers = [
        client.get("/v1/models"),
        client.get("/v1/nothing"),
        client.post(f"/v1/images/{image}/prompt", json={}),
        client.get("/v1/models", headers={"Host": "evil.example"}),
        client.post(f"/v1/images/{image}/prompt", json={"points": [[5, 5]]}, headers={"Accept": "image/png"}),
    ]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "server" not in answer.headers


# Paths, and what answers tell


@pytest.mark.parametrize(
    "path",
    [
        "/v1/images/..%2f..%2fetc%2fpasswd",
        "/v1/images/../../etc/passwd",
        "/v1/images/%2e%2e/%2e%2e/etc/passwd",
        "/v1/images/C:%5Cwindows",
        "/v1/images/" + "a" * 63,
        "/v1/images/" + "A" * 64,
        "/v1/images/" + "a" * 64 + "%00",
        "/static/../../etc/passwd",
    ],
)
def test_no_address_leads_to_a_file(client: httpx.Client, path: str) -> None:
    status, body = raw_get(client, path)
    assert status in (400, 404, 422)
    assert b"root:" not in body


def connected(client: httpx.Client) -> socket.socket:
    """A bare connection to the client's server."""
    port = client.base_url.port
    assert port is not None
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def raw_get(client: httpx.Client, target: str) -> tuple[int, bytes]:
    """GET with the target as it is: clients would tidy it up."""
    with connected(client) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


class FailingRuntime(FakeRuntime):
    def encode(self, picture: Picture) -> dict[str, Any]:
        raise RuntimeError("cannot open /home/somebody/secret.bin")


def test_what_nobody_foresaw_is_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with running(FailingRuntime(), token=TOKEN) as client, caplog.at_level(logging.ERROR):
        client.headers.update(BEARER)
        answer = client.post(f"/v1/images/{upload(client)}/embedding")
    assert answer.status_code == 500
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in answer.text
    assert answer.json()["detail"].split()[-1] in caplog.text
    assert "/home/somebody/secret.bin" in caplog.text
    assert TOKEN not in caplog.text


def test_text_that_is_sent_back_stays_text(client: httpx.Client, image: str) -> None:
    script = "<script>alert(1)</script>\r\nSet-Cookie: a=b"
    answers = [
        client.post(f"/v1/images/{image}/prompt", json={"points": [[5, 5]], "model": script}),
        client.post(f"/v1/images/{image}/prompt", json={script: 1}),
        client.post("/v1/export", json={"format": script[:40], "images": []}),
    ]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "set-cookie" not in answer.headers
        assert "\n" not in answer.json()["detail"]


# Hostile uploads


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header says a size that its few bytes do not hold."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


NOT_IMAGES = {
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "HTML": b"<!DOCTYPE html><script>alert(1)</script>",
    "pickle": pickle.dumps({"a": 1}),
    "zip": b"PK\x03\x04" + b"\0" * 60,
    "text": b"hello",
    "PPM": b"P6 99999 99999 255\n" + b"\0" * 99,
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
}


@pytest.mark.parametrize("data", NOT_IMAGES.values(), ids=NOT_IMAGES)
def test_what_is_no_picture_is_refused_whatever_it_says(client: httpx.Client, data: bytes) -> None:
    answer = client.post("/v1/images", files={"file": ("photo.png", data, "image/png")})
    assert (answer.status_code, answer.json()["code"]) == (415, "not_an_image")


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (65_535, 65_535), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_by_its_header(client: httpx.Client, width: int, height: int) -> None:
    answer = client.post("/v1/images", files={"file": ("a.png", png_claiming(width, height))})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_pixels")


def test_a_damaged_picture_is_refused(client: httpx.Client) -> None:
    for data in (png()[:200], png_claiming(100, 100), png_claiming(0, 5), b"\xff\xd8\xff\xe0" + b"\0" * 50):
        answer = client.post("/v1/images", files={"file": ("a.png", data)})
        assert answer.status_code in (415, 422), data[:20]


def test_an_empty_file_is_told(client: httpx.Client) -> None:
    for answer in (
        client.post("/v1/images", files={"file": ("a.png", b"")}),
        client.post("/v1/images", content=b"", headers={"Content-Type": "image/png"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "empty")
    assert client.post("/v1/images", files={"photo": ("a.png", png())}).json()["code"] == "no_file"
    assert client.post("/v1/images", json={}).json()["code"] == "wrong_content_type"


def test_more_than_one_file_is_refused(client: httpx.Client) -> None:
    files = [("file", ("a.png", png())), ("file", ("b.png", png()))]
    assert client.post("/v1/images", files=files).status_code == 400


def test_uploads_and_bodies_have_a_size() -> None:
    with running(max_upload_bytes=10_000, max_body_bytes=1000) as client:
        noise = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8)
        answer = client.post("/v1/images", files={"file": ("a.png", png(noise))})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        image = upload(client)
        body = json.dumps({"points": [[5, 5]] * 300})
        kind = {"Content-Type": "application/json"}
        declared = client.post(f"/v1/images/{image}/prompt", content=body, headers=kind)
        streamed = client.post(f"/v1/images/{image}/prompt", content=iter([body.encode()]), headers=kind)
        for answer in (declared, streamed):
            assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_who_sends_too_much_hears_so() -> None:
    """A connection that is closed while its client still sends is reset, and the answer lost."""
    half = bytes(1 << 20)
    with running(max_upload_bytes=10_000) as client, connected(client) as connection:
        connection.sendall(
            b"POST /v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
            b"Content-Length: %d\r\n\r\n" % (2 * len(half))
        )
        for _ in range(2):
            connection.sendall(half)
            time.sleep(0.1)
        assert b" 413 " in connection.recv(65536).split(b"\r\n")[0]


def test_a_streamed_upload_is_cut_off() -> None:
    """No Content-Length: the server must count, not believe, and stop reading."""
    with running(max_upload_bytes=100_000) as client:
        sent = itertools.count()

        def endless() -> Any:
            for _ in range(2000):
                next(sent)
                yield b"\0" * 10_000

        try:
            answer = client.post("/v1/images", content=endless(), headers={"Content-Type": "image/png"})
            assert answer.status_code == 413
        except (httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
            pass  # closed while the client was still sending
        assert next(sent) < 2000
        assert client.get("/v1/health").status_code == 200


def test_a_request_that_never_ends_is_given_up() -> None:
    with running(body_seconds=0.3) as client, connected(client) as connection:
        connection.sendall(
            b"POST /v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
            b"Content-Length: 1000\r\n\r\nabc"
        )
        assert b" 408 " in connection.recv(65536).split(b"\r\n")[0]


@pytest.mark.parametrize("length", ["abc", "1e3", "9" * 30])
def test_a_length_that_is_no_number(client: httpx.Client, length: str) -> None:
    with connected(client) as connection:
        head = f"POST /v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(65536).split()[1] in (b"400", b"413")


BODIES = {
    "no JSON": b"{",
    "deep lists": b'{"points": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "not UTF-8": b'{"label": "\xff\xfe"}',
    "a long number": b'{"points": [[' + b"1" * 10_000 + b", 5]]}",
    "a list": b"[1, 2]",
    "nothing": b"",
    "null": b"null",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bodies_that_are_none(client: httpx.Client, image: str, body: bytes) -> None:
    answer = client.post(
        f"/v1/images/{image}/prompt", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_counts_are_limited(client: httpx.Client, image: str) -> None:
    for body in (
        {"points": [[5, 5]] * 1001},
        {"polygon": [[5, 5]] * 10_001},
        {"scribble": [[[5, 5]]] * 101},
        {"label": "x" * 201, "points": [[5, 5]]},
    ):
        assert client.post(f"/v1/images/{image}/prompt", json=body).json()["code"] == "invalid"


def test_attributes_may_nest_only_so_far(client: httpx.Client) -> None:
    deep: Any = 1
    for _ in range(400):
        deep = {"a": deep}
    record = {"segmentation": {"size": [1, 1], "counts": "01"}, "bbox": [0, 0, 1, 1], "area": 1}
    image = {"name": "a.png", "width": 1, "height": 1, "records": [{**record, "attributes": deep}]}
    answer = client.post("/v1/export", json={"format": "json", "images": [image]})
    assert answer.status_code in (200, 422), answer.text


# The cache on disk


def test_the_cache_is_for_this_user_and_its_names_are_checksums(tmp_path: Path) -> None:
    with running(cache_dir=tmp_path / "cache") as client:
        image = upload(client)
        client.post(f"/v1/images/{image}/embedding")
        names = sorted(path.name for path in (tmp_path / "cache").iterdir())
        assert names[0] == f"{image}.{'fa' * 32}.safetensors"
        assert names[1] == f"{image}.image"
        assert (tmp_path / "cache").stat().st_mode & 0o077 == 0
        assert client.delete(f"/v1/images/{image}").status_code == 204
        assert list((tmp_path / "cache").iterdir()) == []


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("/tmp/anymask-was-here"),))


@pytest.mark.parametrize("wrong", ["pickle", "cut off", "another image's"])
def test_an_embedding_on_disk_is_not_believed(tmp_path: Path, wrong: str) -> None:
    with running(cache_dir=tmp_path) as client:
        image, other = upload(client), upload(client, png(scene()[::-1]))
        for one in (image, other):
            client.post(f"/v1/images/{one}/embedding")
    file = tmp_path / f"{image}.{'fa' * 32}.safetensors"
    data = {
        "pickle": pickle.dumps(Trap()),
        "cut off": file.read_bytes()[:-1],
        "another image's": (tmp_path / f"{other}.{'fa' * 32}.safetensors").read_bytes(),
    }
    file.write_bytes(data[wrong])
    runtime = FakeRuntime()
    with running(runtime, cache_dir=tmp_path) as client:
        assert client.post(f"/v1/images/{image}/prompt", json={"points": [[55, 45]]}).status_code == 200
    assert runtime.encoded == 1
    assert not Path("/tmp/anymask-was-here").exists()


def test_a_swapped_image_on_disk_is_not_believed(tmp_path: Path) -> None:
    with running(cache_dir=tmp_path) as client:
        image = upload(client)
    (tmp_path / f"{image}.image").write_bytes(png(scene()[::-1]))
    with running(cache_dir=tmp_path) as client:
        assert client.get(f"/v1/images/{image}").status_code == 404


def test_the_cache_keeps_to_its_budget(tmp_path: Path) -> None:
    with running(cache_dir=tmp_path, disk_bytes=50_000) as client:
        for shift in range(4):
            image = upload(client, png(np.roll(scene(), shift, axis=1)))
            assert client.post(f"/v1/images/{image}/embedding").status_code == 200
        sizes = [path.stat().st_size for path in tmp_path.iterdir()]
        assert sum(sizes) <= max(50_000, max(sizes))


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    data = io.BytesIO(png())
    with running(cache_dir=tmp_path) as client:
        image = upload(client, data.getvalue())
    assert (tmp_path / f"{image}.image").read_bytes() == data.getvalue()
