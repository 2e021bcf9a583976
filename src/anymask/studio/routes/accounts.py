"""Coming in and going out: login, the first administrator, invitations."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from anymask.server.problems import Problem
from anymask.server.schemas import Answer
from anymask.server.schemas import Request as Body
from anymask.store import NotFound, User
from anymask.studio.accounts.entry import Visitor
from anymask.studio.deps import Admin, Caller, Id, Person, problems
from anymask.studio.routes.me import MeAnswer, RoleName, me_answer
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["accounts"])
UserName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
NewPassword = Annotated[str, Field(min_length=10, max_length=1000)]
OneTimeToken = Annotated[str, Field(min_length=1, max_length=200)]


class Login(Body):
    """Who comes in."""

    name: UserName
    password: Annotated[str, Field(min_length=1, max_length=1000)]


class NewAccount(Body):
    """A one-time token, and the account that it makes."""

    token: OneTimeToken
    name: UserName
    password: NewPassword


class PasswordChange(Body):
    """One's own password."""

    old: Annotated[str, Field(min_length=1, max_length=1000)]
    new: NewPassword


class UserAnswer(Answer):
    """A person as administrators see them."""

    id: str
    name: str
    role: RoleName
    created: str
    disabled: bool


class UsersAnswer(Answer):
    """Everybody, by name."""

    items: list[UserAnswer]
    next: None = None


class NewUser(Body):
    """A new person. Without a password they cannot log in until they are given one."""

    name: UserName
    role: RoleName = "annotator"
    password: NewPassword | None = None


class UserChange(Body):
    """What is not given stays as it is. A new password or role ends the person's sessions."""

    name: UserName | None = None
    role: RoleName | None = None
    password: NewPassword | None = None
    disabled: bool | None = None


class InvitationRequest(Body):
    """Who is invited, and how long the invitation counts."""

    role: RoleName = "annotator"
    hours: Annotated[int, Field(ge=1, le=24 * 30)] = 24 * 7


class InvitationAnswer(Answer):
    """token: told this once. path: of the page where it is used, to be put behind the studio's address."""

    token: str
    path: str
    role: RoleName


@router.post("/login", operation_id="login", responses=problems())
async def login(
    asked: Login, request: Request, response: Response, caller: Caller, studio: Studio
) -> MeAnswer:
    """Begin a session; one that came with the request ends.

    So a cookie that somebody planted beforehand is worth nothing afterwards.
    """
    _check_accounts(studio)
    user = await studio.doorkeeper.check(asked.name, asked.password, _client(request))
    return await _begin(user, request, response, caller, studio)


@router.post("/setup", operation_id="set_up", responses=problems(409))
async def set_up(
    asked: NewAccount, request: Request, response: Response, caller: Caller, studio: Studio
) -> MeAnswer:
    """Make the first administrator, with the token of the link that the server printed."""
    _check_accounts(studio)
    make = partial(studio.setup.make_admin, asked.token, asked.name, asked.password)
    user = await studio.doorkeeper.with_token(make, _client(request))
    return await _begin(user, request, response, caller, studio)


@router.post("/redeem", operation_id="redeem", responses=problems(409))
async def redeem(
    asked: NewAccount, request: Request, response: Response, caller: Caller, studio: Studio
) -> MeAnswer:
    """Make the account of an invitation, which is used up by it."""
    _check_accounts(studio)

    def make() -> User | None:
        try:
            return studio.store.people.redeem(asked.token, asked.name, asked.password)
        except NotFound:
            return None

    user = await studio.doorkeeper.with_token(make, _client(request))
    return await _begin(user, request, response, caller, studio)


@router.post("/logout", operation_id="logout", status_code=204, responses=problems())
def logout(response: Response, caller: Caller, studio: Studio) -> None:
    """End the session; the cookie is worth nothing from now on."""
    if caller.token is not None:
        studio.store.people.end_session(caller.token)
        response.delete_cookie(studio.entry.cookie, path="/", httponly=True, samesite="strict")


@router.post("/me/password", operation_id="change_password", responses=problems(409))
async def change_password(
    asked: PasswordChange, request: Request, response: Response, caller: Caller, who: Person, studio: Studio
) -> MeAnswer:
    """Take another password. All of one's sessions end, and a new one begins here."""
    _check_accounts(studio)
    await studio.doorkeeper.check(who.name, asked.old, _client(request))
    await studio.doorkeeper.hashed(partial(studio.store.people.update, who.id, password=asked.new))
    return await _begin(who, request, response, caller, studio)


@router.get("/users", operation_id="list_users", responses=problems())
def list_users(studio: Studio, who: Admin) -> UsersAnswer:
    """Everybody who has an account."""
    return UsersAnswer(items=[_answer(user) for user in studio.store.people.list()])


@router.post("/users", operation_id="create_user", status_code=201, responses=problems(409))
async def create_user(asked: NewUser, studio: Studio, who: Admin) -> UserAnswer:
    """Make an account."""
    work = partial(studio.store.people.create, asked.name, asked.role, password=asked.password)
    return _answer(await studio.doorkeeper.hashed(work))


@router.patch("/users/{id}", operation_id="change_user", responses=problems(409))
async def change_user(id: Id, change: UserChange, studio: Studio, who: Admin) -> UserAnswer:
    """Change an account. The last administrator stays one (409)."""
    given = {name: value for name, value in change if value is not None}
    return _answer(await studio.doorkeeper.hashed(partial(studio.store.people.update, id, **given)))


@router.post("/invitations", operation_id="invite", status_code=201, responses=problems())
def invite(asked: InvitationRequest, studio: Studio, who: Admin) -> InvitationAnswer:
    """A token with which one person can make an account of this role."""
    _check_accounts(studio)
    token = studio.store.people.invite(asked.role, timedelta(hours=asked.hours))
    return InvitationAnswer(token=token, path=f"/#/redeem?token={token}", role=asked.role)


async def _begin(
    user: User, request: Request, response: Response, caller: Visitor, studio: StudioServices
) -> MeAnswer:
    """A new session; its cookie in the response."""
    people, lifetime = studio.store.people, timedelta(hours=studio.config.session_hours)
    if caller.token is not None:
        await run_in_threadpool(people.end_session, caller.token)
    new = await run_in_threadpool(people.start_session, user.id, lifetime)
    response.set_cookie(
        studio.entry.cookie,
        new.token,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return await run_in_threadpool(me_answer, Visitor(user, new.session.csrf, new.token), studio)


def _check_accounts(studio: StudioServices) -> None:
    if not studio.config.has_accounts:
        raise Problem(409, "no_accounts", "this studio has no accounts; start it with --accounts")


def _client(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _answer(user: User) -> UserAnswer:
    return UserAnswer.model_validate(
        {
            "id": user.id,
            "name": user.name,
            "role": user.role,
            "created": user.created,
            "disabled": user.disabled,
        }
    )
