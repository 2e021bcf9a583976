"""Masks: append-only chains, one for each object; see the package's documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.exc import IntegrityError

from anymask.core.errors import InputError
from anymask.core.rle import Rle
from anymask.store import checks, rows, states
from anymask.store.chains import heads_of, insert_rows, mask_of
from anymask.store.errors import Conflict, NotFound
from anymask.store.images import image_of
from anymask.store.part import Part
from anymask.store.schema import SOURCES, images, labels, masks
from anymask.store.values import Image, Mask, NewMask


class Masks(Part):
    """`store.masks`."""

    def save(self, new: NewMask) -> Mask:
        """Append a mask; as `save_many` of one."""
        return self.save_many([new])[0]

    def save_many(self, new: Iterable[NewMask]) -> list[Mask]:
        """Append masks, all of them or none; when this returns they are on disk.

        A row whose id is known already with the same content is left as it is, so that a client may send
        again what it does not know to have arrived. A parent may stand before its successor in `new`.

        Returns the rows in the order given.
        Raises Conflict, with the present head, if a parent is not the head of its object, the object has
        begun already, or the id is taken by another mask; NotFound for an unknown image or label; InputError
        for a mask that is not of the image's size, and for other values that cannot be.
        """
        given = list(new)
        for mask in given:
            _check(mask)
        contents = _contents(given)
        try:
            with self._database.writing() as connection:
                return self._append(connection, given, contents)
        except IntegrityError as error:
            # An unknown author, or the same id on another image at the same moment.
            with self._database.reading() as connection:
                raise _lost(connection, given, error) from error

    def get(self, id: str) -> Mask:
        """Raises NotFound."""
        with self._database.reading() as connection:
            return mask_of(rows.get(connection, masks, id, "mask"))

    def heads(self, image_id: str, *, deleted: bool = False) -> list[Mask]:
        """Present masks of an image's objects, lowest first. deleted: those of deleted objects too.

        Raises NotFound.
        """
        with self._database.reading() as connection:
            rows.get(connection, images, image_id, "image")
            return heads_of(connection, masks.c.image_id == image_id, deleted=deleted)

    def heads_of_project(self, project_id: str) -> dict[str, list[Mask]]:
        """Present masks of a whole project, by image id; images without any are left out."""
        found: dict[str, list[Mask]] = {}
        of_project = masks.c.image_id.in_(select(images.c.id).where(images.c.project_id == project_id))
        with self._database.reading() as connection:
            for mask in heads_of(connection, of_project):
                found.setdefault(mask.image_id, []).append(mask)
        return found

    def history(self, object_id: str) -> list[Mask]:
        """All masks of an object, the first one first. Raises NotFound."""
        with self._database.reading() as connection:
            query = select(masks).where(masks.c.object_id == object_id)
            found = [mask_of(row) for row in connection.execute(query).mappings()]
        if not found:
            raise NotFound(f"there is no object of the id {object_id!r}")
        return _in_order(found)

    def _append(
        self, connection: Connection, given: Sequence[NewMask], contents: Sequence[dict[str, Any]]
    ) -> list[Mask]:
        # Who saves on the same image waits here, and then finds what the other has saved.
        rows.lock(connection, images, (mask.image_id for mask in given))
        _check_references(connection, given, _images_of(connection, given))
        known = _known(connection, [mask.id for mask in given])
        fresh: dict[str, dict[str, Any]] = {}
        now = self._database.now()
        for mask, content in zip(given, contents, strict=True):
            if mask.id in known or mask.id in fresh:
                _check_same(content, known.get(mask.id) or fresh[mask.id])
            else:
                fresh[mask.id] = {**content, "created": now}
        _check_parents(connection, fresh)
        insert_rows(connection, list(fresh.values()))
        states.refresh(connection, [row["image_id"] for row in fresh.values()], now)
        saved = _known(connection, [mask.id for mask in given])
        return [mask_of(saved[mask.id]) for mask in given]


def _check(mask: NewMask) -> None:
    for name in ("id", "image_id", "object_id"):
        checks.check_id(getattr(mask, name), name)
    for name in ("parent_id", "author_id", "label_id"):
        if getattr(mask, name) is not None:
            checks.check_id(getattr(mask, name), name)
    if not isinstance(mask.rle, Rle):
        raise InputError(f"rle is {checks.brief(mask.rle)}; expected an Rle (see anymask.core.rle)")
    checks.check_number(mask.score, "score")
    checks.check_number(mask.stability, "stability")
    if mask.seconds is None:
        raise InputError("seconds is None; expected the time spent, 0 if it is unknown")
    checks.check_number(mask.seconds, "seconds", 0)
    checks.check_whole(mask.position, "position", -(2**31))
    checks.check_one_of(mask.source, SOURCES, "source")
    if mask.model_sha256 is not None:
        checks.check_sha256(mask.model_sha256, "model_sha256")
    for name in ("deleted", "locked"):
        if not isinstance(getattr(mask, name), bool):
            raise InputError(f"{name} is {checks.brief(getattr(mask, name))}; expected true or false")


def _contents(given: Sequence[NewMask]) -> list[dict[str, Any]]:
    """Rows without the time, areas and boxes worked out."""
    from pycocotools import mask as coco_mask

    if not given:
        return []
    boxes = coco_mask.toBbox([mask.rle.to_coco() for mask in given])
    return [_content(mask, [int(number) for number in box]) for mask, box in zip(given, boxes, strict=True)]


def _content(mask: NewMask, box: Sequence[int]) -> dict[str, Any]:
    plain = {name: value for name, value in vars(mask).items() if name != "rle"}
    height, width = mask.rle.size_hw
    return {
        **plain,
        "attributes": checks.plain_json(mask.attributes, "attributes"),
        "prompts": checks.plain_json(list(mask.prompts), "prompts"),
        "seconds": float(mask.seconds),
        "counts": mask.rle.counts,
        "height": height,
        "width": width,
        "bbox_x": box[0],
        "bbox_y": box[1],
        "bbox_width": box[2],
        "bbox_height": box[3],
        "area": mask.rle.area,
    }


def _images_of(connection: Connection, given: Sequence[NewMask]) -> dict[str, Image]:
    return {id: image_of(connection, id) for id in dict.fromkeys(mask.image_id for mask in given)}


def _check_references(connection: Connection, given: Sequence[NewMask], of_id: Mapping[str, Image]) -> None:
    used = {mask.label_id for mask in given if mask.label_id is not None}
    projects: dict[str, str] = {}
    for part in rows.in_parts(used):
        query = select(labels.c.id, labels.c.project_id).where(labels.c.id.in_(part))
        projects.update((id, project_id) for id, project_id in connection.execute(query))
    for mask in given:
        image = of_id[mask.image_id]
        if mask.rle.size_hw != image.image_hw:
            raise InputError(
                f"the mask is of {mask.rle.size_hw[0]} x {mask.rle.size_hw[1]} pixels, the image of "
                f"{image.height} x {image.width}; send the mask of the whole image"
            )
        if mask.label_id is not None and projects.get(mask.label_id) != image.project_id:
            raise NotFound(f"the project has no label of the id {mask.label_id!r}")


def _known(connection: Connection, ids: Iterable[str]) -> dict[str, RowMapping]:
    found: dict[str, RowMapping] = {}
    for part in rows.in_parts(ids):
        query = select(masks).where(masks.c.id.in_(part))
        found.update((row["id"], row) for row in connection.execute(query).mappings())
    return found


def _check_same(content: Mapping[str, Any], known: RowMapping | dict[str, Any]) -> None:
    """The author is left out: the server sets it, and who sends again may have logged in as another."""
    if any(known[name] != value for name, value in content.items() if name != "author_id"):
        raise Conflict(f"the id {content['id']!r} belongs to another mask; make a fresh one")


def _check_parents(connection: Connection, fresh: Mapping[str, dict[str, Any]]) -> None:
    """Every row continues the present head of its own object, or begins an object."""
    heads = _heads_by_object(connection, {row["object_id"] for row in fresh.values()})
    last = {object_id: (head.id, head.image_id) for object_id, head in heads.items()}
    for row in fresh.values():
        head_id, image_id = last.get(row["object_id"], (None, row["image_id"]))
        if row["parent_id"] != head_id or row["image_id"] != image_id:
            raise _conflict(heads.get(row["object_id"]))
        last[row["object_id"]] = (row["id"], image_id)


def _heads_by_object(connection: Connection, object_ids: Iterable[str]) -> dict[str, Mask]:
    found: dict[str, Mask] = {}
    for part in rows.in_parts(object_ids):
        heads = heads_of(connection, masks.c.object_id.in_(part), deleted=True)
        found.update((head.object_id, head) for head in heads)
    return found


def _conflict(head: Mask | None) -> Conflict:
    if head is None:
        return Conflict("the mask this one was made from is not known; load the image again")
    return Conflict("the object was changed meanwhile; take the present mask or save on top of it", head)


def _lost(connection: Connection, given: Sequence[NewMask], error: IntegrityError) -> Exception:
    """What to raise when a constraint refused the rows: the first object that somebody else changed."""
    heads = _heads_by_object(connection, {mask.object_id for mask in given})
    ours = {mask.id for mask in given}
    for mask in given:
        head = heads.get(mask.object_id)
        if head is not None and head.id not in ours and head.id != mask.parent_id:
            return _conflict(head)
    if any(mask.author_id is not None for mask in given):
        return NotFound(f"the author is not known: {error.orig}".splitlines()[0])
    return Conflict("the masks were saved by another request at the same time; send them again")


def _in_order(found: Sequence[Mask]) -> list[Mask]:
    after = {mask.parent_id: mask for mask in found}
    ordered: list[Mask] = []
    mask = after.get(None)
    while mask is not None:
        ordered.append(mask)
        mask = after.get(mask.id)
    return ordered
