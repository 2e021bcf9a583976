"""Finding by words over HTTP, with an encoder that knows colours."""

from __future__ import annotations

import httpx
import pytest

import anymask.server.routes.find as route
from anymask.core.errors import MissingExtraError
from tests.fake_runtime import FakeRuntime, fake_model, scene
from tests.server.running import running, upload
from tests.text.colours import ColourEncoder

COARSE = {"points_per_side": 6, "stability_score_thresh": 0.1}


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "encoder_of", ColourEncoder)


def test_hits_are_those_of_python(client: httpx.Client, image: str) -> None:
    body = {"texts": ["orange", "blue"], "settings": COARSE}
    answer = client.post(f"/v1/images/{image}/find", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    expected = fake_model().find(scene(), ["orange", "blue"], encoder=ColourEncoder(), **COARSE)
    assert found["records"] == [record.to_json() for record in expected]
    assert [one["category"] for one in found["records"]].count("blue") == 1
    assert (found["encoder"], found["threshold"], found["image"]) == ("colours", 0.5, image)


def test_other_texts_decode_nothing_and_what_is_absent_is_not_found() -> None:
    runtime = FakeRuntime()
    with running(runtime) as client:
        address = f"/v1/images/{upload(client)}/find"
        first = client.post(address, json={"texts": ["orange"], "settings": COARSE}).json()
        decoded = len(runtime.batches)
        second = client.post(address, json={"texts": ["green"], "settings": COARSE}).json()
        assert len(runtime.batches) == decoded > 0
        assert (len(first["records"]), second["records"]) == (1, [])
        assert first["run"] == second["run"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"texts": []},
        {"texts": [""]},
        {"texts": ["   "]},
        {"texts": ["x" * 501]},
        {"texts": ["a", "a"]},
        {"texts": "blue"},
        {"texts": ["blue"], "threshold": 1.5},
        {"texts": ["blue"], "most": 0},
        {"texts": ["blue"], "encoder": "/etc/passwd"},
        {"texts": [str(i) for i in range(101)]},
    ],
)
def test_what_cannot_be_meant_is_refused(client: httpx.Client, image: str, body: dict[str, object]) -> None:
    answer = client.post(f"/v1/images/{image}/find", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_server_without_an_encoder_says_so(
    client: httpx.Client, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise MissingExtraError("pip install 'anymask[text]'")

    monkeypatch.setattr(route, "encoder_of", missing)
    answer = client.post(f"/v1/images/{image}/find", json={"texts": ["blue"], "settings": COARSE})
    assert (answer.status_code, answer.json()["code"]) == (501, "no_encoder")
    assert "anymask[text]" in answer.json()["detail"]
