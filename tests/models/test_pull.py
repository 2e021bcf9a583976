from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from anymask.core.errors import ChecksumError, ModelError, OutputError
from anymask.models import registry as registry_module
from anymask.models.cache import ModelCache
from anymask.models.checkpoint import read_checkpoint
from anymask.models.download import Patience
from anymask.models.keys import to_canonical
from anymask.models.pull import download_path, pull
from anymask.models.registry import Registry, UnknownModelError, resolve
from anymask.models.remove import remove
from anymask.models.spec import Download, ModelSpec
from tests.models import web as steps
from tests.models.samples import registry_with, write_model
from tests.models.web import Web

QUICK = Patience(attempts=2, timeout=20, first_wait=0)
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def body(checkpoint: Path) -> bytes:
    return checkpoint.read_bytes()


@pytest.fixture
def download(web: Web, body: bytes) -> Download:
    return web.put("/weights/tiny.pt", body)


@pytest.fixture
def registry(cache: ModelCache, tmp_path: Path, download: Download) -> Registry:
    return registry_with(cache, tmp_path / "box", tiny=download)


@pytest.fixture
def in_process(registry: Registry, download: Download) -> Callable[..., subprocess.Popen[str]]:
    """Start `pull_process` with the same cache and registry."""

    def start(*more: str) -> subprocess.Popen[str]:
        places = [str(registry.cache.root), str(registry.box)]
        wanted = [download.url, str(download.bytes), download.sha256]
        command = [sys.executable, "-m", "tests.models.pull_process", *places, *wanted, *more]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
        out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, text=True, env=environment, **out)

    return start


def files_below(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def until(condition: Callable[[], bool]) -> None:
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("waited for a minute in vain")


def test_a_pulled_model_is_complete_and_alone(registry: Registry, web: Web, checkpoint: Path) -> None:
    folder = pull("tiny", registry=registry, patience=QUICK)
    folder.verify()
    assert folder.path == registry.cache.folder("tiny", "1.0")
    assert files_below(registry.cache.downloads) == []
    assert folder.manifest.source["url"] == web.base + "/weights/tiny.pt"
    assert folder.spec.licence == "Apache-2.0"
    expected = to_canonical(read_checkpoint(checkpoint))
    stored = read_checkpoint(folder.weights)
    assert stored.keys() == expected.keys()
    assert all(np.array_equal(stored[name], expected[name]) for name in expected)
    assert registry.resolve("tiny").sha256 == folder.sha256


def test_a_model_that_is_here_is_not_pulled_again(registry: Registry, web: Web) -> None:
    first = pull("tiny", registry=registry, patience=QUICK)
    again = pull("tiny@1.0", registry=registry, offline=True)
    assert again == first
    assert len(web.requests) == 1


def test_progress_ends_at_the_full_length(registry: Registry, download: Download) -> None:
    seen: list[tuple[int, int]] = []
    pull("tiny", registry=registry, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, download.bytes)
    assert seen[-1] == (download.bytes, download.bytes)


def test_offline_pulls_nothing(registry: Registry, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"offline .*anymask models import FILE"):
        pull("tiny", registry=registry, offline=True)
    monkeypatch.setenv("ANYMASK_OFFLINE", "yes")
    with pytest.raises(ModelError, match="offline"):
        pull("tiny", registry=registry)
    assert web.requests == []


def test_the_model_in_the_box_is_there_already(registry: Registry, web: Web) -> None:
    write_model(registry.box / "lite", ModelSpec("lite", "lite"))
    assert pull("lite", registry=registry).path == registry.box / "lite"
    assert web.requests == []


def test_an_unknown_model_is_not_asked_for(registry: Registry, web: Web) -> None:
    with pytest.raises(UnknownModelError, match="Did you mean 'tiny'"):
        pull("tinny", registry=registry)
    with pytest.raises(UnknownModelError, match=r"published version is tiny@1\.0"):
        pull("tiny@3", registry=registry)
    assert web.requests == []


def test_a_damaged_model_is_pulled_anew(registry: Registry) -> None:
    folder = pull("tiny", registry=registry)
    folder.weights.write_bytes(b"short")
    with pytest.raises(ChecksumError, match="anymask models remove tiny"):
        registry.resolve("tiny")
    pull("tiny", registry=registry).verify()


def test_two_processes_at_once_fetch_it_once(
    registry: Registry, web: Web, in_process: Callable[..., subprocess.Popen[str]]
) -> None:
    go_on = threading.Event()
    web.script.append(steps.stalled_after(1_000_000, go_on))
    with in_process() as first:
        until(lambda: len(web.requests) == 1)
        with in_process() as second:
            assert second.stdout is not None
            assert second.stdout.readline() == "waiting\n"
            go_on.set()
            assert first.communicate(timeout=60)[0] == "ready False\n"
            assert second.communicate(timeout=60)[0] == "ready False\n"
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(web.requests) == 1
    assert files_below(registry.cache.downloads) == []


def test_a_pull_that_was_killed_goes_on(
    registry: Registry, web: Web, download: Download, in_process: Callable[..., subprocess.Popen[str]]
) -> None:
    go_on = threading.Event()
    web.script.append(steps.stalled_after(5_000_000, go_on))
    part = download_path(registry.find_official("tiny"), registry.cache)
    part = part.with_name(part.name + ".part")
    with in_process() as process:
        until(lambda: part.exists() and part.stat().st_size == 5_000_000)
        process.send_signal(signal.SIGKILL)
    go_on.set()
    with pytest.raises(ModelError, match="not on this machine"):
        registry.resolve("tiny")
    pull("tiny", registry=registry, patience=QUICK).verify()
    assert web.asked_ranges() == [None, "bytes=5000000-"]
    assert files_below(registry.cache.downloads) == []


def test_a_conversion_that_was_killed_is_done_anew_without_the_network(
    registry: Registry, web: Web, in_process: Callable[..., subprocess.Popen[str]]
) -> None:
    with in_process("hang") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "converting\n"
        process.send_signal(signal.SIGKILL)
    assert any(path.name.startswith(".tmp-tiny") for path in registry.cache.models.iterdir())
    assert registry.cache.names() == []
    pull("tiny", registry=registry, offline=True).verify()
    assert len(web.requests) == 1
    assert [path.name for path in registry.cache.models.iterdir()] == ["tiny@1.0"]


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of file sizes there")
def test_a_real_write_error_keeps_what_came(
    registry: Registry, web: Web, in_process: Callable[..., subprocess.Popen[str]]
) -> None:
    with in_process("small files") as process:
        output = process.communicate(timeout=60)[0]
    assert "OutputError" in output
    assert "3 MB are kept" in output
    pull("tiny", registry=registry, patience=QUICK).verify()
    assert web.asked_ranges() == [None, "bytes=3000000-"]


def test_a_disk_that_is_too_small_is_found_before_anything_is_fetched(
    registry: Registry, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 50_000_000, 50_000_000))
    with pytest.raises(OutputError, match=r"Pulling 'tiny' needs 7\d.* MB, 50 MB are free in .*ANYMASK_HOME"):
        pull("tiny", registry=registry)
    assert web.requests == []


