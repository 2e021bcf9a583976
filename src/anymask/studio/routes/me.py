"""GET /me: who asks, and what this studio is."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from anymask._version import __version__
from anymask.server.schemas import Answer
from anymask.store import User
from anymask.studio.accounts.entry import Visitor
from anymask.studio.deps import Caller, problems
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["accounts"])
RoleName = Literal["annotator", "reviewer", "admin"]


class PersonAnswer(Answer):
    """A person as everybody in the studio sees them."""

    id: str
    name: str
    role: RoleName


class LimitsAnswer(Answer):
    """What may be sent: bytes of a file, pixels of a picture, bytes of a JSON request."""

    upload_bytes: int
    pixels: int
    body_bytes: int


class MeAnswer(Answer):
    """user: null if nobody is logged in. csrf: for the header X-CSRF-Token of every write.

    accounts: whether people log in here. setup: whether the first administrator is still missing.
    """

    user: PersonAnswer | None
    csrf: str | None
    accounts: bool
    setup: bool
    version: str
    limits: LimitsAnswer


@router.get("/me", operation_id="me", responses=problems())
def me(caller: Caller, studio: Studio) -> MeAnswer:
    """Who asks; strangers get an answer, too: that they are nobody yet."""
    return me_answer(caller, studio)


def me_answer(caller: Visitor, studio: StudioServices) -> MeAnswer:
    """What a visitor is told of themselves."""
    config = studio.config
    return MeAnswer(
        user=None if caller.user is None else person_answer(caller.user),
        csrf=caller.csrf,
        accounts=config.has_accounts,
        setup=caller.user is None and studio.setup.is_open,
        version=__version__,
        limits=LimitsAnswer(
            upload_bytes=config.max_upload_bytes, pixels=config.max_pixels, body_bytes=config.max_body_bytes
        ),
    )


def person_answer(user: User) -> PersonAnswer:
    """What others may know of a person."""
    return PersonAnswer.model_validate({"id": user.id, "name": user.name, "role": user.role})
