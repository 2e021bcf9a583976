"""The plain REST API on a real server."""

from __future__ import annotations

import base64
import io

import httpx
import numpy as np
import pytest
from PIL import Image

from anymask.core.images import Picture
from anymask.core.prompt import Prompt
from anymask.core.record import MaskRecord
from tests.fake_runtime import fake_model, scene
from tests.server.running import png, upload

SPOT = [55, 45]


def test_health(client: httpx.Client) -> None:
    assert client.get("/v1/health").json()["status"] == "ok"


def test_models_tell_what_is_served(client: httpx.Client) -> None:
    models = client.get("/v1/models").json()["models"]
    assert [(model["name"], model["default"]) for model in models] == [("fake", True), ("other", False)]


@pytest.mark.parametrize("as_form", [True, False])
def test_an_upload_is_known_by_its_pixels(client: httpx.Client, as_form: bool) -> None:
    sent = {"files": {"file": ("../../x.svg", png(), "text/html")}} if as_form else {"content": png()}
    headers = {} if as_form else {"Content-Type": "image/png"}
    answer = client.post("/v1/images", headers=headers, **sent)  # type: ignore[arg-type]
    assert answer.status_code == 201
    known = answer.json()
    assert known["id"] == Picture(scene()).sha256
    assert (known["width"], known["height"], known["media_type"]) == (160, 120, "image/png")
    assert client.get(f"/v1/images/{known['id']}").json()["bytes"] == len(png())


def test_a_prompt_is_answered_as_in_python(client: httpx.Client, image: str) -> None:
    answer = client.post(f"/v1/images/{image}/prompt", json={"points": [SPOT], "stability": True})
    assert answer.status_code == 200
    found = answer.json()
    model = fake_model()
    expected = model.predict(model.embed(scene()), points=[SPOT])
    assert found["model"] == "fake@0.0.1"
    assert len(found["candidates"]) == len(expected) == 3
    for got, candidate in zip(found["candidates"], expected, strict=True):
        record = MaskRecord.from_json({name: got[name] for name in got if name != "png"})
        assert np.array_equal(record.mask, candidate.mask)
        assert record.score == candidate.score
        assert record.stability == candidate.stability
        assert record.provenance["image_sha256"] == image


PROMPTS = {
    "box": {"box": [25, 15, 85, 75]},
    "two points": {"points": [[55, 45, 1], [120, 60, 0]]},
    "scribble": {"scribble": [[[35, 25], [75, 65]]]},
    "polygon": {"polygon": [[25, 15], [85, 15], [85, 75], [25, 75]]},
    "several": {"box": [25, 15, 85, 75], "points": [[55, 45, 1]]},
}


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_every_kind_of_prompt(client: httpx.Client, image: str, prompt: dict[str, list[object]]) -> None:
    answer = client.post(f"/v1/images/{image}/prompt", json=prompt)
    assert answer.status_code == 200, answer.text
    model = fake_model()
    asked = Prompt.of((120, 160), **prompt)  # type: ignore[arg-type]
    expected = model.predict_many(model.embed(scene()), [asked])[0]
    best = answer.json()["candidates"][0]
    assert best["segmentation"] == expected.best.to_record().rle.to_coco()
    assert best["area"] > 0


def test_the_best_mask_as_a_picture(client: httpx.Client, image: str) -> None:
    answer = client.post(
        f"/v1/images/{image}/prompt", json={"points": [SPOT]}, headers={"Accept": "image/png"}
    )
    assert answer.headers["content-type"] == "image/png"
    model = fake_model()
    expected = model.predict(model.embed(scene()), points=[SPOT]).best.mask
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))) > 0, expected)
    inside = client.post(
        f"/v1/images/{image}/prompt", json={"points": [SPOT], "encoding": "png", "only_best": True}
    ).json()["candidates"]
    assert len(inside) == 1
    assert base64.b64decode(inside[0]["png"]) == answer.content


def test_an_upload_is_embedded_once(client: httpx.Client) -> None:
    pixels = scene()
    pixels[0, 0] = 1
    image = upload(client, png(pixels))
    assert client.get(f"/v1/images/{image}").json()["embedded"] == []
    answer = client.post(f"/v1/images/{image}/embedding", params={"model": "other"}).json()
    assert answer["model"] == "other@0.0.1"
    assert client.get(f"/v1/images/{image}").json()["embedded"] == ["other"]


def test_a_deleted_image_is_gone(client: httpx.Client) -> None:
    pixels = scene()
    pixels[0, 0] = 2
    image = upload(client, png(pixels))
    kept = client.post(f"/v1/images/{image}/prompt", json={"points": [SPOT]}).json()["prediction"]
    assert client.delete(f"/v1/images/{image}").status_code == 204
    assert client.get(f"/v1/images/{image}").status_code == 404
    assert client.post(f"/v1/images/{image}/prompt", json={"points": [SPOT]}).status_code == 404
    assert upload(client, png(pixels)) == image
    again = {"points": [SPOT], "previous": {"prediction": kept}}
    assert client.post(f"/v1/images/{image}/prompt", json=again).json()["code"] == "unknown_prediction"
