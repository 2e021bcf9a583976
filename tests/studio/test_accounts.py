"""Accounts: how people come in, what each role may do, and that nobody else gets anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from anymask.store import User, passwords
from tests.studio.served import PASSWORD, Running, fill, new_id, running

API = "/api/v1"


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A studio with accounts."""
    folder = tmp_path_factory.mktemp("team")
    fill(folder)
    with running(folder, accounts=True) as studio:
        studio.services.store.people.create("boss", "admin", password=PASSWORD)
        yield studio


def test_there_is_nobody_at_first(folder: Path) -> None:
    with running(folder, accounts=True) as studio:
        me = studio.client.get(f"{API}/me").json()
        assert (me["user"], me["csrf"], me["accounts"], me["setup"]) == (None, None, True, True)
        for name, password in (("admin", "admin"), ("local", "local"), ("admin", "password"), ("root", "")):
            body = {"name": name, "password": password}
            assert studio.client.post(f"{API}/login", json=body).status_code in (401, 422)
        assert studio.services.store.people.list() == []


def test_the_first_administrator_comes_in_once_by_the_link(folder: Path) -> None:
    with running(folder, accounts=True) as studio:
        link = studio.services.setup.link("http://here")
        assert link is not None
        address, _, token = link.partition("?token=")
        assert address == "http://here/#/setup"
        account = {"token": token, "name": "Ada", "password": PASSWORD}
        with studio.visitor() as stranger:
            wrong = stranger.post(f"{API}/setup", json={**account, "token": "x" * 32})
            assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_token")
            with_role = stranger.post(f"{API}/setup", json={**account, "role": "admin"})
            assert with_role.status_code == 422
        with ThreadPoolExecutor(4) as pool:  # who uses it at the same moment does not come in, too
            names = ["Ada", "Bea", "Cleo", "Dora"]
            made = list(pool.map(lambda name: set_up(studio, {**account, "name": name}), names))
        assert sorted(answer.status_code for answer in made) == [200, 403, 403, 403]
        first = next(answer for answer in made if answer.status_code == 200).json()
        assert first["user"]["role"] == "admin"
        assert [user.role for user in studio.services.store.people.list()] == ["admin"]
        assert studio.services.setup.link("http://here") is None
        assert set_up(studio, {**account, "name": "Eve"}).status_code == 403
        assert studio.client.get(f"{API}/me").json()["setup"] is False
    with running(folder, accounts=True) as studio:  # the next start makes no new link
        assert studio.services.setup.link("http://here") is None


def set_up(studio: Running, account: dict[str, str]) -> httpx.Response:
    with studio.visitor() as client:
        return client.post(f"{API}/setup", json=account)


def test_signing_up_is_by_invitation_which_counts_once(team: Running) -> None:
    with team.login("boss") as boss, team.visitor() as stranger:
        invitation = boss.post(f"{API}/invitations", json={"role": "reviewer"}).json()
        assert invitation["path"] == f"/#/redeem?token={invitation['token']}"
        account = {"token": invitation["token"], "name": "Rita", "password": PASSWORD}
        for wrong in ({"role": "admin"}, {"id": new_id()}, {"disabled": False}):
            assert stranger.post(f"{API}/redeem", json={**account, **wrong}).status_code == 422
        assert stranger.post(f"{API}/redeem", json={**account, "token": "no"}).status_code == 403
        short = stranger.post(f"{API}/redeem", json={**account, "password": "short"})
        assert (short.status_code, "password" in short.json()["detail"]) == (422, True)
        taken = stranger.post(f"{API}/redeem", json={**account, "name": "boss"})
        assert taken.status_code == 409
        answer = stranger.post(f"{API}/redeem", json=account)
        assert answer.json()["user"] == {
            "id": answer.json()["user"]["id"],
            "name": "Rita",
            "role": "reviewer",
        }
        assert stranger.get(f"{API}/projects").status_code == 200
    with team.visitor() as late:
        assert late.post(f"{API}/redeem", json={**account, "name": "Late"}).status_code == 403


