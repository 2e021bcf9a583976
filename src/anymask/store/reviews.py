"""Reviews: verdicts and comments on masks."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from anymask.core.errors import InputError
from anymask.store import checks, rows, states
from anymask.store.errors import Conflict, NotFound
from anymask.store.insertion import insert_missing
from anymask.store.part import Part
from anymask.store.schema import VERDICTS, masks, reviews
from anymask.store.tasks import reopen_labelling
from anymask.store.values import Review

_LONGEST = 10_000


class Reviews(Part):
    """`store.reviews`."""

    def give(
        self, mask_id: str, reviewer_id: str | None, verdict: str, comment: str = "", *, id: str | None = None
    ) -> Review:
        """Say something of a mask. A rejection has the image's labelling done again.

        A review whose id is known already with the same content is left as it is.
        Raises NotFound (mask, reviewer), Conflict (the id belongs to another review), InputError.
        """
        _check(verdict, comment)
        row = {"id": id or checks.new_id(), "mask_id": mask_id, "reviewer_id": reviewer_id}
        checks.check_id(row["id"], "id")
        now = self._database.now()
        try:
            with self._database.writing() as connection:
                image_id = rows.get(connection, masks, mask_id, "mask")["image_id"]
                content = {**row, "verdict": verdict, "comment": comment, "created": now}
                insert_missing(connection, reviews, [content])
                review = _read(connection, str(row["id"]))
                if (review.mask_id, review.verdict, review.comment) != (mask_id, verdict, comment):
                    raise Conflict(f"the id {review.id!r} belongs to another review; make a fresh one")
                if verdict == "rejected":
                    reopen_labelling(connection, image_id, now)
                states.refresh(connection, [image_id], now)
                return review
        except IntegrityError as error:
            raise NotFound(f"there is no user of the id {reviewer_id!r}") from error

    def of_image(self, image_id: str) -> list[Review]:
        """All reviews of an image's masks, present and earlier ones, oldest first."""
        query = (
            select(reviews)
            .join(masks, masks.c.id == reviews.c.mask_id)
            .where(masks.c.image_id == image_id)
            .order_by(reviews.c.created, reviews.c.id)
        )
        with self._database.reading() as connection:
            return [rows.value(Review, row) for row in connection.execute(query).mappings()]


def _check(verdict: str, comment: str) -> None:
    checks.check_one_of(verdict, VERDICTS, "verdict")
    if not isinstance(comment, str) or len(comment) > _LONGEST:
        raise InputError(
            f"comment is {checks.brief(comment)}; expected text of at most {_LONGEST} characters"
        )
    checks.check_characters(comment, "comment")
    if verdict == "comment" and not comment.strip():
        raise InputError("the comment is empty; write something, or give a verdict")


def _read(connection: Connection, id: str) -> Review:
    return rows.value(Review, rows.get(connection, reviews, id, "review"))
