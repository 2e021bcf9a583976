"""An image's state and number of objects, worked out from its masks, tasks and reviews.

| state | when |
| --- | --- |
| rejected | the last verdict on some object's present mask is "rejected" |
| accepted | that of all present masks is "accepted"; where there are none, the review is finished |
| done | the labelling is finished |
| in_progress | there is a mask, if only a deleted one |
| new | else |

A correction is a new mask without a verdict, so it takes an image out of "rejected" and "accepted".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, and_, case, func, literal_column, select, update
from sqlalchemy.sql import ColumnElement

from anymask.store.rows import in_parts, lock
from anymask.store.schema import images, masks, reviews, tasks


def is_head(table: Any = masks) -> ColumnElement[bool]:
    """Whether a row of `table` has no successor: it is the present state of its object."""
    successor = masks.alias()
    return ~select(literal_column("1")).where(successor.c.parent_id == table.c.id).exists()


def refresh(connection: Connection, image_ids: Iterable[str], now: str) -> None:
    """Write down the state of images whose masks, tasks or reviews this transaction has changed."""
    changed = list(image_ids)
    # Two that change an image at once would each count without the other.
    lock(connection, images, changed)
    for part in in_parts(changed):
        live, any_mask = _masks_of(connection, part)
        finished = _finished(connection, part)
        verdicts = _verdicts(connection, part)
        for image_id in part:
            state = _state(
                live.get(image_id, 0),
                any_mask.get(image_id, 0),
                finished.get(image_id, set()),
                verdicts.get(image_id, {}),
            )
            connection.execute(
                update(images)
                .where(images.c.id == image_id)
                .values(state=state, masks=live.get(image_id, 0), updated=now)
            )


def _state(live: int, rows: int, finished: set[str], verdicts: Mapping[str, int]) -> str:
    if verdicts.get("rejected"):
        return "rejected"
    if (live and verdicts.get("accepted", 0) == live) or (not live and "review" in finished):
        return "accepted"
    if "label" in finished:
        return "done"
    return "in_progress" if rows else "new"


def _masks_of(connection: Connection, ids: Iterable[str]) -> tuple[dict[str, int], dict[str, int]]:
    live = and_(is_head(), masks.c.deleted.is_(False))
    query = (
        select(masks.c.image_id, func.sum(case((live, 1), else_=0)), func.count())
        .where(masks.c.image_id.in_(ids))
        .group_by(masks.c.image_id)
    )
    rows = connection.execute(query).all()
    return {row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows}


def _finished(connection: Connection, ids: Iterable[str]) -> dict[str, set[str]]:
    query = select(tasks.c.image_id, tasks.c.kind).where(tasks.c.image_id.in_(ids), tasks.c.state == "done")
    found: dict[str, set[str]] = {}
    for image_id, kind in connection.execute(query):
        found.setdefault(image_id, set()).add(kind)
    return found


def _verdicts(connection: Connection, ids: Iterable[str]) -> dict[str, dict[str, int]]:
    """How many live heads have which last verdict, by image; comments are no verdicts."""
    query = (
        select(masks.c.image_id, masks.c.id, reviews.c.verdict)
        .join(reviews, reviews.c.mask_id == masks.c.id)
        .where(
            masks.c.image_id.in_(ids),
            masks.c.deleted.is_(False),
            reviews.c.verdict != "comment",
            is_head(),
        )
        .order_by(reviews.c.created, reviews.c.id)
    )
    last = {(image_id, mask_id): verdict for image_id, mask_id, verdict in connection.execute(query)}
    found: dict[str, dict[str, int]] = {}
    for (image_id, _), verdict in last.items():
        of_image = found.setdefault(image_id, {})
        of_image[verdict] = of_image.get(verdict, 0) + 1
    return found
