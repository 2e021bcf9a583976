"""The masks of a project, or of one of its snapshots, as a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from anymask.core.errors import InputError
from anymask.core.record import MaskRecord
from anymask.formats import Contents
from anymask.server.files import MaskFile, write_masks
from anymask.store import Image, Mask, NotFound, Store
from anymask.studio.exchange.naming import export_names
from anymask.studio.exchange.schemas import StudioExport


def export(store: Store, project_id: str, asked: StudioExport) -> MaskFile:
    """The file that was asked for; for a thread.

    Raises FormatError for an unknown format or masks that do not fit it, InputError if there is nothing to
    write, NotFound for a snapshot of another project.
    """
    chosen = _chosen(store, project_id, asked)
    contents = [one for one in chosen if one.records or asked.empty]
    if not contents:
        raise InputError(
            "there are no masks to export in these images; ask for others, or for empty ones, too"
        )
    return write_masks(contents, asked.format)


def _chosen(store: Store, project_id: str, asked: StudioExport) -> Iterator[Contents]:
    if asked.snapshot is not None:
        yield from _frozen(store, project_id, asked)
        return
    labels = {label.id: label.name for label in store.labels.list(project_id)}
    heads = store.masks.heads_of_project(project_id)
    images = store.images.all(project_id)
    names = export_names(images)
    for image in images:
        if _is_wanted(image, asked):
            yield contents_of(image, heads.get(image.id, []), names[image.path], labels)


def contents_of(image: Image, masks: Iterable[Mask], name: str, labels: Mapping[str, str]) -> Contents:
    """An image and its masks, the lowest first, as `formats` takes them. labels: names by id."""
    records = tuple(record_of(mask, labels) for mask in masks)
    return Contents(records, (image.height, image.width), name, image.sha256)


def record_of(mask: Mask, labels: Mapping[str, str]) -> MaskRecord:
    """A mask as a record; its id is the object's, which stays when the mask is corrected."""
    record = mask.to_record(None if mask.label_id is None else labels.get(mask.label_id))
    made = {
        "mask": mask.id,
        "source": mask.source,
        "created": mask.created,
        "author": mask.author_id,
        "model_sha256": mask.model_sha256,
        "seconds": mask.seconds,
    }
    return replace(record, id=mask.object_id, provenance={k: v for k, v in made.items() if v is not None})


def _is_wanted(image: Image, asked: StudioExport) -> bool:
    return (asked.images is None or image.id in asked.images) and (
        asked.states is None or image.state in asked.states
    )


def _frozen(store: Store, project_id: str, asked: StudioExport) -> Iterator[Contents]:
    """What a snapshot holds, with the labels' names of that day."""
    assert asked.snapshot is not None
    if store.snapshots.get(asked.snapshot).project_id != project_id:
        raise NotFound("there is no such snapshot here")
    frozen = store.snapshots.records(asked.snapshot)
    names = export_names([one.image for one in frozen])
    for one in frozen:
        if _is_wanted(one.image, asked):
            yield contents_of(one.image, one.masks, names[one.image.path], one.labels)
