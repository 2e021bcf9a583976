from __future__ import annotations

import errno
import hashlib
import os
import random
import ssl
import threading
import urllib.error
from pathlib import Path

import pytest

from anymask.core.errors import ChecksumError, FormatError, ModelError, OutputError
from anymask.models import download as download_module
from anymask.models.download import Patience, fetch
from anymask.models.network import hide_credentials, is_offline
from anymask.models.spec import Download
from tests.models import web as steps
from tests.models.web import Web

BODY = random.Random(7).randbytes(3_000_000)
DATE = "Wed, 05 Apr 2023 10:00:00 GMT"
QUICK = Patience(attempts=3, timeout=10, first_wait=0)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "downloads").mkdir()
    return tmp_path / "downloads" / "file.pth"


def left_over(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_a_file_arrives_whole_and_alone(web: Web, target: Path) -> None:
    seen: list[tuple[int, int]] = []
    done = fetch(web.put("/a.pth", BODY), target, progress=lambda n, total: seen.append((n, total)))
    assert done == target
    assert target.read_bytes() == BODY
    assert left_over(target) == ["file.pth"]
    assert seen[0] == (0, len(BODY))
    assert seen[-1] == (len(BODY), len(BODY))
    assert [n for n, _ in seen] == sorted({n for n, _ in seen})
    assert "anymask/" in web.requests[0].headers["user-agent"]


def test_a_file_that_is_there_is_not_fetched_again(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    target.write_bytes(BODY)
    assert fetch(download, target, offline=True) == target
    assert web.requests == []


def test_a_wrong_file_at_the_target_is_replaced(web: Web, target: Path) -> None:
    target.write_bytes(b"old")
    fetch(web.put("/a.pth", BODY), target, patience=QUICK)
    assert target.read_bytes() == BODY


def test_a_broken_transfer_goes_on_where_it_broke(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    web.script.extend([steps.broken_after(1_000_000), steps.broken_after(1_500_000)])
    fetch(download, target, patience=QUICK)
    assert target.read_bytes() == BODY
    assert web.asked_ranges() == [None, "bytes=1000000-", "bytes=2500000-"]
    assert [r.headers.get("if-range") for r in web.requests] == [None, steps.tag(BODY), steps.tag(BODY)]


def test_failures_count_only_while_nothing_arrives(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    web.script.extend([steps.broken_after(300_000)] * 8)
    fetch(download, target, patience=Patience(attempts=2, first_wait=0))
    assert target.read_bytes() == BODY
    assert len(web.requests) == 9


def test_a_later_call_continues_an_earlier_one(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    web.script.append(steps.broken_after(1_234_567))
    with pytest.raises(ModelError, match=r"after 1,234,567 of 3,000,000 bytes, .* what came is kept"):
        fetch(download, target, patience=Patience(attempts=1, first_wait=0))
    assert target.with_name("file.pth.part").read_bytes() == BODY[:1_234_567]
    fetch(download, target, patience=QUICK)
    assert target.read_bytes() == BODY
    assert web.asked_ranges() == [None, "bytes=1234567-"]
    assert left_over(target) == ["file.pth"]


def test_a_server_without_ranges_sends_everything_again(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    web.script.extend([steps.broken_after(1_000_000), steps.without_ranges])
    fetch(download, target, patience=QUICK)
    assert target.read_bytes() == BODY


def test_a_file_that_changed_on_the_server_is_not_glued_together(web: Web, target: Path) -> None:
    web.put("/a.pth", BODY[::-1])
    web.script.append(steps.broken_after(1_000_000))
    wanted = Download(web.base + "/a.pth", len(BODY), hashlib.sha256(BODY).hexdigest())
    with pytest.raises(ModelError, match="ended after"):
        fetch(wanted, target, patience=Patience(attempts=1))
    web.put("/a.pth", BODY)
    fetch(wanted, target, patience=QUICK)
    assert target.read_bytes() == BODY
    assert len(web.requests) == 2  # If-Range made the server send the new file at once


def test_damaged_old_bytes_cost_one_honest_second_try(web: Web, target: Path) -> None:
    target.with_name("file.pth.part").write_bytes(b"\0" * 1_000_000)
    fetch(web.put("/a.pth", BODY), target, patience=QUICK)
    assert target.read_bytes() == BODY
    assert web.asked_ranges() == ["bytes=1000000-", None]


@pytest.mark.parametrize(
    ("headers", "condition"),
    [
        ({"ETag": 'W/"1"'}, None),
        ({"ETag": 'W/"1"', "Last_Modified": DATE}, DATE),
        ({"ETag": '"strong"'}, '"strong"'),
        ({}, None),
    ],
)
def test_only_strong_validators_are_sent_back(
    web: Web, target: Path, headers: dict[str, str], condition: str | None
) -> None:
    download = web.put("/a.pth", BODY)
    web.script.append(steps.tagged(1_000_000, **headers))
    fetch(download, target, patience=QUICK)
    assert target.read_bytes() == BODY
    assert web.requests[1].headers["range"] == "bytes=1000000-"
    assert web.requests[1].headers.get("if-range") == condition


def test_an_answer_in_chunks_arrives_and_resumes(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    web.script.extend([steps.chunked(3), steps.chunked()])
    fetch(download, target, patience=QUICK)
    assert target.read_bytes() == BODY
    assert web.asked_ranges() == [None, "bytes=1200000-"]


def test_an_untrusted_certificate_is_not_tried_again(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = []

    def refuse(url: str, headers: object, timeout: float) -> None:
        attempts.append(url)
        error = ssl.SSLCertVerificationError(1, "certificate verify failed")
        error.verify_message = "self-signed certificate"
        raise urllib.error.URLError(error)

    monkeypatch.setattr(download_module, "open_url", refuse)
    with pytest.raises(ModelError, match=r"not trusted \(self-signed certificate\); set SSL_CERT_FILE"):
        fetch(Download("https://example.invalid/a.pth", 5, "0" * 64), target, patience=QUICK)
    assert len(attempts) == 1


def test_too_many_old_bytes_are_thrown_away(web: Web, target: Path) -> None:
    target.with_name("file.pth.part").write_bytes(BODY + b"more")
    fetch(web.put("/a.pth", BODY), target, patience=QUICK)
    assert target.read_bytes() == BODY


def test_complete_old_bytes_need_no_request(web: Web, target: Path) -> None:
    target.with_name("file.pth.part").write_bytes(BODY)
    fetch(web.put("/a.pth", BODY), target, patience=QUICK)
    assert target.read_bytes() == BODY
    assert web.requests == []


def test_another_range_than_asked_for_is_not_used(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    web.script.extend([steps.broken_after(1_000_000), steps.other_range])
    fetch(download, target, patience=QUICK)
    assert target.read_bytes() == BODY
    assert web.asked_ranges() == [None, "bytes=1000000-", None]


def test_an_unsatisfiable_range_starts_over(web: Web, target: Path) -> None:
    target.with_name("file.pth.part").write_bytes(BODY[:2_000_000])
    download = web.put("/a.pth", BODY)
    web.script.append(steps.status(416))
    fetch(download, target, patience=QUICK)
    assert target.read_bytes() == BODY


def test_a_wrong_sum_is_an_error_and_leaves_nothing(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    web.script.append(steps.instead(BODY[::-1]))
    with pytest.raises(ChecksumError, match=r"has SHA-256 .*, expected .*removed"):
        fetch(download, target, patience=QUICK)
    assert left_over(target) == []


def test_a_wrong_length_is_refused_before_it_is_fetched(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    web.script.append(steps.instead(b"<html>Please log in</html>", "text/html"))
    with pytest.raises(ChecksumError, match=r"offers 26 bytes of text/html, expected 3,000,000"):
        fetch(download, target, patience=QUICK)
    assert left_over(target) == []


def test_a_login_page_does_not_destroy_what_was_fetched(web: Web, target: Path) -> None:
    target.with_name("file.pth.part").write_bytes(BODY[:2_000_000])
    download = web.put("/a.pth", BODY)
    web.script.append(steps.instead(b"<html>", "text/html"))
    with pytest.raises(ChecksumError):
        fetch(download, target, patience=QUICK)
    fetch(download, target, patience=QUICK)
    assert web.asked_ranges() == ["bytes=2000000-"] * 2


def test_a_missing_file_is_not_asked_for_twice(web: Web, target: Path) -> None:
    with pytest.raises(ModelError, match=r"/none.pth answers 404 \(Not Found\).*anymask models import FILE"):
        fetch(Download(web.base + "/none.pth", 5, "0" * 64), target, patience=QUICK)
    assert len(web.requests) == 1


def test_a_server_in_trouble_is_asked_again(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    web.script.extend([steps.status(503), steps.status(500)])
    fetch(download, target, patience=QUICK)
    assert target.read_bytes() == BODY


def test_a_server_in_lasting_trouble_is_given_up(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    web.script.extend([steps.status(503)] * 5)
    with pytest.raises(ModelError, match=r"the server answers 503, 3 times in a row"):
        fetch(download, target, patience=QUICK)
    assert len(web.requests) == 3


def test_waits_grow_and_the_server_may_ask_for_more(
    web: Web, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(download_module.time, "sleep", waits.append)
    download = web.put("/a.pth", BODY)
    web.script.extend([steps.status(503), steps.status(429, Retry_After="7"), *[steps.status(500)] * 2])
    fetch(download, target, patience=Patience(attempts=9, first_wait=1, longest_wait=3.5))
    assert waits == [1, 3.5, 3.5, 3.5]
    waits.clear()
    web.script.extend([steps.status(503), steps.status(429, Retry_After="7"), steps.status(500)])
    target.unlink()
    fetch(download, target, patience=Patience(attempts=9, first_wait=1))
    assert waits == [1, 7, 4]


def test_a_silent_server_times_out(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    go_on = threading.Event()
    web.script.append(steps.stalled_after(1_000_000, go_on))
    try:
        fetch(download, target, patience=Patience(attempts=3, timeout=0.3, first_wait=0))
    finally:
        go_on.set()
    assert target.read_bytes() == BODY
    assert web.asked_ranges() == [None, "bytes=1000000-"]


def test_nobody_listening_is_one_clear_line(target: Path) -> None:
    with pytest.raises(ModelError, match=r"Cannot fetch http://127.0.0.1:9/a.pth: .*, 3 times") as caught:
        fetch(Download("http://127.0.0.1:9/a.pth", 5, "0" * 64), target, patience=QUICK)
    assert "\n" not in str(caught.value)


def test_redirects_are_followed_and_keep_the_range(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    web.put("/b.pth", BODY)
    web.script.extend([redirect := steps.redirect("/b.pth", 301), steps.broken_after(1_000_000), redirect])
    fetch(download, target, patience=QUICK)
    assert target.read_bytes() == BODY
    assert [r.target for r in web.requests] == ["/a.pth", "/b.pth", "/a.pth", "/b.pth"]
    assert web.requests[3].headers["range"] == "bytes=1000000-"


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x"])
def test_redirects_leave_the_web_nowhere(web: Web, target: Path, location: str) -> None:
    download = web.put("/a.pth", BODY)
    web.script.append(steps.redirect(location))
    with pytest.raises(ModelError, match="http"):
        fetch(download, target, patience=QUICK)
    assert len(web.requests) == 1
    assert not target.exists()


def test_a_redirect_loop_ends(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)
    web.script.extend([steps.redirect("/a.pth")] * 20)
    with pytest.raises(ModelError, match="redirects without end"):
        fetch(download, target, patience=QUICK)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/a", "/etc/passwd", ""])
def test_only_web_addresses_are_downloads(url: str) -> None:
    with pytest.raises(FormatError, match="'url'"):
        Download(url, 5, "0" * 64)


def test_offline_asks_nobody(web: Web, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    download = web.put("/a.pth", BODY)
    with pytest.raises(ModelError, match="offline"):
        fetch(download, target, offline=True)
    monkeypatch.setenv("ANYMASK_OFFLINE", "1")
    with pytest.raises(ModelError, match="ANYMASK_OFFLINE"):
        fetch(download, target)
    assert web.requests == []
    monkeypatch.setenv("ANYMASK_OFFLINE", "0")
    fetch(download, target)
    assert target.read_bytes() == BODY


def test_a_mirror_takes_the_place_of_host_and_folder(
    web: Web, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.put("/models/sam.pth", BODY)
    monkeypatch.setenv("ANYMASK_MIRROR", web.base + "/models/")
    address = "https://example.invalid/deep/path/sam.pth"
    published = Download(address, len(BODY), hashlib.sha256(BODY).hexdigest())
    fetch(published, target, patience=QUICK)
    assert target.read_bytes() == BODY
    assert web.requests[0].target == "/models/sam.pth"


@pytest.mark.parametrize("mirror", ["/srv/models", "file:///srv/models", "https://", "nonsense"])
def test_a_mirror_must_be_on_the_web(target: Path, monkeypatch: pytest.MonkeyPatch, mirror: str) -> None:
    monkeypatch.setenv("ANYMASK_MIRROR", mirror)
    with pytest.raises(ModelError, match="ANYMASK_MIRROR"):
        fetch(Download("https://example.invalid/a.pth", 5, "0" * 64), target)


def test_proxies_of_the_environment_are_used(web: Web, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:secret@127.0.0.1:{web.port}")
    web.put("/deep/sam.pth", BODY)
    download = Download("http://example.invalid/deep/sam.pth", len(BODY), hashlib.sha256(BODY).hexdigest())
    fetch(download, target, patience=QUICK)
    assert web.requests[0].target == "http://example.invalid/deep/sam.pth"
    assert web.requests[0].headers["proxy-authorization"].startswith("Basic ")


def test_a_dead_proxy_is_named_without_its_password(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://user:secret@127.0.0.1:9")
    with pytest.raises(ModelError, match=r"through the proxy http://127.0.0.1:9: ") as caught:
        fetch(Download("http://example.invalid/a.pth", 5, "0" * 64), target, patience=QUICK)
    assert "secret" not in str(caught.value)


def test_a_full_disk_keeps_what_came_and_goes_on(
    web: Web, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    download = web.put("/a.pth", BODY)
    room = 1_000_000
    real_write = os.write

    def write(file: int, data: memoryview) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = real_write(file, data[:room])
        room -= written
        return written

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(OutputError, match=r"No space left on device; 1 MB are kept"):
            fetch(download, target, patience=QUICK)
    assert len(web.requests) == 1  # a full disk is no reason to bother the server again
    assert target.with_name("file.pth.part").stat().st_size == 1_000_000
    fetch(download, target, patience=QUICK)
    assert target.read_bytes() == BODY
    assert web.asked_ranges() == [None, "bytes=1000000-"]


def test_a_folder_without_write_permission_is_an_output_error(web: Web, read_only_folder: Path) -> None:
    with pytest.raises(OutputError, match=r"Permission denied.*ANYMASK_HOME"):
        fetch(web.put("/a.pth", BODY), read_only_folder / "file.pth", patience=QUICK)
    assert web.requests == []


def test_an_interrupted_user_keeps_what_came(web: Web, target: Path) -> None:
    download = web.put("/a.pth", BODY)

    def interrupt(done: int, total: int) -> None:
        if done > 1_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(download, target, progress=interrupt)
    kept = target.with_name("file.pth.part").stat().st_size
    assert kept > 1_000_000
    fetch(download, target, patience=QUICK)
    assert target.read_bytes() == BODY
    assert web.asked_ranges()[1] == f"bytes={kept}-"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@host:8080/a/b.pth?token=secret#secret", "https://host:8080/a/b.pth"),
        ("https://host/a@b/c", "https://host/a@b/c"),
        ("user:secret@host:3128", "host:3128"),
        ("http://host", "http://host"),
        ("", ""),
    ],
)
def test_messages_show_no_credentials(url: str, shown: str) -> None:
    assert hide_credentials(url) == shown


def test_nobody_can_go_online_where_the_environment_forbids_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_offline()
    assert is_offline(True)
    monkeypatch.setenv("ANYMASK_OFFLINE", " TRUE ")
    assert is_offline(False)
    monkeypatch.setenv("ANYMASK_OFFLINE", "no")
    assert not is_offline(None)
