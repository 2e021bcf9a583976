"""The store: everything a workspace remembers beside the pictures themselves."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from sqlalchemy.engine import URL

from anymask.core.errors import InputError, OutputError
from anymask.store.database import Clock, Database, utc_now
from anymask.store.events import Events
from anymask.store.images import Images
from anymask.store.jobs import Jobs
from anymask.store.labels import Labels
from anymask.store.masks import Masks
from anymask.store.migrate import migrate
from anymask.store.models import Models
from anymask.store.people import People
from anymask.store.projects import Projects
from anymask.store.prompts import Prompts
from anymask.store.reviews import Reviews
from anymask.store.snapshots import Snapshots
from anymask.store.statistics import Statistics
from anymask.store.tasks import Tasks


class Store:
    """Projects, images, labels, masks, ... of a workspace, made by `Store.open`.

    Thread-safe; every method of its parts is one transaction.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.projects = Projects(database)
        self.images = Images(database)
        self.labels = Labels(database)
        self.masks = Masks(database)
        self.prompts = Prompts(database)
        self.tasks = Tasks(database)
        self.people = People(database)
        self.statistics = Statistics(database)
        self.snapshots = Snapshots(database)
        self.reviews = Reviews(database)
        self.models = Models(database)
        self.jobs = Jobs(database)
        self.events = Events(database)

    @classmethod
    def open(cls, place: str | os.PathLike[str], *, clock: Clock = utc_now) -> Store:
        """Open a workspace's store, made or brought up to date if need be.

        place: a workspace's folder (the store is `.anymask/studio.db` inside it), or the URL of a database:
            `sqlite:///FILE`, `postgresql://USER@HOST/NAME`.
        clock: gives the present time, aware.

        Raises InputError for a folder that is not there or an unknown kind of URL, OutputError for a folder
        that cannot be written to, StoreError for a database that does not answer or is of a newer version.
        """
        url = place if isinstance(place, str) and "://" in place else _inside(Path(place))
        database = Database(url, clock)
        try:
            migrate(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Close all connections to the database."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _inside(folder: Path) -> URL:
    if not folder.is_dir():
        raise InputError(f"'{folder}' is not a folder; give a workspace's folder or a database URL")
    own = folder / ".anymask"
    try:
        own.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make '{own}': {error.strerror}; make the folder writable or choose another"
        ) from error
    return URL.create("sqlite", database=str(own / "studio.db"))
