"""A folder, a tar or a zip as a tree of named files, and such trees written whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shutil
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol, cast

from anymask.core.errors import FormatError, OutputError
from anymask.formats.checks import safe_name

ARCHIVES = (".tar", ".zip")
_MAX_FILE_BYTES = 1 << 30
_HIDDEN = ("__MACOSX",)

Files = Iterable[tuple[str, "bytes | Path"]]
"""Names inside the tree, with what is in each file, or a file whose content it is."""


class Tree(Protocol):
    """Files by name: relative, with forward slashes, sorted, without hidden ones."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def read(self, name: str) -> bytes:
        """The whole file. Raises FormatError if there is none, or it is absurdly large."""
        ...

    def open(self, name: str) -> BinaryIO:
        """The file, for reading from its start."""
        ...


def is_tree(path: Path) -> bool:
    """Whether the path is a folder or, by its ending, an archive."""
    return path.is_dir() or path.suffix.lower() in ARCHIVES


@contextlib.contextmanager
def open_tree(path: Path) -> Iterator[Tree]:
    """The tree at `path`, an existing folder, tar or zip.

    Raises FormatError if an archive is damaged, or holds a link or a name that leads out of it.
    """
    try:
        if path.is_dir():
            yield _Folder(path)
        elif path.suffix.lower() == ".tar":
            with tarfile.open(path, "r:") as tar:
                yield _Tar(tar)
        else:
            with zipfile.ZipFile(path) as archive:
                yield _Zip(archive)
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        EOFError,
        NotImplementedError,
    ) as error:
        raise FormatError(f"a damaged archive ({error})") from error
    except RuntimeError as error:  # zipfile's way to say that a password is needed
        raise FormatError(f"an archive that cannot be read ({error})") from error
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}") from error


def write_tree(path: Path, files: Files, *, overwrite: bool = False) -> Path:
    """Write files as a folder or, where `path` ends in .tar or .zip, as an archive; the same bytes each time.

    Nothing is seen at `path` before all is written. overwrite: something that exists there is replaced as a
    whole; without it only an empty folder is.

    Raises OutputError if something is there, or writing fails; FormatError for names that are given twice or
    lead out of the tree. What was there stays then.
    """
    _check_place(path, overwrite)
    temporary = path.parent / f".anymask-{secrets.token_hex(8)}.tmp"
    try:
        if path.suffix.lower() in ARCHIVES:
            with temporary.open("xb") as file:
                _write_archive(file, path.suffix.lower(), _checked(files))
        else:
            temporary.mkdir()
            _write_folder(temporary, _checked(files))
        _put_in_place(temporary, path)
    except FormatError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"cannot write '{path}': {reason}; choose another place or free some space"
        ) from error
    finally:
        _remove(temporary)
    return path


@dataclass(frozen=True)
class _Part:
    """Some of the files of a tree."""

    tree: Tree
    names: tuple[str, ...]

    def open(self, name: str) -> BinaryIO:
        return self.tree.open(name)

    def read(self, name: str) -> bytes:
        return self.tree.read(name)


def only(tree: Tree, name: str) -> Tree:
    """The part of a tree that is one file and the folder called as it is without its ending."""
    folder = f"{PurePosixPath(name).with_suffix('')}/"
    return _Part(tree, tuple(n for n in tree.names if n == name or n.startswith(folder)))


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self.names = tuple(sorted(_names_below(self._root)))

    def open(self, name: str) -> BinaryIO:
        path = self._root / safe_name(name, "a file's name")
        if not path.resolve().is_relative_to(self._root):
            raise FormatError(f"'{name}' leads out of the folder; copy the file into it")
        if not path.is_file():
            raise FormatError(f"there is no file '{name}'")
        return path.open("rb")

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return _whole(file, name, os.fstat(file.fileno()).st_size)


class _Tar:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members = {_member_name(member): member for member in tar if not member.isdir()}
        self.names = tuple(sorted(name for name in self._members if not _is_hidden(name)))

    def open(self, name: str) -> BinaryIO:
        file = self._tar.extractfile(self._members[name]) if name in self._members else None
        if file is None:
            raise FormatError(f"there is no file '{name}' in the archive")
        return cast(BinaryIO, file)

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return _whole(file, name, self._members[name].size)


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive
        self._members = {
            safe_name(i.filename, "a name in the archive"): i for i in archive.infolist() if not i.is_dir()
        }
        self.names = tuple(sorted(name for name in self._members if not _is_hidden(name)))

    def open(self, name: str) -> BinaryIO:
        if name not in self._members:
            raise FormatError(f"there is no file '{name}' in the archive")
        return cast(BinaryIO, self._zip.open(self._members[name]))

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return _whole(file, name, self._members[name].file_size)


def _names_below(root: Path) -> Iterator[str]:
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if not _is_hidden(name)]
        for name in files:
            if not _is_hidden(name):
                yield (Path(folder) / name).relative_to(root).as_posix()


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part in _HIDDEN for part in PurePosixPath(name).parts)


def _member_name(member: tarfile.TarInfo) -> str:
    if not member.isfile():
        raise FormatError(f"'{member.name}' in the archive is a link or a device; only plain files are read")
    return safe_name(member.name, "a name in the archive")


def _whole(file: BinaryIO, name: str, size: int) -> bytes:
    if size > _MAX_FILE_BYTES:
        raise FormatError(f"'{name}' has {size} bytes; at most {_MAX_FILE_BYTES} are read")
    try:
        return file.read(_MAX_FILE_BYTES)
    except Exception as error:  # zlib and lzma errors have no common class
        raise FormatError(f"'{name}' is damaged ({error})") from error


def _checked(files: Files) -> Iterator[tuple[str, bytes | Path]]:
    taken: set[str] = set()
    for given, content in files:
        name = safe_name(given, "a name to write")
        if name.casefold() in taken:
            raise FormatError(f"two files would be called '{name}'; give the images different names")
        taken.add(name.casefold())
        yield name, content


def _check_place(path: Path, overwrite: bool) -> None:
    if not path.parent.is_dir():
        raise OutputError(
            f"cannot write '{path}': the folder '{path.parent}' does not exist; create it first"
        )
    empty = path.is_dir() and not any(path.iterdir())
    if path.exists() and not empty and not overwrite:
        raise OutputError(f"'{path}' exists; choose another name, or allow that it is replaced (overwrite)")


def _write_folder(root: Path, files: Iterable[tuple[str, bytes | Path]]) -> None:
    for name, content in files:
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, target)
        else:
            target.write_bytes(content)


def _write_archive(file: BinaryIO, kind: str, files: Iterable[tuple[str, bytes | Path]]) -> None:
    if kind == ".tar":
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, content in files:
                data = content.read_bytes() if isinstance(content, Path) else content
                member = tarfile.TarInfo(name)  # no times, owners or rights of this machine
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        return
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            data = content.read_bytes() if isinstance(content, Path) else content
            about = zipfile.ZipInfo(name)  # 1980, the earliest time that a zip holds
            about.external_attr = 0o644 << 16
            about.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(about, data)


def _put_in_place(new: Path, path: Path) -> None:
    """Exchange what is at `path` for `new`; if that fails, put the old back."""
    if not path.is_dir():
        new.replace(path)
        return
    old = path.parent / f".anymask-{secrets.token_hex(8)}.tmp"
    path.rename(old)
    try:
        new.rename(path)
    except OSError:
        old.rename(path)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
