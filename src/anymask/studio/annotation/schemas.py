"""Masks, labels and reviews as they are sent and answered; fields are called as the store calls them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from anymask.server.schemas import Answer, Number, Request, RleMask
from anymask.studio.prompting.schemas import Id, Seconds

Source = Literal[
    "click",
    "box",
    "lasso",
    "scribble",
    "brush",
    "polygon",
    "everything",
    "propagate",
    "import",
    "text",
    "edit",
]
Colour = Annotated[str, Field(pattern="^#[0-9a-f]{6}$")]
Hotkey = Annotated[str, Field(pattern="^[0-9]$")]
LabelName = Annotated[str, Field(min_length=1, max_length=200)]
AttributeName = Annotated[str, Field(min_length=1, max_length=100)]
AttributeValue = Annotated[str, Field(max_length=2000)] | bool | Annotated[float, Field(ge=-1e15, le=1e15)]
Attributes = Annotated[dict[AttributeName, AttributeValue], Field(max_length=100)]
Prompts = Annotated[
    list[Annotated[dict[str, Any], Field(max_length=20)]],
    Field(max_length=500, description="the prompts that led to the mask, as they were sent"),
]


class NewMask(Request):
    """A new row: an object's first mask, a correction (`parent_id` = the head it was made from), or its end.

    id, object_id: made by the client; the same row sent again is no error. rle: of the image's size. deleted:
    the object is taken away; its mask is sent along. position: order of the objects, the highest on top.
    """

    id: Id
    object_id: Id
    parent_id: Id | None = None
    rle: RleMask
    score: Number | None = None
    stability: Number | None = None
    label_id: Id | None = None
    attributes: Attributes = Field(default_factory=dict)
    position: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    deleted: bool = False
    source: Source = "click"
    model_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    prompts: Prompts = Field(default_factory=list)
    seconds: Seconds = 0.0
    locked: bool = False


class SaveMasks(Request):
    """Rows that are saved together or not at all."""

    masks: Annotated[list[NewMask], Field(min_length=1, max_length=5000)]


class MaskAnswer(Answer):
    """A row as it was saved. author_id: null for what was imported or made by a job."""

    id: str
    image_id: str
    object_id: str
    parent_id: str | None
    author_id: str | None
    created: str
    rle: RleMask
    bbox: Annotated[list[float], Field(min_length=4, max_length=4)]
    area: int
    score: float | None
    stability: float | None
    label_id: str | None
    attributes: dict[str, Any]
    position: int
    deleted: bool
    source: Source
    model_sha256: str | None
    prompts: list[dict[str, Any]]
    seconds: float
    locked: bool


class MasksAnswer(Answer):
    """Masks: the heads of an image, the rows that were saved, or all rows of an object, oldest first."""

    items: list[MaskAnswer]
    next: None = None


class ConflictAnswer(Answer):
    """409: somebody else changed the object since. head: its present mask; save again on top of it."""

    title: str
    status: int
    code: str
    detail: str
    head: MaskAnswer | None


class AttributeField(Request):
    """Something to be filled in for every object of a label. choices: of a select."""

    name: AttributeName
    kind: Literal["select", "text", "number", "checkbox"]
    choices: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=200)] = (
        Field(default_factory=list)
    )


AttributeFields = Annotated[list[AttributeField], Field(max_length=50)]


class NewLabel(Request):
    """A class of objects. Without a colour the server chooses one unlike those that are there."""

    name: LabelName
    colour: Colour | None = None
    hotkey: Hotkey | None = None
    attributes: AttributeFields = Field(default_factory=list)
    id: Id | None = None


class LabelChange(Request):
    """What is to be different; what is not given stays. hotkey: "" takes it away."""

    name: LabelName | None = None
    colour: Colour | None = None
    hotkey: Annotated[str, Field(pattern="^[0-9]?$")] | None = None
    attributes: AttributeFields | None = None
    position: Annotated[int, Field(ge=0, le=100_000)] | None = None
    archived: bool | None = None


class MergeLabel(Request):
    """into: the label that all objects of this one get; this one is archived then."""

    into: Id


class LabelAnswer(Answer):
    """A label. archived: no longer offered, but objects may have it."""

    id: str
    project_id: str
    name: str
    colour: str
    hotkey: str | None
    attributes: list[AttributeField]
    position: int
    archived: bool


class LabelsAnswer(Answer):
    """Labels by position."""

    items: list[LabelAnswer]
    next: None = None


class NewReview(Request):
    """What a reviewer says of a mask. A comment needs words, a verdict may have some."""

    verdict: Literal["accepted", "rejected", "comment"]
    comment: Annotated[str, Field(max_length=4000)] = ""
    id: Id | None = None


class ReviewAnswer(Answer):
    """One review, oldest first in lists."""

    id: str
    mask_id: str
    reviewer_id: str | None
    verdict: Literal["accepted", "rejected", "comment"]
    comment: str
    created: str


class ReviewsAnswer(Answer):
    """All reviews of an image's masks, also of masks that have been corrected since."""

    items: list[ReviewAnswer]
    next: None = None


class MatchAnswer(Answer):
    """Two people's masks of one object. iou: 0.5 to 1. same_label: whether they gave it the same label."""

    first_mask: str
    second_mask: str
    iou: float
    same_label: bool


class AgreementOfTwo(Answer):
    """Of two people on an image.

    mean_iou: of the objects that both saw, null without any. f1: 2 x matches / all masks of both, 1 if both
    saw the same objects. first_only, second_only: masks without a counterpart.
    """

    first_user: str
    second_user: str
    mean_iou: float | None
    f1: float
    matches: list[MatchAnswer]
    first_only: list[str]
    second_only: list[str]


class AgreementAnswer(Answer):
    """All pairs of people who made masks of an image."""

    items: list[AgreementOfTwo]
    next: None = None
