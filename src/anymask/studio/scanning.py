"""Looking through the workspace's folder for pictures that the store does not know yet."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import PurePosixPath

from anymask.core.errors import AnymaskError
from anymask.server.problems import Problem
from anymask.store import NewImage, Project, Store
from anymask.studio.config import StudioConfig
from anymask.studio.headers import read_header
from anymask.studio.workspace import Workspace

_BATCH = 64
_BROKEN = 200


@dataclass(frozen=True)
class Broken:
    """A file that was passed by. reason: one line."""

    path: str
    reason: str


@dataclass(frozen=True)
class Scan:
    """What a look through a project's folder has found so far.

    found: files that end like pictures. added: new in the project. broken: the first of those that are none.
    """

    is_running: bool = False
    found: int = 0
    added: int = 0
    broken: tuple[Broken, ...] = ()
    broken_count: int = 0


@dataclass
class _Run:
    scan: Scan = field(default_factory=lambda: Scan(is_running=True))
    done: threading.Event = field(default_factory=threading.Event)


class Scanner:
    """At most one look per project at a time, each in a thread of its own. For any thread."""

    def __init__(self, store: Store, workspace: Workspace, config: StudioConfig) -> None:
        self._store, self._workspace, self._config = store, workspace, config
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def start(self, project: Project) -> Scan:
        """Begin to look through a project's folder, unless that is under way."""
        with self._lock:
            run = self._runs.get(project.id)
            if run is None or run.done.is_set():
                run = self._runs[project.id] = _Run()
                threading.Thread(
                    target=self._look, args=(project, run), name="anymask-scan", daemon=True
                ).start()
            return run.scan

    def state(self, project: Project) -> Scan:
        """What the last look has found."""
        run = self._runs.get(project.id)
        return Scan() if run is None else run.scan

    def wait(self, project: Project, seconds: float) -> Scan:
        """The same once it has ended, or after some time."""
        run = self._runs.get(project.id)
        if run is None:
            return Scan()
        run.done.wait(seconds)
        return run.scan

    def close(self) -> None:
        """End all looks soon."""
        self._stop.set()

    def _look(self, project: Project, run: _Run) -> None:
        try:
            self._add_new(project, run)
        except AnymaskError as error:
            run.scan = _with_broken(run.scan, Broken(project.root or ".", str(error)))
        finally:
            run.scan = replace(run.scan, is_running=False)
            run.done.set()

    def _add_new(self, project: Project, run: _Run) -> None:
        if project.root is None:  # uploads alone
            return
        known = self._store.images.paths(project.id)
        room = self._config.workspace_images - len(known)
        paths = iter(self._workspace.pictures(project.root))
        while batch := list(islice(paths, _BATCH)):
            if self._stop.is_set():
                return
            new = [path for path in batch if path not in known][:room]
            images = list(self._read(new, run))
            added = self._store.images.add(project.id, images)
            self._store.tasks.create_for([image.id for image in added])
            room -= len(images)
            run.scan = replace(
                run.scan, found=run.scan.found + len(batch), added=run.scan.added + len(images)
            )

    def _read(self, paths: list[str], run: _Run) -> Iterator[NewImage]:
        for path in paths:
            try:
                yield new_image(self._workspace, path, self._config.max_pixels)
            except (Problem, OSError, UnicodeError) as error:
                reason = error.detail if isinstance(error, Problem) else "the file cannot be read"
                run.scan = _with_broken(run.scan, Broken(_shown(path), reason))


def new_image(workspace: Workspace, path: str, max_pixels: int, name: str = "") -> NewImage:
    """The row of a file of the workspace.

    name: what people call it; the file's own name unless given. Raises Problem (404, 413, 415, 422), OSError,
    UnicodeError for a name that is not UTF-8.
    """
    path.encode("utf-8")
    with workspace.file(path).open("rb") as file:
        header = read_header(file, max_pixels)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.seek(0, 2)
    return NewImage(
        id=uuid.uuid4().hex,
        sha256=sha256,
        path=path,
        name=name or PurePosixPath(path).name,
        width=header.width,
        height=header.height,
        bytes=size,
    )


def _with_broken(scan: Scan, broken: Broken) -> Scan:
    kept = (*scan.broken, broken) if len(scan.broken) < _BROKEN else scan.broken
    return replace(scan, broken=kept, broken_count=scan.broken_count + 1)


def _shown(path: str) -> str:
    """A name that can be sent, whatever bytes it is made of."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")
