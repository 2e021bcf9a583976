"""The OpenAPI document is the contract: requests made from it never break the server, nor it the contract."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from anymask.server.app import create_app
from tests.fake_runtime import fake_model
from tests.server.running import upload

CHECKED = [
    check
    for check in CHECKS.get_all()
    if check.__name__
    not in (
        # A prompt that fits the schema can still lie outside its image; that is a 422, too.
        "positive_data_acceptance",
        # One token for all, checked by test_security.
        "ignored_auth",
    )
]
SMALL = {"points_per_side": 2, "crop_n_layers": 0}
"""A grid of a thousand clicks tells no more about the contract."""

PATHS = create_app([fake_model()]).openapi()["paths"]
OPERATIONS = [(path, method) for path, methods in PATHS.items() for method in methods]


@pytest.fixture(scope="session")
def api(client: httpx.Client) -> Any:
    return schemathesis.openapi.from_url(f"{client.base_url}/v1/openapi.json")


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_requests_made_from_the_schema(
    api: Any, client: httpx.Client, path: str, method: str, mode: GenerationMode
) -> None:
    """Right and wrong requests; about an image that is there where the path names one."""
    operation = api[path][method.upper()]
    if mode is GenerationMode.NEGATIVE and not (operation.body or list(operation.iter_parameters())):
        return  # nothing that could be wrong

    @settings(max_examples=8, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        if mode is GenerationMode.POSITIVE and "image" in (case.path_parameters or {}):
            case.path_parameters["image"] = upload(client)
        if mode is GenerationMode.POSITIVE and path.endswith("/everything"):
            case.body = {**case.body, "settings": {**case.body.get("settings", {}), **SMALL}}
        case.call_and_validate(checks=CHECKED, timeout=120)

    run()


def test_every_operation_is_named_and_described(client: httpx.Client) -> None:
    paths = client.get("/v1/openapi.json").json()["paths"]
    operations = [operation for path in paths.values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names) >= 12
    assert all(operation["description"] for operation in operations)
    for name, operation in zip(names, operations, strict=True):
        if not name.endswith("health"):
            assert "application/problem+json" in operation["responses"]["422"]["content"], name
