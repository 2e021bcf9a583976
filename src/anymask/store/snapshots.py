"""Snapshots: frozen versions of a project's data, named by a hash of their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, insert, literal, select, update

from anymask.store import checks, rows
from anymask.store.chains import mask_of
from anymask.store.errors import Conflict
from anymask.store.part import Part
from anymask.store.schema import (
    FINISHED,
    IMAGE_STATES,
    images,
    labels,
    masks,
    projects,
    snapshot_images,
    snapshot_masks,
    snapshots,
)
from anymask.store.states import is_head
from anymask.store.values import FrozenImage, Image, Snapshot

_NO_HASH = "0" * 64


class Snapshots(Part):
    """`store.snapshots`."""

    def freeze(
        self,
        project_id: str,
        name: str,
        author_id: str | None = None,
        *,
        states: Collection[str] = FINISHED,
        id: str | None = None,
    ) -> Snapshot:
        """Freeze the present masks of a project's images in these states, with their labels' names.

        Images without masks are part of it, too. Raises NotFound (project), Conflict (the name is taken),
        InputError.
        """
        checks.check_text(name, "name", 200)
        for state in states:
            checks.check_one_of(state, IMAGE_STATES, "state")
        id = id or checks.new_id()
        checks.check_id(id, "id")
        with self._database.writing() as connection:
            rows.lock(connection, projects, [project_id])
            rows.get(connection, projects, project_id, "project")
            _check_name(connection, project_id, name)
            row = {"id": id, "project_id": project_id, "name": name, "author_id": author_id}
            unknown = {"sha256": _NO_HASH, "images": 0, "masks": 0, "created": self._database.now()}
            connection.execute(insert(snapshots).values(**row, **unknown))
            _copy(connection, id, project_id, states)
            known = {"sha256": _content_hash(connection, id), **_sizes(connection, id)}
            connection.execute(update(snapshots).where(snapshots.c.id == id).values(**known))
            return _read(connection, id)

    def get(self, id: str) -> Snapshot:
        """Raises NotFound."""
        with self._database.reading() as connection:
            return _read(connection, id)

    def verify(self, id: str) -> bool:
        """Whether its content still has its hash. Raises NotFound."""
        with self._database.reading() as connection:
            return _read(connection, id).sha256 == _content_hash(connection, id)

    def records(self, id: str) -> Sequence[FrozenImage]:
        """What it holds, by path of the image: the same whenever it is asked for. Raises NotFound."""
        with self._database.reading() as connection:
            _read(connection, id)
            of_image = _masks_by_image(connection, id)
            return [
                _frozen(image, of_image.get(image["id"], []))
                for image in connection.execute(_images_of(id)).mappings()
            ]

    def list(self, project_id: str) -> list[Snapshot]:
        """A project's snapshots, oldest first."""
        query = select(snapshots).where(snapshots.c.project_id == project_id)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(snapshots.c.created, snapshots.c.id)).mappings()
            return [rows.value(Snapshot, row) for row in found]


def _check_name(connection: Connection, project_id: str, name: str) -> None:
    taken = select(snapshots.c.id).where(snapshots.c.project_id == project_id, snapshots.c.name == name)
    if connection.execute(taken).first() is not None:
        raise Conflict(f"the project has a snapshot '{name}' already; choose another name")


def _copy(connection: Connection, id: str, project_id: str, states: Collection[str]) -> None:
    """In two statements: what is saved meanwhile is in the snapshot as a whole or not at all."""
    chosen = select(literal(id), images.c.id, images.c.split).where(
        images.c.project_id == project_id, images.c.state.in_(list(states))
    )
    connection.execute(insert(snapshot_images).from_select(["snapshot_id", "image_id", "split"], chosen))
    in_it = select(snapshot_images.c.image_id).where(snapshot_images.c.snapshot_id == id)
    heads = (
        select(literal(id), masks.c.id, masks.c.image_id, labels.c.name)
        .join(labels, labels.c.id == masks.c.label_id, isouter=True)
        .where(masks.c.image_id.in_(in_it), masks.c.deleted.is_(False), is_head())
    )
    columns = ["snapshot_id", "mask_id", "image_id", "label"]
    connection.execute(insert(snapshot_masks).from_select(columns, heads))


def _sizes(connection: Connection, id: str) -> dict[str, int]:
    tables = {"images": snapshot_images, "masks": snapshot_masks}
    return {
        name: connection.execute(
            select(func.count()).select_from(table).where(table.c.snapshot_id == id)
        ).scalar_one()
        for name, table in tables.items()
    }


def _images_of(id: str) -> Select[Any]:
    return (
        select(images, snapshot_images.c.split.label("snapshot_split"))
        .join(snapshot_images, snapshot_images.c.image_id == images.c.id)
        .where(snapshot_images.c.snapshot_id == id)
        .order_by(images.c.path, images.c.id)
    )


def _masks_of(id: str) -> Select[Any]:
    return (
        select(masks, snapshot_masks.c.label, images.c.path)
        .join(snapshot_masks, snapshot_masks.c.mask_id == masks.c.id)
        .join(images, images.c.id == masks.c.image_id)
        .where(snapshot_masks.c.snapshot_id == id)
        .order_by(images.c.path, images.c.id, masks.c.position, masks.c.object_id)
    )


def _masks_by_image(connection: Connection, id: str) -> dict[str, list[RowMapping]]:
    found = connection.execute(_masks_of(id)).mappings()
    return {image_id: list(of_image) for image_id, of_image in groupby(found, lambda row: row["image_id"])}


def _content_hash(connection: Connection, id: str) -> str:
    """SHA-256 of one line of JSON for each image and each mask, in a fixed order."""
    digest = hashlib.sha256()
    for line in _lines(connection, id):
        text = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        digest.update(text.encode() + b"\n")
    return digest.hexdigest()


def _lines(connection: Connection, id: str) -> Iterator[dict[str, Any]]:
    facts = ("path", "sha256", "height", "width")
    for row in connection.execute(_images_of(id)).mappings():
        yield {**{name: row[name] for name in facts}, "split": row["snapshot_split"]}
    # What else is known of a mask never changes while it has this id.
    content = ("path", "id", "object_id", "counts", "height", "width", "label", "attributes")
    for row in connection.execute(_masks_of(id)).mappings():
        yield {name: row[name] for name in content}


def _frozen(image: RowMapping, of_image: Sequence[RowMapping]) -> FrozenImage:
    return FrozenImage(
        rows.value(Image, image),
        image["snapshot_split"],
        tuple(mask_of(row) for row in of_image),
        {row["label_id"]: row["label"] for row in of_image if row["label_id"] is not None},
    )


def _read(connection: Connection, id: str) -> Snapshot:
    return rows.value(Snapshot, rows.get(connection, snapshots, id, "snapshot"))
