"""Reviews, comments, and how far two people agree."""

from __future__ import annotations

from fastapi import APIRouter

from anymask.server.problems import Problem
from anymask.store import NotFound, Review
from anymask.studio.accounts.roles import has_role
from anymask.studio.annotation.schemas import (
    AgreementAnswer,
    AgreementOfTwo,
    MatchAnswer,
    NewReview,
    ReviewAnswer,
    ReviewsAnswer,
)
from anymask.studio.deps import Id, ImageHere, Person, image_of, problems, unknown
from anymask.studio.services import Studio

router = APIRouter(tags=["review"])


@router.post("/masks/{id}/review", operation_id="review_mask", status_code=201, responses=problems(409))
def review_mask(id: Id, who: Person, asked: NewReview, studio: Studio) -> ReviewAnswer:
    """Accept or reject a mask, which takes a reviewer, or say something about it, which everybody may."""
    try:
        image = image_of(studio.store.masks.get(id).image_id, studio, who)
    except NotFound:
        raise unknown() from None
    if asked.verdict != "comment" and not has_role(who, "reviewer"):
        raise Problem(403, "forbidden", f"verdicts are for the role reviewer; yours is {who.role}")
    review = studio.store.reviews.give(id, who.id, asked.verdict, asked.comment, id=asked.id)
    studio.hub.tell(
        image.project_id, "review", {"image_id": image.id, "mask_id": id, "verdict": asked.verdict}
    )
    studio.hub.tell(image.project_id, "image", {"image_id": image.id})
    return _answer(review)


@router.get("/images/{id}/reviews", operation_id="list_reviews", responses=problems())
def list_reviews(image: ImageHere, studio: Studio) -> ReviewsAnswer:
    """All reviews of an image's masks, oldest first."""
    return ReviewsAnswer(items=[_answer(review) for review in studio.store.reviews.of_image(image.id)])


@router.get("/images/{id}/agreement", operation_id="image_agreement", responses=problems())
def image_agreement(image: ImageHere, studio: Studio) -> AgreementAnswer:
    """How well the people agree who made masks of an image, each pair of them."""
    found = studio.store.statistics.agreement(image.id)
    return AgreementAnswer(
        items=[
            AgreementOfTwo(
                first_user=one.first_user,
                second_user=one.second_user,
                mean_iou=one.mean_iou,
                f1=one.f1,
                matches=[MatchAnswer(**vars(match)) for match in one.matches],
                first_only=list(one.first_only),
                second_only=list(one.second_only),
            )
            for one in found
        ]
    )


def _answer(review: Review) -> ReviewAnswer:
    return ReviewAnswer(**vars(review))