def test_a_cookie_is_for_this_site_alone_and_the_database_cannot_be_used_to_make_one(team: Running) -> None:
    with team.visitor() as client:
        answer = client.post(f"{API}/login", json={"name": "boss", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        token = cookie.partition("=")[2].partition(";")[0]
        assert {"HttpOnly", "Path=/", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
        stored = b"".join(path.read_bytes() for path in team.services.workspace.own.glob("studio.db*"))
        assert token.encode() not in stored
        assert PASSWORD.encode() not in stored


def test_behind_https_the_cookie_travels_only_there(folder: Path) -> None:
    with running(folder, accounts=True, proxies=("127.0.0.1",)) as studio:
        studio.services.store.people.create("boss", "admin", password=PASSWORD)
        answer = studio.client.post(
            f"{API}/login",
            json={"name": "boss", "password": PASSWORD},
            headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"},
        )
        assert "Secure" in answer.headers["set-cookie"]


def test_every_login_is_a_new_session_and_ends_the_one_before(team: Running) -> None:
    with team.login("boss") as client:
        old = dict(client.cookies)
        client.post(f"{API}/login", json={"name": "boss", "password": PASSWORD})
        assert dict(client.cookies) != old
        with team.visitor() as thief:
            thief.cookies.update(old)
            assert thief.get(f"{API}/projects").status_code == 401


def test_a_planted_cookie_is_worth_nothing_after_login(team: Running) -> None:
    name = team.services.entry.cookie
    with team.visitor() as client:
        client.cookies.set(name, "planted")
        answer = client.post(f"{API}/login", json={"name": "boss", "password": PASSWORD})
        assert answer.status_code == 200
        assert "planted" not in answer.headers["set-cookie"]
    with team.visitor() as thief:
        thief.cookies.set(name, "planted")
        assert thief.get(f"{API}/projects").status_code == 401


def test_logging_out_ends_the_session_everywhere(team: Running) -> None:
    with team.login("boss") as client, team.visitor() as thief:
        thief.cookies.update(client.cookies)
        assert thief.get(f"{API}/projects").status_code == 200
        assert client.post(f"{API}/logout").status_code == 204
        assert thief.get(f"{API}/projects").status_code == 401
        assert client.get(f"{API}/me").json()["user"] is None


@pytest.mark.parametrize(
    "change", [{"password": "another password"}, {"disabled": True}, {"role": "reviewer"}], ids=str
)
def test_a_change_of_an_account_ends_its_sessions(team: Running, change: dict[str, Any]) -> None:
    name = f"changed {sorted(change)}"
    with team.person(name) as client, team.login("boss") as boss:
        user = client.get(f"{API}/me").json()["user"]["id"]
        assert boss.patch(f"{API}/users/{user}", json=change).status_code == 200
        assert client.get(f"{API}/projects").status_code == 401


def test_people_change_their_own_password_and_need_the_old_one(team: Running) -> None:
    new = "a better password"
    with team.person("changing") as client, team.login("changing") as elsewhere:
        wrong = client.post(f"{API}/me/password", json={"old": "a wrong one", "new": new})
        assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_login")
        assert client.post(f"{API}/me/password", json={"old": PASSWORD, "new": "short"}).status_code == 422
        changed = client.post(f"{API}/me/password", json={"old": PASSWORD, "new": new})
        assert changed.json()["user"]["name"] == "changing"
        assert client.get(f"{API}/projects").status_code == 200
        assert elsewhere.get(f"{API}/projects").status_code == 401
    with team.visitor() as client:
        for password, code in ((PASSWORD, 401), (new, 200)):
            login = {"name": "changing", "password": password}
            assert client.post(f"{API}/login", json=login).status_code == code


def test_somebody_disabled_cannot_log_in(team: Running) -> None:
    with team.person("gone") as client, team.login("boss") as boss:
        user = client.get(f"{API}/me").json()["user"]["id"]
        boss.patch(f"{API}/users/{user}", json={"disabled": True})
        assert client.post(f"{API}/login", json={"name": "gone", "password": PASSWORD}).status_code == 401


def test_the_last_administrator_stays_one(folder: Path) -> None:
    with running(folder, accounts=True) as studio:
        studio.services.store.people.create("boss", "admin", password=PASSWORD)
        with studio.login("boss") as boss:
            me = boss.get(f"{API}/me").json()["user"]["id"]
            for change in ({"role": "annotator"}, {"disabled": True}):
                assert boss.patch(f"{API}/users/{me}", json=change).status_code == 409


def test_nobody_promotes_themselves(team: Running) -> None:
    with team.person("climber", "reviewer") as client:
        me = client.get(f"{API}/me").json()["user"]["id"]
        for change in ({"role": "admin"}, {"name": "boss2"}, {"password": "a new password"}):
            assert client.patch(f"{API}/users/{me}", json=change).status_code == 403
        for path, body in (
            ("/users", {"name": "puppet", "role": "admin", "password": PASSWORD}),
            ("/invitations", {"role": "admin"}),
            ("/projects", {"name": "mine"}),
        ):
            assert client.post(f"{API}{path}", json=body).status_code == 403
        project = client.get(f"{API}/projects").json()["items"][0]["id"]
        change = {"settings": {"members": [me]}}
        assert client.patch(f"{API}/projects/{project}", json=change).status_code == 403
        assert client.get(f"{API}/users").status_code == 403


def test_an_unknown_name_costs_the_same_work(team: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = passwords._hasher()
    passwords._of_nobody()
    checked: list[str] = []

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            checked.append(stored.rpartition("$")[0].rpartition("$")[0])  # the parameters of the hash
            return hasher.verify(stored, password)

    monkeypatch.setattr(passwords, "_hasher", lambda: Counting())
    with team.visitor() as client:
        answers = [
            client.post(f"{API}/login", json={"name": name, "password": "wrong password"})
            for name in ("boss", "nobody of this name")
        ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()
    assert len(checked) == 2
    assert checked[0] == checked[1]


def test_guessing_is_slowed_down_even_for_the_right_password(folder: Path) -> None:
    with running(folder, accounts=True) as studio:
        make_checks_fast(studio)
        guesses = [{"name": "boss", "password": f"guess number {n}"} for n in range(30)]
        codes = [studio.client.post(f"{API}/login", json=guess).status_code for guess in guesses]
        assert codes[:10] == [401] * 10
        answer = studio.client.post(f"{API}/login", json={"name": "boss", "password": PASSWORD})
        assert (answer.status_code, 429 in codes) == (429, True)
        assert int(answer.headers["Retry-After"]) >= 1


def make_checks_fast(studio: Running) -> None:
    """Checking passwords is slow by design: the buckets would fill up again between two guesses."""
    boss = studio.services.store.people.create("boss", "admin", password=PASSWORD)

    def check(name: str, password: str) -> User | None:
        return boss if (name, password) == ("boss", PASSWORD) else None

    studio.services.store.people.check_password = check  # type: ignore[method-assign]


def test_guessing_tokens_is_slowed_down(folder: Path) -> None:
    with running(folder, accounts=True) as studio, studio.visitor() as client:
        for path in ("redeem", "setup"):
            for _ in range(12):
                body = {"token": "guess", "name": "Eve", "password": PASSWORD}
                last = client.post(f"{API}/{path}", json=body)
        assert last.status_code == 429


def test_a_name_that_many_guess_at_is_slowed_down(folder: Path) -> None:
    """Each guess comes from another address; their number is what counts."""
    with running(folder, accounts=True, proxies=("127.0.0.1",)) as studio:
        make_checks_fast(studio)
        codes = set()
        with studio.visitor() as client:
            for number in range(120):
                answer = client.post(
                    f"{API}/login",
                    json={"name": "boss", "password": "guess guess"},
                    headers={"X-Forwarded-For": f"198.51.100.{number}"},
                )
                codes.add(answer.status_code)
        assert codes == {401, 429}


def test_without_accounts_nobody_logs_in(studio: Running) -> None:
    answer = studio.client.post(f"{API}/login", json={"name": "local", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_accounts")


def test_local_accounts_get_no_rights_where_people_log_in(folder: Path) -> None:
    with running(folder) as studio:
        csrf = studio.client.headers["X-CSRF-Token"]
    with running(folder, accounts=True) as studio:
        studio.client.headers["X-CSRF-Token"] = csrf
        assert studio.client.get(f"{API}/projects").status_code == 401
        assert studio.client.post(f"{API}/projects", json={"name": "mine"}).status_code == 401
