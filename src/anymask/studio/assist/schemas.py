"""What the assistant is asked and says."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from anymask.server.schemas import Answer, Request, Share
from anymask.studio.prompting.schemas import Id

Preset = Literal["demo", "paper", "objects", "parts", "dense"]


class AssistRequest(Request):
    """Prefill images with the masks that the model is sure of.

    images: these; by default all that nobody has begun. preset: of everything mode. confidence: how sure, 0
    for all that the preset finds to 1 for none; both of its thresholds are raised by this share of what lies
    above them. label_id: of all the masks, or null.
    """

    images: Annotated[list[Id], Field(min_length=1, max_length=100_000)] | None = None
    preset: Preset = "objects"
    confidence: Share = 0.5
    label_id: Id | None = None


class AssistJob(Answer):
    """A run of the assistant. progress: 0 to 1. detail: in words."""

    id: str
    state: Literal["waiting", "running", "done", "failed", "stopped"]
    progress: float
    detail: str
    created: str
    updated: str


class AssistAnswer(Answer):
    """How far the work is.

    job: the latest run, or null. images: how many in each state. left: images still to be finished.
    confident, by_hand: objects of the assistant and of people. by_hand_per_image: of finished images.
    seconds_per_mask: of people. seconds_left: what people need for the rest at this pace, null before an
    image is finished.
    """

    job: AssistJob | None
    images: dict[str, int]
    left: int
    confident: int
    by_hand: int
    by_hand_per_image: float | None
    seconds_per_mask: float | None
    seconds_left: float | None


def job_json(job: Any) -> AssistJob:
    """A job of the store as it is answered."""
    return AssistJob(
        id=job.id,
        state=job.state,
        progress=job.progress,
        detail=job.detail,
        created=job.created,
        updated=job.updated,
    )
