from __future__ import annotations

import os
from pathlib import Path

import pytest

from anymask.core.errors import OutputError
from anymask.core.files import write_atomically


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "ü 照.bin"
    assert write_atomically(path, b"one") == path
    assert write_atomically(str(path), b"two") == path
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == [path.name]  # noqa: PTH208 (hidden files count)


def test_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"")
    path.chmod(0o640)
    write_atomically(path, b"x")
    assert path.stat().st_mode & 0o777 == 0o640
    fresh, usual = write_atomically(tmp_path / "b", b"x"), tmp_path / "c"
    usual.touch()
    assert fresh.stat().st_mode == usual.stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(real)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match=r"cannot write '.*a': No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]  # noqa: PTH208


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist; create it first"):
        write_atomically(tmp_path / "no" / "a", b"")
    with pytest.raises(OutputError, match="it is a folder"):
        write_atomically(tmp_path, b"")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="does not exist"):
        write_atomically(tmp_path / "file" / "a", b"")
    with pytest.raises(OutputError, match="cannot write"):
        write_atomically("a\0b", b"")
    with pytest.raises(OutputError, match="cannot write"):
        write_atomically(tmp_path / ("n" * 5000), b"")


def test_a_device_is_written_to(tmp_path: Path) -> None:
    write_atomically(os.devnull, b"gone")
    assert not Path(os.devnull).is_file()
