"""Images: what is known of the pictures; their pixels stay where they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, literal_column, select, update
from sqlalchemy.sql import ColumnElement

from anymask.core.errors import InputError
from anymask.store import checks, cursors, rows
from anymask.store.errors import Conflict
from anymask.store.insertion import insert_missing
from anymask.store.part import Part
from anymask.store.projects import KEEP
from anymask.store.schema import (
    IMAGE_STATES,
    images,
    masks,
    projects,
    prompts,
    reviews,
    snapshot_images,
    snapshot_masks,
    tasks,
    users,
)
from anymask.store.states import is_head
from anymask.store.values import GalleryImage, Image, NewImage, Page

ORDERS: dict[str, ColumnElement[Any]] = {
    "name": images.c.name,
    "path": images.c.path,
    "added": images.c.added,
    "updated": images.c.updated,
    "masks": images.c.masks,
}
"""What a gallery may be sorted by; with a minus in front the other way round."""
MOST_PER_PAGE = 1000
_SIZE = 1_000_000


class Images(Part):
    """`store.images`."""

    def add(self, project_id: str, new: Iterable[NewImage]) -> list[Image]:
        """Add images; those whose path the project has already stay as they are.

        Returns them all, in the order given.
        Raises NotFound (project), Conflict (an id that another image has), InputError.
        """
        given = list(new)
        for image in given:
            _check(image)
        now = self._database.now()
        with self._database.writing() as connection:
            rows.get(connection, projects, project_id, "project")
            values = [_row(image, project_id, now) for image in given]
            insert_missing(connection, images, values)
            found = _by_path(connection, project_id, [image.path for image in given])
            if len(found) < len(given):
                raise Conflict("an image's id is taken by another image; give it a fresh one")
            return found

    def get(self, id: str) -> Image:
        """Raises NotFound."""
        with self._database.reading() as connection:
            return rows.value(Image, rows.get(connection, images, id, "image"))

    def of_path(self, project_id: str, path: str) -> Image | None:
        """The project's image of this path, if there is one."""
        with self._database.reading() as connection:
            found = _by_path(connection, project_id, [path])
            return found[0] if found else None

    def paths(self, project_id: str) -> set[str]:
        """Paths of all images of a project, to know what is new in a folder."""
        with self._database.reading() as connection:
            query = select(images.c.path).where(images.c.project_id == project_id)
            return set(connection.execute(query).scalars())

    def page(
        self,
        project_id: str,
        *,
        search: str = "",
        state: str | None = None,
        label: str | None = None,
        order: str = "name",
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[GalleryImage]:
        """A page of a project's gallery.

        search: part of the path, upper and lower case alike. label: the id of one that some object has.
        order: one of `ORDERS`, with "-" in front the other way round. limit: 1 to 1000.

        Raises InputError for another state, order, cursor or limit.
        """
        column, descending = _order(order)
        checks.check_whole(limit, "limit", 1, MOST_PER_PAGE)
        query = _filtered(select(images).where(images.c.project_id == project_id), search, state, label)
        if cursor is not None:
            value, id = cursors.read_cursor(cursor, order)
            if isinstance(value, int) is not (column is images.c.masks):
                raise InputError("that is no cursor; give the 'next' of the page before, or none")
            query = query.where(cursors.after(column, images.c.id, value, id, descending=descending))
        query = query.order_by(column.desc() if descending else column, images.c.id).limit(limit + 1)
        with self._database.reading() as connection:
            found = [rows.value(Image, row) for row in connection.execute(query).mappings()]
            shown = found[:limit]
            labels = _labels(connection, [image.id for image in shown])
            assignees = self._assignees(connection, [image.id for image in shown])
        items = [
            GalleryImage(image, tuple(labels.get(image.id, ())), assignees.get(image.id)) for image in shown
        ]
        if len(found) <= limit:
            return Page(tuple(items))
        last = shown[-1]
        return Page(tuple(items), cursors.cursor_of(order, getattr(last, column.key or ""), last.id))

    def all(self, project_id: str) -> list[Image]:
        """All images of a project, by path."""
        with self._database.reading() as connection:
            query = select(images).where(images.c.project_id == project_id).order_by(images.c.path)
            return [rows.value(Image, row) for row in connection.execute(query).mappings()]

    def update(
        self,
        id: str,
        *,
        gold: bool = KEEP,
        split: str | None = KEEP,
        group_key: str | None = KEEP,
        frame: int | None = KEEP,
    ) -> Image:
        """Change what is given. Raises NotFound, InputError."""
        given = {"gold": gold, "split": split, "group_key": group_key, "frame": frame}
        changed = {name: value for name, value in given.items() if value is not KEEP}
        _check_facts(changed)
        with self._database.writing() as connection:
            rows.get(connection, images, id, "image")
            if changed:
                connection.execute(update(images).where(images.c.id == id).values(**changed))
            return rows.value(Image, rows.get(connection, images, id, "image"))

    def purge(self, id: str) -> Image:
        """Remove an image and all that was ever known of it, from snapshots too; its file stays.

        The only way to remove anything: for pictures that must not be kept. Returns what was removed.
        A snapshot that held it no longer verifies. Raises NotFound.
        """
        with self._database.writing() as connection:
            # In the order in which finished labelling takes them.
            of_kinds = select(tasks.c.id).where(tasks.c.image_id == id).order_by(tasks.c.kind)
            connection.execute(of_kinds.with_for_update())
            rows.lock(connection, images, [id], removing=True)
            image = rows.value(Image, rows.get(connection, images, id, "image"))
            of_image = select(masks.c.id).where(masks.c.image_id == id)
            connection.execute(delete(reviews).where(reviews.c.mask_id.in_(of_image)))
            for table in (snapshot_masks, snapshot_images, prompts, tasks):
                connection.execute(delete(table).where(table.c.image_id == id))
            _delete_masks(connection, id)
            connection.execute(delete(images).where(images.c.id == id))
            return image

    def _assignees(self, connection: Connection, ids: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in rows.in_parts(ids):
            query = (
                select(tasks.c.image_id, users.c.name)
                .join(users, users.c.id == tasks.c.assignee_id)
                .where(tasks.c.image_id.in_(part), tasks.c.lease_until > self._database.now())
                .order_by(tasks.c.kind.desc())
            )
            found.update((image_id, name) for image_id, name in connection.execute(query))
        return found


def image_of(connection: Connection, id: str) -> Image:
    """Inside another part's transaction. Raises NotFound."""
    return rows.value(Image, rows.get(connection, images, id, "image"))


def _check(image: NewImage) -> None:
    checks.check_id(image.id, "id")
    checks.check_sha256(image.sha256, "sha256")
    checks.check_path(image.path)
    checks.check_text(image.name, "name", 4000)
    checks.check_whole(image.width, "width", 1, _SIZE)
    checks.check_whole(image.height, "height", 1, _SIZE)
    checks.check_whole(image.bytes, "bytes", 0, 2**62)
    _check_facts(
        {"gold": image.gold, "split": image.split, "group_key": image.group_key, "frame": image.frame}
    )


def _check_facts(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if name == "gold" and not isinstance(value, bool):
            raise InputError(f"gold is {checks.brief(value)}; expected true or false")
        if name == "frame" and value is not None:
            checks.check_whole(value, name)
        if name in ("split", "group_key") and value is not None:
            checks.check_text(value, name)


def _row(image: NewImage, project_id: str, now: str) -> dict[str, Any]:
    return {**vars(image), "project_id": project_id, "added": now, "updated": now, "state": "new", "masks": 0}


def _by_path(connection: Connection, project_id: str, paths: Sequence[str]) -> list[Image]:
    found: dict[str, Image] = {}
    for part in rows.in_parts(paths):
        query = select(images).where(images.c.project_id == project_id, images.c.path.in_(part))
        found.update((row["path"], rows.value(Image, row)) for row in connection.execute(query).mappings())
    return [found[path] for path in paths if path in found]


def _order(order: str) -> tuple[ColumnElement[Any], bool]:
    name = order.removeprefix("-")
    if name not in ORDERS:
        raise InputError(f"order is {checks.brief(order)}; expected one of {', '.join(ORDERS)}, or -{name}")
    return ORDERS[name], order.startswith("-")


def _filtered(query: Select[Any], search: str, state: str | None, label: str | None) -> Select[Any]:
    if search:
        checks.check_text(search, "search")
        query = query.where(images.c.path.icontains(search, autoescape=True))
    if state is not None:
        checks.check_one_of(state, IMAGE_STATES, "state")
        query = query.where(images.c.state == state)
    if label is not None:
        checks.check_id(label, "label")
        has_label = (
            select(literal_column("1"))
            .where(
                masks.c.image_id == images.c.id,
                masks.c.label_id == label,
                masks.c.deleted.is_(False),
                is_head(),
            )
            .exists()
        )
        query = query.where(has_label)
    return query


def _labels(connection: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in rows.in_parts(ids):
        query = (
            select(masks.c.image_id, masks.c.label_id)
            .distinct()
            .where(
                masks.c.image_id.in_(part),
                masks.c.label_id.is_not(None),
                masks.c.deleted.is_(False),
                is_head(),
            )
            .order_by(masks.c.image_id, masks.c.label_id)
        )
        for image_id, label_id in connection.execute(query):
            found.setdefault(image_id, []).append(label_id)
    return found


def _delete_masks(connection: Connection, image_id: str) -> None:
    """Newest first: a mask is referred to by its successor."""
    while True:
        heads = select(masks.c.id).where(masks.c.image_id == image_id, is_head())
        removed = connection.execute(delete(masks).where(masks.c.id.in_(heads)))
        if removed.rowcount == 0:
            return
