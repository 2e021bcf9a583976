"""Accounts, invitations, sessions."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from functools import partial
from unittest.mock import patch

import pytest
from sqlalchemy import text

from anymask.core.errors import InputError
from anymask.store import Conflict, NotFound, Store, User, passwords
from tests.store.building import ManualClock, new_id
from tests.store.racing import at_once

PASSWORD = "correct horse battery"


def test_a_password_lets_in_whoever_has_it(store: Store, clara: User) -> None:
    assert store.people.check_password("clara", PASSWORD) == clara
    for name, password in (
        ("clara", "correct horse batterx"),
        ("Clara", PASSWORD),
        ("nobody", PASSWORD),
        ("clara", ""),
        ("", ""),
        ("clara", PASSWORD * 100),
    ):
        assert store.people.check_password(name, password) is None


def test_passwords_are_kept_as_argon2id_with_their_own_salt(store: Store, clara: User) -> None:
    store.people.create("dora", password=PASSWORD)
    with store._database.reading() as connection:
        kept = list(connection.execute(text("SELECT password_hash FROM users")).scalars())
    assert all(hash.startswith("$argon2id$") for hash in kept)
    assert len(set(kept)) == 2


def test_an_unknown_name_costs_as_much_as_a_wrong_password(store: Store, clara: User) -> None:
    store.people.create("without")
    hasher = passwords._hasher()
    for name in ("clara", "nobody", "without"):
        with patch.object(type(hasher), "verify", autospec=True, side_effect=type(hasher).verify) as verify:
            assert store.people.check_password(name, "wrong password!") is None
        assert verify.call_count == 1, name


@pytest.mark.parametrize("password", ["", "123456789", "x" * 1001])
def test_passwords_have_a_length(store: Store, clara: User, password: str) -> None:
    with pytest.raises(InputError, match="10 to 1000"):
        store.people.create("dora", password=password)
    with pytest.raises(InputError, match="10 to 1000"):
        store.people.update(clara.id, password=password)
    assert [user.name for user in store.people.list()] == ["clara"]


@pytest.mark.parametrize("name", ["", " dora", "do\tra", "do\nra", "x" * 101, "a\x00b"])
def test_names_are_plain(store: Store, name: str) -> None:
    with pytest.raises(InputError):
        store.people.create(name)


def test_names_are_taken_once(store: Store, clara: User) -> None:
    with pytest.raises(Conflict, match="'clara' already"):
        store.people.create("clara")
    dora = store.people.create("dora")
    with pytest.raises(Conflict, match="'clara' already"):
        store.people.update(dora.id, name="clara")
    with pytest.raises(InputError, match="annotator, reviewer, admin"):
        store.people.create("eve", "root")


def test_the_local_person_is_one_and_cannot_log_in(store: Store) -> None:
    local = store.people.local()
    assert store.people.local() == local
    assert (local.role, local.has_password) == ("admin", False)
    assert store.people.check_password("local", "") is None
    assert store.people.count() == 0


def test_a_session_lasts_while_it_is_used(store: Store, clara: User, clock: ManualClock) -> None:
    started = store.people.start_session(clara.id, timedelta(hours=1))
    assert started.session.user == clara
    for _ in range(3):
        clock.pass_by(minutes=50)
        session = store.people.session(started.token, extend=timedelta(hours=1))
        assert session is not None
        assert session.csrf == started.session.csrf
    clock.pass_by(minutes=61)
    assert store.people.session(started.token) is None
    assert store.people.session("made up") is None


def test_a_look_at_a_session_seldom_writes(store: Store, clara: User, clock: ManualClock) -> None:
    started = store.people.start_session(clara.id)
    first = store.people.session(started.token)
    clock.pass_by(seconds=30)
    assert store.people.session(started.token) == first == started.session
    clock.pass_by(seconds=40)
    later = store.people.session(started.token)
    assert later is not None
    assert later.seen > started.session.seen
    assert later.expires > started.session.expires
    assert store.people.session(started.token, extend=None) == later


def test_tokens_are_kept_as_hashes(store: Store, clara: User) -> None:
    tokens = [store.people.start_session(clara.id).token, store.people.invite()]
    with store._database.reading() as connection:
        kept = [
            *connection.execute(text("SELECT token_sha256 FROM sessions")).scalars(),
            *connection.execute(text("SELECT token_sha256 FROM invitations")).scalars(),
        ]
    assert [passwords.token_sha256(token) for token in tokens] == kept
    assert all(len(token) >= 43 for token in tokens), "256 bits"


def test_sessions_end(store: Store, clara: User) -> None:
    here, there = (store.people.start_session(clara.id).token for _ in range(2))
    store.people.end_session(here)
    store.people.end_session("unknown")
    assert store.people.session(here) is None
    assert store.people.session(there) is not None
    assert store.people.end_sessions(clara.id) == 1
    assert store.people.session(there) is None


def test_a_disabled_user_is_out_at_once(store: Store, clara: User) -> None:
    token = store.people.start_session(clara.id).token
    assert store.people.update(clara.id, disabled=True).disabled
    assert store.people.session(token) is None
    assert store.people.check_password("clara", PASSWORD) is None
    with pytest.raises(NotFound, match="disabled"):
        store.people.start_session(clara.id)
    store.people.update(clara.id, disabled=False)
    assert store.people.session(token) is None, "the old session stays ended"
    assert store.people.check_password("clara", PASSWORD) is not None


def test_another_role_or_password_ends_sessions_another_name_does_not(store: Store, clara: User) -> None:
    token = store.people.start_session(clara.id).token
    store.people.update(clara.id, name="klara")
    assert store.people.session(token) is not None
    store.people.update(clara.id, role="reviewer")
    assert store.people.session(token) is None
    token = store.people.start_session(clara.id).token
    store.people.update(clara.id, password="another password")
    assert store.people.session(token) is None
    assert store.people.check_password("klara", "another password") is not None


def test_somebody_has_to_administer(store: Store, clara: User) -> None:
    boss = store.people.create("boss", "admin", password=PASSWORD)
    for change in ({"role": "annotator"}, {"disabled": True}):
        with pytest.raises(Conflict, match="nobody would be left"):
            store.people.update(boss.id, **change)  # type: ignore[arg-type]
    assert store.people.get(boss.id) == boss
    store.people.create("second", "admin", password=PASSWORD)
    assert store.people.update(boss.id, role="annotator").role == "annotator"


def test_an_invitation_is_used_once(store: Store, clock: ManualClock) -> None:
    token = store.people.invite("reviewer")
    user = store.people.redeem(token, "dora", PASSWORD)
    assert (user.role, user.has_password) == ("reviewer", True)
    for used in (token, "made up"):
        with pytest.raises(NotFound, match="used"):
            store.people.redeem(used, "eve", PASSWORD)
    late = store.people.invite(lifetime=timedelta(hours=1))
    clock.pass_by(hours=1)
    with pytest.raises(NotFound, match="run out"):
        store.people.redeem(late, "eve", PASSWORD)


def test_an_invitation_is_not_used_up_by_a_mistake(store: Store, clara: User) -> None:
    token = store.people.invite()
    with pytest.raises(Conflict):
        store.people.redeem(token, "clara", PASSWORD)
    with pytest.raises(InputError):
        store.people.redeem(token, "dora", "short")
    assert store.people.redeem(token, "dora", PASSWORD).name == "dora"


def test_an_invitation_redeemed_twice_at_once_makes_one_account(store: Store) -> None:
    token = store.people.invite()
    calls = [partial(store.people.redeem, token, f"person {i}", PASSWORD) for i in range(3)]
    outcomes = at_once(calls, expected=NotFound)
    assert [type(outcome) for outcome in outcomes].count(User) == 1
    assert len(store.people.list()) == 1


def test_sweeping_forgets_what_ran_out(store: Store, clara: User, clock: ManualClock) -> None:
    store.people.start_session(clara.id, timedelta(hours=1))
    store.people.invite(lifetime=timedelta(hours=1))
    alive = store.people.start_session(clara.id, timedelta(hours=3)).token
    clock.pass_by(hours=2)
    store.people.sweep()
    with store._database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM sessions")).scalar() == 1
        assert connection.execute(text("SELECT count(*) FROM invitations")).scalar() == 0
    assert store.people.session(alive) is not None
    with pytest.raises(NotFound):
        store.people.get(new_id())


def test_real_hashes_cost_what_argon2_advises() -> None:
    """In a process of its own: in this one tests have made them cheap."""
    script = f"from anymask.store import passwords; print(passwords.hash_password({PASSWORD!r}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.fixture
def clara(store: Store) -> User:
    return store.people.create("clara", password=PASSWORD)