def test_a_disk_full_while_converting_leaves_no_half_model(
    registry: Registry, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OutputError("Cannot write weights.safetensors: No space left on device.")

    with monkeypatch.context() as patch:
        patch.setattr("anymask.models.importer.fill_model_folder", full)
        with pytest.raises(OutputError, match="No space left"):
            pull("tiny", registry=registry)
    assert list(registry.cache.models.iterdir()) == []
    pull("tiny", registry=registry).verify()
    assert len(web.requests) == 1


def test_a_cache_without_write_permission_is_one_clear_line(
    web: Web, tmp_path: Path, download: Download, read_only_folder: Path
) -> None:
    box = read_only_folder  # any existing folder without models
    registry = Registry(ModelCache(read_only_folder / "home"), {"tiny": spec_of(download)}, box)
    with pytest.raises(OutputError, match=r"Cannot write .*Permission denied.*ANYMASK_HOME") as caught:
        pull("tiny", registry=registry)
    assert "\n" not in str(caught.value)
    assert web.requests == []


def spec_of(download: Download, architecture: str = "sam_tiny_vit") -> ModelSpec:
    return ModelSpec("tiny", architecture, licence="Apache-2.0", download=download)


def test_a_published_file_must_be_the_network_it_is_published_as(
    cache: ModelCache, tmp_path: Path, download: Download
) -> None:
    (tmp_path / "box").mkdir()
    registry = Registry(cache, {"tiny": spec_of(download, "sam_vit_b")}, tmp_path / "box")
    with pytest.raises(ModelError, match=r"holds a sam_tiny_vit; tiny@1.0 is a sam_vit_b"):
        pull("tiny", registry=registry)
    assert cache.names() == []


def test_a_hostile_pickle_is_refused_even_with_the_right_sum(
    cache: ModelCache, tmp_path: Path, web: Web, hostile: Path
) -> None:
    registry = registry_with(cache, tmp_path / "box", tiny=web.put("/evil.pt", hostile.read_bytes()))
    with pytest.raises(ModelError, match=r"posix.system|os.system"):
        pull("tiny", registry=registry)
    assert not (hostile.parent / "owned").exists()
    assert cache.names() == []


def test_removing_takes_the_model_and_what_an_interrupted_pull_left(registry: Registry, web: Web) -> None:
    web.script.append(steps.broken_after(1_000_000))
    with pytest.raises(ModelError, match="what came is kept"):
        pull("tiny", registry=registry, patience=Patience(attempts=1))
    assert remove("tiny", registry=registry) >= 1_000_000
    assert files_below(registry.cache.downloads) == []
    with pytest.raises(ModelError, match="not on this machine"):
        remove("tiny", registry=registry)
    folder = pull("tiny", registry=registry)
    assert remove("tiny@1.0", registry=registry) > folder.bytes
    assert registry.cache.names() == []


def test_removing_knows_what_it_cannot_remove(registry: Registry) -> None:
    write_model(registry.box / "lite", ModelSpec("lite", "lite"))
    with pytest.raises(ModelError, match="came with the package"):
        remove("lite", registry=registry)
    with pytest.raises(UnknownModelError, match="anymask models list"):
        remove("nothing", registry=registry)
    write_model(registry.cache.folder("mine", "1"), ModelSpec("mine", "lite", version="1"))
    with pytest.raises(UnknownModelError, match="mine@2"):
        remove("mine@2", registry=registry)
    assert remove("mine", registry=registry) > 0


def test_resolve_pulls_only_when_the_network_is_allowed(
    registry: Registry, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "OFFICIAL", registry.official)
    with pytest.raises(ModelError, match="anymask models pull tiny"):
        resolve("tiny")
    assert resolve("tiny", offline=False).path == registry.cache.folder("tiny", "1.0")
    assert resolve("tiny", offline=False).path == resolve("tiny").path
    assert len(web.requests) == 1
