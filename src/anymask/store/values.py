"""What the store gives and takes: frozen values, named as the tables' columns.

Ids are 32 hex digits. Times are UTC text, `2026-01-31T23:59:59.999Z`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from anymask.core.record import MaskRecord
from anymask.core.rle import Rle

T = TypeVar("T")
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list. next: the cursor of the part after it, or None at the end."""

    items: tuple[T, ...]
    next: str | None = None


@dataclass(frozen=True)
class Counts:
    """Of a project: images, those labelled ("done" or further), those reviewed, and live masks."""

    images: int = 0
    labelled: int = 0
    reviewed: int = 0
    masks: int = 0


@dataclass(frozen=True)
class Project:
    """root: the folder of its pictures in the workspace, or None. model: a name, or None for the default."""

    id: str
    name: str
    root: str | None
    model: str | None
    settings: Json
    created: str
    counts: Counts = Counts()


@dataclass(frozen=True)
class NewImage:
    """An image to be added. path: relative to the workspace, `/` between its parts. sha256: of the file."""

    id: str
    sha256: str
    path: str
    name: str
    width: int
    height: int
    bytes: int
    group_key: str | None = None
    frame: int | None = None
    split: str | None = None
    gold: bool = False


@dataclass(frozen=True)
class Image:
    """An image. state: one of `IMAGE_STATES`. masks: how many objects it has."""

    id: str
    project_id: str
    sha256: str
    path: str
    name: str
    width: int
    height: int
    bytes: int
    group_key: str | None
    frame: int | None
    split: str | None
    gold: bool
    added: str
    state: str
    masks: int
    updated: str

    @property
    def image_hw(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.height, self.width


@dataclass(frozen=True)
class GalleryImage:
    """An image as a gallery shows it. labels: ids of its masks' labels. assignee: who is at it, a name."""

    image: Image
    labels: tuple[str, ...]
    assignee: str | None


@dataclass(frozen=True)
class Label:
    """attributes: `{"name", "kind", "choices"}` each. hotkey: a digit or None."""

    id: str
    project_id: str
    name: str
    colour: str
    hotkey: str | None
    attributes: Sequence[Json]
    position: int
    archived: bool


@dataclass(frozen=True)
class NewMask:
    """A row to be appended.

    parent_id: the head it was made from; None for an object's first mask. rle: of the image's size.
    seconds: time spent on it since the parent. position: order of the objects, the highest on top.
    """

    id: str
    image_id: str
    object_id: str
    rle: Rle
    parent_id: str | None = None
    author_id: str | None = None
    score: float | None = None
    stability: float | None = None
    label_id: str | None = None
    attributes: Json = field(default_factory=dict)
    position: int = 0
    deleted: bool = False
    source: str = "click"
    model_sha256: str | None = None
    prompts: Sequence[Json] = ()
    seconds: float = 0.0
    locked: bool = False


@dataclass(frozen=True)
class Mask:
    """A row of an object's chain. counts: COCO compressed RLE. bbox: x, y, width, height, pixels."""

    id: str
    image_id: str
    object_id: str
    parent_id: str | None
    author_id: str | None
    created: str
    counts: str
    height: int
    width: int
    bbox: tuple[int, int, int, int]
    area: int
    score: float | None
    stability: float | None
    label_id: str | None
    attributes: Json
    position: int
    deleted: bool
    source: str
    model_sha256: str | None
    prompts: Sequence[Json]
    seconds: float
    locked: bool

    @property
    def rle(self) -> Rle:
        """The mask; checked when asked for."""
        return Rle((self.height, self.width), self.counts)

    def to_record(self, label: str | None = None) -> MaskRecord:
        """As a record for `formats`. label: the name of its label, which the mask knows by id alone."""
        return MaskRecord.of_rle(
            self.rle,
            score=self.score,
            stability=self.stability,
            label=label,
            attributes=self.attributes,
            id=self.id,
        )


@dataclass(frozen=True)
class NewPrompt:
    """A prompt as it was sent, to be recorded. chosen: which candidate was taken, once that is known.

    seconds_since_last: since the person's prompt before. milliseconds: what the answer took.
    """

    id: str
    image_id: str
    prompt: Json
    object_id: str | None = None
    user_id: str | None = None
    model_sha256: str | None = None
    milliseconds: float | None = None
    chosen: int | None = None
    seconds_since_last: float | None = None


@dataclass(frozen=True)
class RecordedPrompt:
    """A prompt, when and by whom; fields as in NewPrompt."""

    id: str
    image_id: str
    object_id: str | None
    user_id: str | None
    created: str
    prompt: Json
    model_sha256: str | None
    milliseconds: float | None
    chosen: int | None
    seconds_since_last: float | None


@dataclass(frozen=True)
class Task:
    """Work on one image. state: "open", "claimed" (a lease that has not run out), "done" or "skipped".

    lease_token: proof of holding it; only `claim` and `renew` give it. seconds: time spent on it, all told.
    """

    id: str
    project_id: str
    image_id: str
    kind: str
    state: str
    assignee_id: str | None
    lease_token: str | None
    lease_until: str | None
    priority: int
    seconds: float
    updated: str


@dataclass(frozen=True)
class User:
    """has_password: whether it can log in at all."""

    id: str
    name: str
    role: str
    created: str
    disabled: bool
    has_password: bool


@dataclass(frozen=True)
class Session:
    """Somebody logged in. csrf: what every write must bring along."""

    user: User
    created: str
    expires: str
    seen: str
    csrf: str


@dataclass(frozen=True)
class NewSession:
    """token: for the cookie; the store keeps its hash alone."""

    token: str
    session: Session


@dataclass(frozen=True)
class Review:
    """What a reviewer said of one mask. verdict: "accepted", "rejected" or "comment"."""

    id: str
    mask_id: str
    reviewer_id: str | None
    verdict: str
    comment: str
    created: str


@dataclass(frozen=True)
class Snapshot:
    """A frozen version of a project's data. sha256: of its content; images, masks: how many."""

    id: str
    project_id: str
    name: str
    sha256: str
    created: str
    author_id: str | None
    images: int
    masks: int


@dataclass(frozen=True)
class FrozenImage:
    """An image in a snapshot with what was frozen of it: split, masks (lowest first), labels' names by id."""

    image: Image
    split: str | None
    masks: tuple[Mask, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class RegisteredModel:
    """A model of a project. state: "candidate", "current", "retired" or "refused".

    path: what `anymask.load` opens. parent_sha256: what it was trained from. snapshot_id: on which data.
    switched: when it last became the current one.
    """

    project_id: str
    sha256: str
    name: str
    path: str
    parent_sha256: str | None
    created: str
    state: str
    metrics: Json
    snapshot_id: str | None
    switched: str | None


@dataclass(frozen=True)
class Job:
    """Work for a worker. state: "waiting", "running", "done", "failed" or "stopped". progress: 0 to 1."""

    id: str
    project_id: str | None
    kind: str
    arguments: Json
    state: str
    progress: float
    detail: str
    worker: str | None
    lease_until: str | None
    created: str
    updated: str


@dataclass(frozen=True)
class Event:
    """Something that an administrator may want to know."""

    id: str
    project_id: str | None
    user_id: str | None
    created: str
    kind: str
    detail: Json
