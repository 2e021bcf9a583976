"""What export and import requests hold and their answers give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from anymask.server.schemas import Answer, FormatName, Request
from anymask.studio.prompting.schemas import Id

State = Literal["new", "in_progress", "done", "accepted", "rejected"]


def _finished() -> list[State]:
    return ["done", "accepted"]


class StudioExport(Request):
    """Masks to be written as a file; of all images unless `images`, `states` or `snapshot` says which.

    snapshot: the masks as they were frozen. empty: also the images without masks.
    """

    format: FormatName
    images: Annotated[list[Id], Field(min_length=1, max_length=100_000)] | None = None
    states: Annotated[list[State], Field(min_length=1, max_length=5)] | None = None
    snapshot: Id | None = None
    empty: bool = False


class StudioImportAnswer(Answer):
    """What became of a file.

    images, masks: how many got masks, and how many masks that is. known: masks that were there already.
    labels: names that were made. unmatched: names of images that are not in the project. wrong_size: names of
    images that have another size here. left_out: what the file holds beside masks, counted, in words.
    """

    images: int
    masks: int
    known: int
    labels: list[str]
    unmatched: list[str]
    wrong_size: list[str]
    left_out: list[str]


class NewSnapshot(Request):
    """A frozen version of the data set: the present masks of the images in these states."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    states: Annotated[list[State], Field(min_length=1, max_length=5)] = Field(default_factory=_finished)
    id: Id | None = None


class SnapshotAnswer(Answer):
    """A frozen version. sha256: of its content. images, masks: how many."""

    id: str
    project_id: str
    name: str
    sha256: str
    created: str
    author_id: str | None
    images: int
    masks: int


class SnapshotDetail(SnapshotAnswer):
    """is_whole: whether the masks still give the checksum."""

    is_whole: bool


class SnapshotsAnswer(Answer):
    """Snapshots, the oldest first."""

    items: list[SnapshotAnswer]
    next: None = None
