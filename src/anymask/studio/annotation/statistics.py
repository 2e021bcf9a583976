"""What the figures about a project are answered as."""

from __future__ import annotations

from anymask.server.schemas import Answer


class PersonAnswer(Answer):
    """What somebody did. seconds: spent on masks. images: finished. The ratios are null without masks."""

    user_id: str
    name: str
    masks: int
    seconds: float
    prompts: int
    images: int
    reviews: int
    seconds_per_mask: float | None
    prompts_per_mask: float | None


class DayAnswer(Answer):
    """What somebody did on a day (UTC, 2026-01-31)."""

    user_id: str
    name: str
    day: str
    masks: int
    seconds: float
    prompts: int
    seconds_per_mask: float | None


class StatisticsAnswer(Answer):
    """Figures about a project.

    images: how many in each state. masks: objects. by_label: objects of each label, by its id. by_source:
    objects by how their present mask came about. tasks: of labelling, how many in each state. people: by
    name. days: oldest first. prompts_per_mask: of all people together.
    """

    images: dict[str, int]
    masks: int
    by_label: dict[str, int]
    by_source: dict[str, int]
    tasks: dict[str, int]
    people: list[PersonAnswer]
    days: list[DayAnswer]
    seconds_per_mask: float | None
    prompts_per_mask: float | None
