from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from anymask.core.errors import ModelError, OutputError
from anymask.models.cache import ModelCache, folder_bytes, format_bytes
from anymask.models.spec import ModelSpec
from tests.models.samples import CONTENT, write_model

SPEC = ModelSpec("mine", "lite", version="0.2")


def add(cache: ModelCache, name: str = "mine", version: str = "0.2") -> Path:
    return write_model(cache.folder(name, version), ModelSpec(name, "lite", version=version)).path


def test_the_environment_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANYMASK_HOME", str(tmp_path / "there"))
    assert ModelCache.default().root == tmp_path / "there"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ANYMASK_HOME", "~/mine")
    assert ModelCache.default().root == tmp_path / "mine"


def test_without_it_the_users_cache_folder_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import platformdirs

    monkeypatch.setenv("ANYMASK_HOME", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert ModelCache.default().root == Path(platformdirs.user_cache_dir("anymask", appauthor=False))
    assert ModelCache.default().root.name.lower().startswith("anymask")


def test_looking_creates_nothing(cache: ModelCache) -> None:
    assert cache.installed() == []
    assert cache.damaged() == []
    assert cache.names() == []
    assert not cache.root.exists()


def test_models_are_listed_intact_and_damaged(cache: ModelCache) -> None:
    add(cache, "b")
    add(cache, "a", "1.0")
    broken = add(cache, "a", "2.0")
    (broken / "encoder.onnx").unlink()
    (cache.models / ".tmp-x@1-abc").mkdir()
    (cache.models / "stray file").write_text("x")
    assert [f.spec.full_name for f in cache.installed()] == ["a@1.0", "b@0.2"]
    assert cache.damaged() == [broken]
    assert cache.names() == [("a", "1.0"), ("a", "2.0"), ("b", "0.2")]


def test_a_new_model_appears_whole_or_not_at_all(cache: ModelCache) -> None:
    with cache.new_model("mine", "0.2") as folder:
        (folder / "file").write_text("half")
        assert cache.names() == []
    assert (cache.folder("mine", "0.2") / "file").read_text() == "half"
    with pytest.raises(RuntimeError, match="conversion failed"), cache.new_model("mine", "0.2") as folder:
        (folder / "file").write_text("new")
        raise RuntimeError("conversion failed")
    assert (cache.folder("mine", "0.2") / "file").read_text() == "half"
    assert [p.name for p in cache.models.iterdir()] == ["mine@0.2"]


def test_a_new_model_replaces_the_old_one_and_clears_what_the_dead_left(cache: ModelCache) -> None:
    add(cache)
    (cache.models / ".tmp-mine@0.2-dead").mkdir()
    (cache.models / ".tmp-other@0.2-alive").mkdir()
    with cache.new_model("mine", "0.2") as folder:
        (folder / "file").write_text("new")
    assert sorted(p.name for p in cache.models.iterdir()) == [".tmp-other@0.2-alive", "mine@0.2"]
    assert [p.name for p in cache.folder("mine", "0.2").iterdir()] == ["file"]


def test_removing_frees_the_model_and_what_was_compiled_for_it(cache: ModelCache) -> None:
    path = add(cache)
    compiled = cache.compiled(cache.installed()[0].sha256)
    compiled.mkdir(parents=True)
    (compiled / "blob").write_bytes(b"x" * 1000)
    other = cache.compiled("f" * 64)
    other.mkdir()
    expected = folder_bytes(path) + 1000
    assert expected > sum(len(data) for data in CONTENT.values())
    assert cache.remove("mine", "0.2") == expected
    assert not path.exists()
    assert not compiled.exists()
    assert other.exists()
    with pytest.raises(ModelError, match=r"no model mine@0.2 in "):
        cache.remove("mine", "0.2")


def test_a_damaged_model_can_be_removed(cache: ModelCache) -> None:
    path = add(cache)
    (path / "manifest.json").write_text("")
    cache.remove("mine", "0.2")
    assert cache.names() == []


def test_a_lock_keeps_other_threads_out(cache: ModelCache) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        with cache.lock("mine", waiting.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with cache.lock("mine"):
        thread.start()
        assert waiting.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_locks_of_different_models_do_not_meet(cache: ModelCache) -> None:
    with cache.lock("a"), cache.lock("b", lambda: pytest.fail("waited for another model")):
        pass


HOLDER = """
import sys, time
from pathlib import Path
from anymask.models.cache import ModelCache
with ModelCache(Path(sys.argv[1])).lock("mine"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_lock_of_a_killed_process_is_free(cache: ModelCache) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HOLDER, str(cache.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        waited = threading.Event()

        def kill() -> None:
            waited.set()
            holder.send_signal(signal.SIGKILL)

        with cache.lock("mine", kill):
            assert waited.is_set()


def test_a_cache_that_cannot_be_written_says_so(read_only_folder: Path) -> None:
    cache = ModelCache(read_only_folder / "home")
    for attempt in (
        lambda: cache.lock("mine").__enter__(),
        lambda: cache.new_model("mine", "1").__enter__(),
        lambda: cache.make(cache.downloads),
    ):
        with pytest.raises(OutputError, match=r"Cannot write .*Permission denied.*set ANYMASK_HOME"):
            attempt()


def test_a_cache_that_cannot_be_read_is_like_an_empty_one(read_only_folder: Path) -> None:
    user = os.geteuid()
    os.seteuid(os.getuid())
    closed = read_only_folder / "models"
    read_only_folder.chmod(0o755)
    add(ModelCache(read_only_folder))
    assert ModelCache(read_only_folder).names() == [("mine", "0.2")]
    closed.chmod(0)
    try:
        os.seteuid(user)
        assert ModelCache(read_only_folder).names() == []
    finally:
        os.seteuid(os.getuid())
        closed.chmod(0o755)
        os.seteuid(user)


def test_a_cache_below_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="ANYMASK_HOME"), ModelCache(tmp_path / "file").lock("mine"):
        pass


def test_room_is_checked_where_the_cache_will_be(cache: ModelCache, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []
    usage = namedtuple("usage", "total used free")

    def disk_usage(path: Path) -> usage:
        asked.append(path)
        return usage(10**10, 9 * 10**9, 10**9)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    cache.require_space(10**9, "A model")
    with pytest.raises(OutputError, match=r"A model needs 1.5 GB, 1 GB are free in .*ANYMASK_HOME"):
        cache.require_space(1_500_000_000, "A model")
    assert asked == [cache.root.parent] * 2


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (999_600, "1 MB"),
        (40_728_226, "40.7 MB"),
        (375_042_383, "375 MB"),
        (2_564_550_879, "2.56 GB"),
        (10**15, "1000 TB"),
    ],
)
def test_lengths_for_people(count: int, expected: str) -> None:
    assert format_bytes(count) == expected
