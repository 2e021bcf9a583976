"""The OpenAPI document is the contract: requests made from it break neither the server nor the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from anymask.studio.app import studio_api
from anymask.studio.openapi import document
from tests.studio.served import PASSWORD, Running, fill, running
from tests.studio.test_security import everything_of

CHECKED = [
    check
    for check in CHECKS.get_all()
    if check.__name__
    not in (
        # A prompt that fits the schema can still lie outside its image; that is a 422, too.
        "positive_data_acceptance",
        # Sessions and the CSRF token are not the document's; test_security walks all addresses without them.
        "ignored_auth",
    )
]
ROLES = ("annotator", "reviewer", "admin")
SMALL = {"points_per_side": 2, "crop_n_layers": 0}
"""A grid of a thousand clicks tells no more about the contract."""
ENDLESS = ("/api/v1/projects/{id}/events-stream",)
"""Answers without an end; tests/studio/test_events.py reads them."""
ENDS_SESSIONS = (
    "/api/v1/logout",
    "/api/v1/me/password",
    "/api/v1/login",
    "/api/v1/setup",
    "/api/v1/redeem",
    "/api/v1/users/{id}",
)
PATHS = studio_api().openapi()["paths"]
OPERATIONS = [(path, method) for path, methods in PATHS.items() for method in methods if path not in ENDLESS]


@dataclass
class People:
    """A browser for each role, and ids that are there."""

    studio: Running
    browsers: dict[str, httpx.Client]
    ids: dict[str, str]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    folder = tmp_path_factory.mktemp("fuzzed")
    fill(folder)
    with (
        running(folder, accounts=True) as studio,
        studio.person("annotator") as annotator,
        studio.person("reviewer", "reviewer") as reviewer,
        studio.person("admin", "admin") as admin,
    ):
        studio.services.store.people.create("second admin", "admin", password=PASSWORD)
        me = reviewer.get("/api/v1/me").json()["user"]["id"]
        browsers = {"annotator": annotator, "reviewer": reviewer, "admin": admin}
        yield People(studio, browsers, everything_of(studio, reviewer, me))


@pytest.fixture(scope="module")
def api(people: People) -> Any:
    return schemathesis.openapi.from_url(
        f"{people.studio.address}/api/v1/openapi.json", headers=headers(people, "admin")
    )


def headers(people: People, role: str) -> dict[str, str]:
    """What a browser of somebody of this role sends."""
    browser = people.browsers[role]
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return {"Cookie": cookies, "X-CSRF-Token": browser.headers["X-CSRF-Token"]}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_requests_made_from_the_schema(
    api: Any, people: People, path: str, method: str, mode: GenerationMode, role: str
) -> None:
    """Right and wrong requests, about things that are there where the path names one."""
    operation = api[path][method.upper()]
    is_wrong = mode is GenerationMode.NEGATIVE
    if is_wrong and not (operation.body or list(operation.iter_parameters())):
        return  # nothing that could be wrong
    if is_wrong and role != "admin":
        return  # wrong requests are refused for being wrong, whoever makes them
    sent = {} if path in ENDS_SESSIONS else headers(people, role)
    # what would be removed is left for the other tests
    known = None if method == "delete" else people.ids.get(path.split("/")[3])

    @settings(max_examples=4, suppress_health_check=list(HealthCheck), deadline=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        if not is_wrong:
            for name in ("id", "run"):
                if known is not None and name in (case.path_parameters or {}):
                    case.path_parameters[name] = known
            if path.endswith("/everything"):
                case.body = {**case.body, "settings": {**case.body.get("settings", {}), **SMALL}}
        case.call_and_validate(checks=CHECKED, headers=sent, timeout=120)

    run()


def test_every_operation_is_named_and_described() -> None:
    operations = [operation for path in PATHS.values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names) >= 50
    assert all(operation["description"] for operation in operations)
    for name, operation in zip(names, operations, strict=True):
        assert "application/problem+json" in operation["responses"]["422"]["content"], name


def test_the_client_is_generated_from_the_present_document() -> None:
    """`python -m anymask.studio.openapi > studio/openapi.json`, and the front end's `npm run api`."""
    committed = Path(__file__).parents[2] / "studio" / "openapi.json"
    assert committed.read_text("utf-8") == document()
