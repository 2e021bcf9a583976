"""People: accounts, invitations and sessions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from anymask.core.errors import InputError
from anymask.store import checks, rows
from anymask.store.errors import Conflict, NotFound
from anymask.store.insertion import insert_missing
from anymask.store.part import Part
from anymask.store.passwords import hash_password, is_password, new_token, token_sha256
from anymask.store.projects import KEEP
from anymask.store.schema import ROLES, invitations, sessions, users
from anymask.store.values import NewSession, Session, User

LOCAL_ID = "0" * 32
"""Id of the administrator of a studio without accounts."""
SESSION = timedelta(hours=12)
INVITATION = timedelta(days=7)
_SEEN_EVERY = timedelta(minutes=1)


class People(Part):
    """`store.people`."""

    def create(
        self, name: str, role: str = "annotator", *, password: str | None = None, id: str | None = None
    ) -> User:
        """A new account; without a password nobody can log in to it.

        Raises Conflict (the name is taken), InputError.
        """
        row = _new(name, role, password, id)
        with self._database.writing() as connection:
            return self._insert(connection, row)

    def local(self) -> User:
        """The one person of a studio without accounts, an administrator; made if it is not there."""
        row = _new("local", "admin", None, LOCAL_ID) | {"created": self._database.now()}
        with self._database.writing() as connection:
            insert_missing(connection, users, [row])
            return _user(rows.get(connection, users, LOCAL_ID, "user"))

    def get(self, id: str) -> User:
        """Raises NotFound."""
        with self._database.reading() as connection:
            return _user(rows.get(connection, users, id, "user"))

    def list(self) -> list[User]:
        """Everybody, by name."""
        with self._database.reading() as connection:
            return [_user(row) for row in connection.execute(select(users).order_by(users.c.name)).mappings()]

    def count(self) -> int:
        """How many can log in; none means that the first administrator is still to come."""
        query = select(func.count()).where(users.c.password_hash.is_not(None), users.c.disabled.is_(False))
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def update(
        self, id: str, *, role: str = KEEP, password: str = KEEP, disabled: bool = KEEP, name: str = KEEP
    ) -> User:
        """Change what is given; another password, role or disabling ends all sessions.

        Raises NotFound; InputError; Conflict if the name is taken, or nobody would be left to administer.
        """
        changed = _changes(role, password, disabled, name)
        with self._database.writing() as connection:
            # All at once, so that two administrators cannot demote each other at the same moment.
            admins = select(users.c.id).where(users.c.role == "admin")
            rows.lock(connection, users, [id, *connection.execute(admins).scalars()])
            before = rows.get(connection, users, id, "user")
            try:
                if changed:
                    connection.execute(update(users).where(users.c.id == id).values(**changed))
            except IntegrityError as error:
                raise Conflict(f"there is a user '{name}' already; choose another name") from error
            after = rows.get(connection, users, id, "user")
            if _administers(before) and not _administers(after):
                _check_somebody_administers(connection)
            if set(changed) & {"role", "password_hash", "disabled"}:
                connection.execute(delete(sessions).where(sessions.c.user_id == id))
            return _user(after)

    def check_password(self, name: str, password: str) -> User | None:
        """Who logs in with this name and password; None for anything wrong, after the same amount of work."""
        with self._database.reading() as connection:
            known = select(users).where(users.c.name == name)
            row = connection.execute(known).mappings().first() if isinstance(name, str) else None
        fits = is_password(row["password_hash"] if row is not None else None, password)
        return _user(row) if row is not None and fits and not row["disabled"] else None

    def invite(self, role: str = "annotator", lifetime: timedelta = INVITATION) -> str:
        """A token with which one person can make an account of this role. Raises InputError."""
        checks.check_one_of(role, ROLES, "role")
        token = new_token()
        times = {"created": self._database.now(), "expires": self._database.now(lifetime)}
        row = {"token_sha256": token_sha256(token), "role": role, **times}
        with self._database.writing() as connection:
            connection.execute(insert(invitations).values(**row))
        return token

    def redeem(self, token: str, name: str, password: str) -> User:
        """Make the account of an invitation, which is used up by it.

        Raises NotFound (unknown, used or run out), Conflict (the name is taken), InputError.
        """
        row = _new(name, "annotator", password, None)
        with self._database.writing() as connection:
            query = select(invitations).where(invitations.c.token_sha256 == token_sha256(token))
            invitation = connection.execute(query.with_for_update()).mappings().first()
            if invitation is None or invitation["used_by"] or invitation["expires"] <= self._database.now():
                raise NotFound("the invitation is unknown, used or has run out; ask for a new one")
            user = self._insert(connection, row | {"role": invitation["role"]})
            used = update(invitations).where(invitations.c.token_sha256 == invitation["token_sha256"])
            connection.execute(used.values(used_by=user.id))
            return user

    def start_session(self, user_id: str, lifetime: timedelta = SESSION) -> NewSession:
        """Let somebody in; the token is for the cookie. Raises NotFound (also for a disabled user)."""
        token = new_token()
        now = self._database.now()
        times = {"created": now, "expires": self._database.now(lifetime), "seen": now}
        csrf = new_token()
        with self._database.writing() as connection:
            user = rows.get(connection, users, user_id, "user")
            if user["disabled"]:
                raise NotFound(f"user '{user['name']}' is disabled")
            kept = {"token_sha256": token_sha256(token), "user_id": user_id, "csrf": csrf}
            connection.execute(insert(sessions).values(**kept, **times))
            return NewSession(token, Session(user=_user(user), csrf=csrf, **times))

    def session(self, token: str, extend: timedelta | None = SESSION) -> Session | None:
        """Whose session it is; None if it is unknown, has run out, or the user is disabled.

        extend: it then lasts this much longer from now on (written down once a minute at most).
        """
        mine = sessions.c.token_sha256 == token_sha256(token)
        with self._database.reading() as connection:
            row = connection.execute(select(sessions).where(mine)).mappings().first()
            if row is None or row["expires"] <= self._database.now():
                return None
            user = _user(rows.get(connection, users, row["user_id"], "user"))
        if user.disabled:
            return None
        found = rows.value(Session, row, user=user)
        if extend is None or row["seen"] > self._database.now(-_SEEN_EVERY):
            return found
        times = {"seen": self._database.now(), "expires": self._database.now(extend)}
        with self._database.writing() as connection:
            connection.execute(update(sessions).where(mine).values(**times))
        return replace(found, seen=times["seen"], expires=times["expires"])

    def end_session(self, token: str) -> None:
        """Log out; an unknown token is no error."""
        with self._database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.token_sha256 == token_sha256(token)))

    def end_sessions(self, user_id: str) -> int:
        """Log somebody out everywhere. Returns how many sessions that ended."""
        with self._database.writing() as connection:
            return connection.execute(delete(sessions).where(sessions.c.user_id == user_id)).rowcount

    def sweep(self) -> None:
        """Forget sessions and invitations that have run out."""
        now = self._database.now()
        with self._database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.expires <= now))
            unused = invitations.c.used_by.is_(None) & (invitations.c.expires <= now)
            connection.execute(delete(invitations).where(unused))

    def _insert(self, connection: Connection, row: dict[str, Any]) -> User:
        try:
            connection.execute(insert(users).values(**row, created=self._database.now()))
        except IntegrityError as error:
            raise Conflict(f"there is a user '{row['name']}' already; choose another name") from error
        return _user(rows.get(connection, users, row["id"], "user"))


def _new(name: str, role: str, password: str | None, id: str | None) -> dict[str, Any]:
    checks.check_text(name, "name", 100)
    checks.check_one_of(role, ROLES, "role")
    if name != name.strip() or "\n" in name or "\t" in name:
        raise InputError(f"name is {checks.brief(name)}; leave out spaces round it, tabs and line breaks")
    id = id or checks.new_id()
    checks.check_id(id, "id")
    return {
        "id": id,
        "name": name,
        "role": role,
        "password_hash": None if password is None else hash_password(password),
        "disabled": False,
    }


def _changes(role: str, password: str, disabled: bool, name: str) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if name is not KEEP:
        changed["name"] = _new(name, "annotator", None, None)["name"]
    if role is not KEEP:
        checks.check_one_of(role, ROLES, "role")
        changed["role"] = role
    if password is not KEEP:
        changed["password_hash"] = hash_password(password)
    if disabled is not KEEP:
        if not isinstance(disabled, bool):
            raise InputError(f"disabled is {checks.brief(disabled)}; expected true or false")
        changed["disabled"] = disabled
    return changed


def _administers(row: RowMapping) -> bool:
    return row["role"] == "admin" and not row["disabled"] and row["password_hash"] is not None


def _check_somebody_administers(connection: Connection) -> None:
    query = select(users).where(users.c.role == "admin")
    if not any(_administers(row) for row in connection.execute(query).mappings()):
        raise Conflict("nobody would be left to administer the studio; make somebody else an admin first")


def _user(row: RowMapping) -> User:
    return rows.value(User, row, has_password=row["password_hash"] is not None)
