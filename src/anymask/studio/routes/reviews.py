"""Reviews, comments, and how far two people agree."""

from __future__ import annotations

from uuid import uuid4

from fastapi import APIRouter

from anymask.core.errors import InputError
from anymask.server.problems import Problem
from anymask.store import Review
from anymask.studio.accounts.roles import has_role
from anymask.studio.annotation.schemas import NewReview, ReviewAnswer, ReviewsAnswer
from anymask.studio.deps import Id, ImageHere, Person, image_of, problems
from anymask.studio.services import Studio

router = APIRouter(tags=["review"])


@router.post("/masks/{id}/review", operation_id="review_mask", status_code=201, responses=problems(409))
def review_mask(id: Id, who: Person, asked: NewReview, studio: Studio) -> ReviewAnswer:
    """Accept or reject a mask, which takes a reviewer, or say something about it, which everybody may."""
    image = image_of(studio.store.masks.get(id).image_id, studio, who)
    if asked.verdict != "comment" and not has_role(who, "reviewer"):
        raise Problem(403, "forbidden", f"verdicts are for the role reviewer; yours is {who.role}")
    if asked.verdict == "comment" and not asked.comment.strip():
        raise InputError("the comment is empty; write something")
    review = studio.store.reviews.give(
        mask_id=id,
        reviewer_id=who.id,
        verdict=asked.verdict,
        comment=asked.comment,
        id=asked.id or uuid4().hex,
    )
    studio.hub.tell(
        image.project_id, "review", {"image_id": image.id, "mask_id": id, "verdict": asked.verdict}
    )
    studio.hub.tell(image.project_id, "image", {"image_id": image.id})
    return _answer(review)


@router.get("/images/{id}/reviews", operation_id="list_reviews", responses=problems())
def list_reviews(image: ImageHere, studio: Studio) -> ReviewsAnswer:
    """All reviews of an image's masks, oldest first."""
    return ReviewsAnswer(items=[_answer(review) for review in studio.store.reviews.of_image(image.id)])


def _answer(review: Review) -> ReviewAnswer:
    return ReviewAnswer(
        id=review.id,
        mask_id=review.mask_id,
        reviewer_id=review.reviewer_id,
        verdict=review.verdict,
        comment=review.comment,
        created=review.created,
    )
