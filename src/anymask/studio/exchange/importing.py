"""The masks of a file as new rows of a project."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from anymask.core.errors import InputError
from anymask.core.record import MaskRecord
from anymask.formats import Contents
from anymask.formats.losses import merged
from anymask.store import Image, Label, NewMask, Store
from anymask.studio.exchange.naming import Finder

_MOST_ATTRIBUTES = 100
_LONGEST = 2000


@dataclass
class Imported:
    """What became of a file: see `StudioImportAnswer`."""

    images: int = 0
    masks: int = 0
    known: int = 0
    labels: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    wrong_size: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    """Ids of the images that got masks."""


class Importer:
    """Takes masks into one project; for a thread.

    author_id: whose masks they become.
    """

    def __init__(self, store: Store, project_id: str, author_id: str | None) -> None:
        self._store, self._project_id, self._author_id = store, project_id, author_id
        self._labels: dict[str, Label] = {label.name: label for label in store.labels.list(project_id)}

    def take(self, contents: Iterable[Contents], image: Image | None = None) -> Imported:
        """Save the masks of every image that the project has. image: the one that a file without names is
        about.

        Masks that are there already, pixel for pixel and with the same label, are not saved again. Raises
        InputError if `image` is given and the file is about several.
        """
        listed = list(contents)
        if image is not None and len(listed) != 1:
            raise InputError(
                f"the file is about {len(listed)} images; leave the image out, names say which it is"
            )
        finder = Finder(self._store.images.all(self._project_id))
        done = Imported(
            left_out=[str(loss) for loss in merged(loss for one in listed for loss in one.left_out)]
        )
        for one in listed:
            found = image or finder.find(one.image_name)
            if found is None:
                done.unmatched.append(one.image_name)
            elif one.image_hw != (found.height, found.width):
                done.wrong_size.append(one.image_name)
            else:
                self._save(found, one.records, done)
        return done

    def _save(self, image: Image, records: Iterable[MaskRecord], done: Imported) -> None:
        there = self._store.masks.heads(image.id)
        known = {(mask.counts, mask.label_id) for mask in there}
        top = max((mask.position for mask in there), default=-1) + 1
        rows: list[NewMask] = []
        for record in records:
            row = self._row(image, record, top + len(rows), done)
            if (row.rle.counts, row.label_id) in known:
                done.known += 1
            elif record.area:
                known.add((row.rle.counts, row.label_id))
                rows.append(row)
        if rows:
            self._store.masks.save_many(rows)
            done.images += 1
            done.masks += len(rows)
            done.touched.append(image.id)

    def _row(self, image: Image, record: MaskRecord, position: int, done: Imported) -> NewMask:
        model = record.provenance.get("model_sha256")
        return NewMask(
            id=uuid4().hex,
            image_id=image.id,
            object_id=uuid4().hex,
            rle=record.rle,
            author_id=self._author_id,
            score=record.score,
            stability=record.stability,
            label_id=None if not record.label else self._label(record.label, done).id,
            attributes=plain_attributes(record.attributes),
            position=position,
            source="import",
            model_sha256=model if isinstance(model, str) and len(model) == 64 else None,
        )

    def _label(self, name: str, done: Imported) -> Label:
        name = name[:200]
        if name not in self._labels:
            self._labels[name] = self._store.labels.create(self._project_id, name)
            done.labels.append(name)
        return self._labels[name]


def plain_attributes(attributes: Mapping[str, Any]) -> dict[str, str | float | bool]:
    """Attributes as the studio has them: text, numbers and switches; anything deeper as JSON text."""
    plain: dict[str, str | float | bool] = {}
    for name, value in list(attributes.items())[:_MOST_ATTRIBUTES]:
        if isinstance(value, (bool, int, float)):
            plain[name[:100]] = value
        elif value is not None:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            plain[name[:100]] = text[:_LONGEST]
    return plain
