"""Figures about a project: how far it is, who did what, how long a mask takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from anymask.store import rows
from anymask.store.agreement import Agreement, agreements
from anymask.store.chains import mask_of
from anymask.store.part import Part
from anymask.store.schema import (
    IMAGE_STATES,
    images,
    masks,
    projects,
    prompts,
    reviews,
    tasks,
    users,
)
from anymask.store.states import is_head
from anymask.store.values import Mask


@dataclass(frozen=True)
class Progress:
    """images: how many in each state. masks: live objects. by_label: how many objects have each label, by id.

    by_source: how many objects' present masks came about in which way.
    """

    images: Mapping[str, int]
    masks: int
    by_label: Mapping[str, int]
    by_source: Mapping[str, int]


@dataclass(frozen=True)
class PersonFigures:
    """What somebody did in a project; masks: objects they made a mask of; images: those they finished."""

    user_id: str
    name: str
    masks: int
    seconds: float
    prompts: int
    images: int
    reviews: int

    @property
    def seconds_per_mask(self) -> float | None:
        """None without masks."""
        return self.seconds / self.masks if self.masks else None

    @property
    def prompts_per_mask(self) -> float | None:
        """None without masks."""
        return self.prompts / self.masks if self.masks else None


@dataclass(frozen=True)
class DayFigures:
    """What somebody did on a day (UTC, `2026-01-31`)."""

    user_id: str
    name: str
    day: str
    masks: int
    seconds: float
    prompts: int

    @property
    def seconds_per_mask(self) -> float | None:
        """None without masks."""
        return self.seconds / self.masks if self.masks else None


class Statistics(Part):
    """`store.statistics`."""

    def progress(self, project_id: str) -> Progress:
        """How far a project is. Raises NotFound."""
        in_project = images.c.project_id == project_id
        live = (masks.c.deleted.is_(False), is_head())
        heads = (
            select(masks).join(images, images.c.id == masks.c.image_id).where(in_project, *live).subquery()
        )
        with self._database.reading() as connection:
            rows.get(connection, projects, project_id, "project")
            by_state = _pairs(
                connection, select(images.c.state, func.count()).where(in_project).group_by(images.c.state)
            )
            by_label = _pairs(connection, select(heads.c.label_id, func.count()).group_by(heads.c.label_id))
            by_source = _pairs(connection, select(heads.c.source, func.count()).group_by(heads.c.source))
        return Progress(
            images={state: by_state.get(state, 0) for state in IMAGE_STATES},
            masks=sum(by_source.values()),
            by_label={label: count for label, count in by_label.items() if label is not None},
            by_source=by_source,
        )

    def people(self, project_id: str) -> list[PersonFigures]:
        """What everybody did who did something, by name. Raises NotFound."""
        with self._database.reading() as connection:
            rows.get(connection, projects, project_id, "project")
            made = {row[0]: row for row in connection.execute(_masks_made(project_id))}
            asked = _pairs(connection, _prompts_sent(project_id))
            finished = _pairs(connection, _tasks_done(project_id))
            reviewed = _pairs(connection, _reviews_given(project_id))
            names = _names(connection)
        ids = {*made, *asked, *finished, *reviewed} - {None}
        figures = [
            PersonFigures(
                user_id=id,
                name=names[id],
                masks=made[id][1] if id in made else 0,
                seconds=float(made[id][2]) if id in made else 0.0,
                prompts=asked.get(id, 0),
                images=finished.get(id, 0),
                reviews=reviewed.get(id, 0),
            )
            for id in ids
        ]
        return sorted(figures, key=lambda person: person.name)

    def seconds_per_mask(self, project_id: str) -> list[DayFigures]:
        """What everybody did day by day: oldest day first, then by name. Raises NotFound."""
        made_on, sent_on = func.substr(masks.c.created, 1, 10), func.substr(prompts.c.created, 1, 10)
        with self._database.reading() as connection:
            rows.get(connection, projects, project_id, "project")
            made = {(row[0], row[3]): row for row in connection.execute(_masks_made(project_id, made_on))}
            sent = {
                (row[0], row[2]): row[1] for row in connection.execute(_prompts_sent(project_id, sent_on))
            }
            names = _names(connection)
        days = [
            DayFigures(
                user_id=id,
                name=names[id],
                day=day,
                masks=made[id, day][1] if (id, day) in made else 0,
                seconds=float(made[id, day][2]) if (id, day) in made else 0.0,
                prompts=sent.get((id, day), 0),
            )
            for id, day in {*made, *sent}
            if id is not None
        ]
        return sorted(days, key=lambda figures: (figures.day, figures.name))

    def agreement(self, image_id: str) -> list[Agreement]:
        """How well people agree on an image, each pair of those who made masks of it.

        Of every object somebody's last mask counts, also one that another has corrected since.
        Raises NotFound.
        """
        query = select(masks).where(masks.c.image_id == image_id, masks.c.author_id.is_not(None))
        last: dict[tuple[str, str], Mask] = {}
        with self._database.reading() as connection:
            rows.get(connection, images, image_id, "image")
            for row in connection.execute(query.order_by(masks.c.created, masks.c.id)).mappings():
                last[row["author_id"], row["object_id"]] = mask_of(row)
        by_user: dict[str, list[Mask]] = {}
        for (user_id, _), mask in last.items():
            mine = by_user.setdefault(user_id, [])
            if not mask.deleted:
                mine.append(mask)
        return agreements({user_id: mine for user_id, mine in by_user.items() if mine})


def _masks_made(project_id: str, *by: Any) -> Select[Any]:
    """Person, number of objects, seconds, and what else is grouped by."""
    return (
        select(masks.c.author_id, func.count(masks.c.object_id.distinct()), func.sum(masks.c.seconds), *by)
        .join(images, images.c.id == masks.c.image_id)
        .where(images.c.project_id == project_id)
        .group_by(masks.c.author_id, *by)
    )


def _prompts_sent(project_id: str, *by: Any) -> Select[Any]:
    return (
        select(prompts.c.user_id, func.count(), *by)
        .join(images, images.c.id == prompts.c.image_id)
        .where(images.c.project_id == project_id)
        .group_by(prompts.c.user_id, *by)
    )


def _tasks_done(project_id: str) -> Select[Any]:
    return (
        select(tasks.c.assignee_id, func.count())
        .where(tasks.c.project_id == project_id, tasks.c.kind == "label", tasks.c.state == "done")
        .group_by(tasks.c.assignee_id)
    )


def _reviews_given(project_id: str) -> Select[Any]:
    return (
        select(reviews.c.reviewer_id, func.count())
        .join(masks, masks.c.id == reviews.c.mask_id)
        .join(images, images.c.id == masks.c.image_id)
        .where(images.c.project_id == project_id)
        .group_by(reviews.c.reviewer_id)
    )


def _names(connection: Connection) -> dict[str, str]:
    return _pairs(connection, select(users.c.id, users.c.name))


def _pairs(connection: Connection, query: Select[Any]) -> dict[Any, Any]:
    return {row[0]: row[1] for row in connection.execute(query)}
