"""What edit requests hold and their answers give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from anymask.server.schemas import Answer, Pixels, Request, RleMask, Vertex
from anymask.studio.prompting.schemas import WindowMask

Ring = Annotated[list[Vertex], Field(min_length=3, max_length=100_000)]
Tolerance = Annotated[float, Field(ge=0, le=1000, description="pixels that an outline may move by")]
Operation = Literal["union", "subtract", "intersect", "fill_holes", "remove_islands", "simplify", "polygon"]


class PolygonShape(Request):
    """One connected part: its outline and the outlines of its holes, vertices at pixel corners, not
    closed.
    """

    exterior: Ring
    holes: Annotated[list[Ring], Field(max_length=10_000)] = Field(default_factory=list)


Shapes = Annotated[list[PolygonShape], Field(max_length=10_000)]


class EditRequest(Request):
    """An operation on masks.

    union, intersect: of all masks. subtract: the others from the first. fill_holes: of the first mask, all of
    them or those of fewer than `area` pixels. remove_islands: parts of fewer than `area` pixels, all but the
    largest without `area`. simplify: outlines with fewer vertices, within `tolerance`. polygon: fill
    `polygons`.
    """

    operation: Operation
    masks: Annotated[list[WindowMask], Field(max_length=200)] = Field(default_factory=list)
    area: Pixels | None = None
    tolerance: Tolerance = 1.0
    polygons: Shapes | None = None


class EditAnswer(Answer):
    """The mask that came of it.

    polygons: its outlines, of simplify and polygon alone. error: share of pixels lost, 1 - IoU with the mask
    before; 0 for what is meant to change the mask.
    """

    rle: RleMask
    bbox: Annotated[list[int], Field(min_length=4, max_length=4)]
    area: int
    polygons: list[PolygonShape] | None
    error: float


class PolygonsRequest(Request):
    """Either a mask to be outlined, within `tolerance`, or polygons to be filled."""

    mask: WindowMask | None = None
    polygons: Shapes | None = None
    tolerance: Tolerance = 0.0


class PolygonsAnswer(Answer):
    """Outlines and the mask that they fill.

    iou: with the mask that was sent, 1 for polygons. max_deviation: pixels that the outline moved by at most.
    """

    polygons: list[PolygonShape]
    rle: RleMask
    iou: float
    max_deviation: float
    vertices: int


class CutoutRequest(Request):
    """Objects to be cut out of the picture. feather: width of the soft edge, pixels. crop: to the objects'
    box.
    """

    masks: Annotated[list[WindowMask], Field(min_length=1, max_length=200)]
    feather: Annotated[float, Field(ge=0, le=100)] = 1.0
    crop: bool = True
