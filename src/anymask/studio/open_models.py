"""The models that a studio answers with: those it was started with, and those that projects have switched
to.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

from anymask.core.errors import AnymaskError
from anymask.predict.load import load
from anymask.predict.model import Model
from anymask.server.shelf import Shelf
from anymask.store import Project

log = logging.getLogger("anymask.studio")
_RETRY_SECONDS = 60.0


class OpenModels:
    """For any thread.

    shelf: what the studio was started with; the first one answers where a project says nothing. opener: opens
    a model by its name or path.
    """

    def __init__(self, shelf: Shelf, opener: Callable[[str], Model] = load) -> None:
        self._shelf, self._opener = shelf, opener
        self._opened: dict[str, Model] = {}
        self._failed: dict[str, float] = {}  # until when it is not tried again
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Model]:
        return iter((*self._shelf, *tuple(self._opened.values())))

    def of(self, name: str | None) -> Model | None:
        """The model of a name, a SHA-256, or a path that has been opened; None if it is not here."""
        for model in self._shelf:
            if name in (model.spec.name, model.spec.full_name, model.sha256):
                return model
        return None if name is None else self._opened.get(name)

    def open(self, name: str) -> Model:
        """The model of a name or path, opened if need be. Raises what `anymask.load` does."""
        with self._lock:
            found = self.of(name)
            if found is None:
                found = self._opened[name] = self._opener(name)
            return found

    def of_project(self, project: Project) -> Model:
        """The model that answers in a project: its own where it is open, the default one otherwise."""
        return self.of(project.model) or self._shelf.default

    def open_for(self, project: Project) -> None:
        """Open a project's own model, which another process may have switched to, if it is not here yet.

        If that fails the default one answers, the log says why, and it is tried again a minute later.
        """
        name = project.model
        if name is None or self.of(name) is not None or self._failed.get(name, 0.0) > time.monotonic():
            return
        try:
            self.open(name)
        except AnymaskError as error:
            self._failed[name] = time.monotonic() + _RETRY_SECONDS
            log.warning("project %s: its model is not to be had: %s", project.id, error)
