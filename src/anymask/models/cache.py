"""Where models live on this machine: folders, locks between processes, room on the disk, removal.

ANYMASK_HOME (or the user's cache folder)
├── models/NAME@VERSION/     complete model folders, moved here whole
├── downloads/               checkpoints on their way, kept when a pull is interrupted
├── compiled/SHA256/         what the runtimes compiled for a model
└── locks/NAME.lock          held while a process pulls, imports or removes NAME
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from anymask.core.errors import AnymaskError, ModelError, OutputError
from anymask.models.folder import ModelFolder, try_open

_TEMPORARY = ".tmp-"  # a leading dot: never taken for a model


def format_bytes(count: int) -> str:
    """A length for people, in decimal units: '375 MB'."""
    if count < 1000:
        return f"{count} bytes"
    size = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        if size < 999.5:
            return f"{size:.3g} {unit}"
    return f"{size:.0f} TB"


def folder_bytes(path: Path) -> int:
    """Length of all files below a folder, 0 if there is none. Files that vanish meanwhile do not count."""
    total = 0
    for file in path.rglob("*"):
        with contextlib.suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def cannot_write(path: Path, error: OSError) -> OutputError:
    """The one sentence for a cache that cannot be written, with the way out."""
    why = error.strerror or str(error)
    return OutputError(f"Cannot write {path}: {why}; permit it, or set ANYMASK_HOME to another folder.")


@dataclass(frozen=True)
class ModelCache:
    """The cache at `root`. Nothing is created before it is needed.

    Methods that write raise OutputError with the path and the way out.
    """

    root: Path

    @classmethod
    def default(cls) -> ModelCache:
        """The cache at ANYMASK_HOME, or in the user's cache folder."""
        if home := os.environ.get("ANYMASK_HOME"):
            return cls(Path(home).expanduser().absolute())
        import platformdirs

        return cls(Path(platformdirs.user_cache_dir("anymask", appauthor=False)))

    @property
    def models(self) -> Path:
        """Folder of the complete models."""
        return self.root / "models"

    @property
    def downloads(self) -> Path:
        """Folder of checkpoints that are being pulled."""
        return self.root / "downloads"

    def compiled(self, sha256: str) -> Path:
        """Folder where runtimes keep what they compiled for the model with these weights (may not exist)."""
        return self.root / "compiled" / sha256[:16]

    def folder(self, name: str, version: str) -> Path:
        """Where the model `name@version` belongs (may not exist)."""
        return self.models / f"{name}@{version}"

    def installed(self) -> list[ModelFolder]:
        """The models in the cache, sorted by name and version; visibly damaged ones are left out."""
        folders = (try_open(self.folder(name, version)) for name, version in self.names())
        return [folder for folder in folders if folder is not None]

    def damaged(self) -> list[Path]:
        """Folders of models whose manifest is wrong or whose files are visibly not complete."""
        folders = (self.folder(name, version) for name, version in self.names())
        return [folder for folder in folders if try_open(folder) is None]

    def names(self) -> list[tuple[str, str]]:
        """(name, version) of every model in the cache, intact or not, sorted.

        A cache that cannot be read is like an empty one: the model in the box must work all the same.
        """
        pairs: list[tuple[str, str, str]] = []
        with contextlib.suppress(OSError):
            pairs += [path.name.rpartition("@") for path in self.models.iterdir() if path.is_dir()]
        return sorted((name, version) for name, _, version in pairs if name and not name.startswith("."))

    @contextlib.contextmanager
    def lock(self, name: str, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the lock of a model's name against all other processes and threads.

        The operating system frees the lock of a process that dies, so nobody waits for the dead.
        `on_wait` is called once if somebody else holds it now.
        """
        from filelock import FileLock, Timeout

        path = self.make(self.root / "locks") / f"{name}.lock"
        held = FileLock(path, thread_local=False)
        try:
            try:
                held.acquire(timeout=0)
            except Timeout:
                if on_wait is not None:
                    on_wait()
                held.acquire()
        except OSError as error:
            raise cannot_write(path, error) from error
        try:
            yield
        finally:
            held.release()

    def make(self, folder: Path) -> Path:
        """Create a folder of the cache, if need be, and return it."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(folder, error) from error
        return folder

    @contextlib.contextmanager
    def new_model(self, name: str, version: str) -> Iterator[Path]:
        """An empty folder to fill; on success it becomes `name@version` in one step, else it vanishes.

        Call with the lock of `name` held. What a killed process left behind for this name is cleared first.
        An existing `name@version` is replaced.
        """
        target = self.folder(name, version)
        prefix = f"{_TEMPORARY}{target.name}-"
        self.make(self.models)
        for leftover in self.models.glob(f"{prefix}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            temporary = Path(tempfile.mkdtemp(dir=self.models, prefix=prefix))
        except OSError as error:
            raise cannot_write(self.models, error) from error
        try:
            yield temporary
            temporary.chmod(0o755)
            self._discard(target)
            temporary.replace(target)
        except OutputError:
            raise
        except OSError as error:
            raise cannot_write(target, error) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def remove(self, name: str, version: str) -> int:
        """Remove a model, intact or not, and what was compiled for it; return the bytes freed.

        Call with the lock of its name held. Raises ModelError if the cache has no such model.
        """
        path = self.folder(name, version)
        if not path.is_dir():
            raise ModelError(f"There is no model {name}@{version} in {self.models}.")
        doomed = [path]
        with contextlib.suppress(AnymaskError):
            doomed.append(self.compiled(ModelFolder.open(path).sha256))
        freed = sum(folder_bytes(folder) for folder in doomed)
        try:
            for folder in doomed:
                self._discard(folder)
        except OSError as error:
            raise OutputError(f"Cannot remove {path}: {error.strerror}.") from error
        return freed

    def _discard(self, folder: Path) -> None:
        # Renamed first: no reader ever sees a model with half of its files.
        if folder.exists():
            doomed = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{_TEMPORARY}{folder.name}-"))
            folder.replace(doomed / folder.name)
            shutil.rmtree(doomed)

    def require_space(self, needed: int, purpose: str) -> None:
        """Raise OutputError if fewer than `needed` bytes are free where the cache is (or will be)."""
        place = self.root
        try:
            while not place.exists() and place != place.parent:
                place = place.parent
            free = shutil.disk_usage(place).free
        except OSError as error:
            raise cannot_write(self.root, error) from error
        if free < needed:
            raise OutputError(
                f"{purpose} needs {format_bytes(needed)}, {format_bytes(free)} are free in {self.root}; "
                "free some or set ANYMASK_HOME to a folder on a larger disk."
            )
