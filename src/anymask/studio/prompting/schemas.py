"""What prompt requests hold and their answers give."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from anymask.server.schemas import Answer, Hover, Number, Point, Previous, Record, Request, RleMask, Vertex

Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="UUID4 as 32 hexadecimal digits")]
Box = Annotated[list[Number], Field(min_length=4, max_length=4, description="x0, y0, x1, y1")]
MOST_OBJECTS = 500
"""Masks that are looked for at a time."""
Seconds = Annotated[float, Field(ge=0, le=86_400, description="time that a person spent")]


class WindowMask(RleMask):
    """A mask as COCO compressed RLE: of the image's size, or, with `offset`, of a window of the image."""

    offset: (
        Annotated[
            list[Annotated[int, Field(ge=0, le=100_000)]],
            Field(min_length=2, max_length=2, description="x, y of the window's upper left pixel"),
        ]
        | None
    ) = None


class StudioPrompt(Request):
    """One object, pointed at; every mixture of points, boxes, mask, scribble and polygon is legal.

    points: all of the object's, in the order in which they were given. previous: the answer to refine; a
    point beyond those of that answer is a correction. mask: a mask to begin with, or to correct.
    """

    points: Annotated[list[Point], Field(max_length=1000)] | None = None
    box: Box | None = None
    boxes: Annotated[list[Box], Field(max_length=100, description="several boxes of one object")] | None = (
        None
    )
    scribble: (
        Annotated[
            list[Annotated[list[Vertex], Field(min_length=1, max_length=10_000)]],
            Field(max_length=100, description="brush strokes on the object"),
        ]
        | None
    ) = None
    polygon: (
        Annotated[list[Vertex], Field(max_length=10_000, description="a lasso round the object")] | None
    ) = None
    mask: WindowMask | None = None
    previous: Previous | None = None
    multimask: Annotated[
        bool | None, Field(description="true: three candidates, false: one, null: three for a single click")
    ] = None
    hover: Annotated[
        Hover | None, Field(description="a preview: one candidate, not kept, ended by a later one")
    ] = None
    object: Annotated[Id | None, Field(description="the object that the prompt is about")] = None
    seconds: Annotated[Seconds | None, Field(description="since the person's last action")] = None


class PromptRecord(StudioPrompt):
    """A prompt that the page's own decoder answered.

    id: of the answer, as later prompts name it in `previous`. model_sha256: of the weights that answered.
    milliseconds: what the answer took.
    """

    id: Id
    model_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    milliseconds: Annotated[float, Field(ge=0, le=86_400_000)]


class BoxesRequest(Request):
    """Many objects, one box each."""

    boxes: Annotated[list[Box], Field(min_length=1, max_length=500)]
    seconds: Seconds | None = None


class WindowCandidate(Answer):
    """A proposed mask, cut to its own window.

    counts, size, offset: COCO compressed RLE of the window of `size` = height, width at `offset` = x, y; a
    mask without a pixel has the window 1 x 1 at 0, 0. bbox: x, y, width, height. predicted_iou: the model's
    own guess, about 0 to 1. stability_score: null in previews.
    """

    counts: str
    size: Annotated[list[int], Field(min_length=2, max_length=2)]
    offset: Annotated[list[int], Field(min_length=2, max_length=2)]
    bbox: Annotated[list[int], Field(min_length=4, max_length=4)]
    area: int
    predicted_iou: float
    stability_score: float | None


class StudioPromptAnswer(Answer):
    """Candidates, best first.

    prediction: names this answer as `previous`; null for a preview. milliseconds: of the model. worse:
    whether the correction changed the mask far more than the click can have meant.
    """

    prediction: str | None
    candidates: list[WindowCandidate]
    milliseconds: float
    worse: bool


class BoxesAnswer(Answer):
    """The best candidate of every box, in the order of the boxes. predictions: name the answers as
    `previous`.
    """

    predictions: list[str]
    candidates: list[WindowCandidate]
    milliseconds: float


class PropagateRequest(Request):
    """Which masks to find again. source: the image that has them. objects: all of it unless given."""

    source: Id
    objects: Annotated[list[Id], Field(min_length=1, max_length=MOST_OBJECTS)] | None = None


class PropagatedAnswer(Answer):
    """An object of the source, found again or not.

    object_id, label_id, attributes: of the source's object. candidate: null where nothing like it is left.
    appearance: likeness of the colours, 0 to 1. growth: new area by old. fit: likeness of the patches, -1 to
    1. kept: whether score, colours, patch and shape all speak for it.
    """

    object_id: str
    label_id: str | None
    attributes: dict[str, Any]
    candidate: WindowCandidate | None
    appearance: float | None
    growth: float | None
    fit: float | None
    kept: bool


class PropagateAnswer(Answer):
    """All objects that were asked for, in the order of the source."""

    items: list[PropagatedAnswer]
    milliseconds: float


class FindRequest(Request):
    """Words for what to find; every mask gets the text that fits it best. threshold: least score."""

    texts: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=500)]], Field(min_length=1, max_length=200)
    ]
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    most: Annotated[int, Field(ge=1, le=1000)] | None = None


class FindAnswer(Answer):
    """Masks, the best fit first, as records; `category` is the text, attributes.label_score how well it
    fits.
    """

    records: list[Record]
