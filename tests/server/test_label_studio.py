"""Label Studio's ML backend protocol: its own SDK judges the answers, and no address leads elsewhere."""

from __future__ import annotations

import base64
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import numpy as np
import pytest

from anymask.core.polygons import Polygon, polygons_to_mask
from anymask.core.rle import decode
from anymask.formats.label_studio import decode_brush
from anymask.server.config import LabelStudio
from anymask.server.label_studio.labelling import labelling_of
from tests.fake_runtime import FakeRuntime, fake_model, scene
from tests.server.label_studio_server import LEGACY, PERSONAL, LabelStudioServer, label_studio_server
from tests.server.running import png, running
from tests.stubs import import_peer

BRUSH = """<View>
  <Image name="image" value="$photo" zoom="true"/>
  <BrushLabels name="tag" toName="image"><Label value="cup"/><Label value="plate"/></BrushLabels>
  <KeyPointLabels name="tag2" toName="image" smart="true">
    <Label value="cup"/><Label value="plate"/>
  </KeyPointLabels>
  <RectangleLabels name="tag3" toName="image" smart="true"><Label value="cup"/></RectangleLabels>
</View>"""
POLYGON = BRUSH.replace("BrushLabels", "PolygonLabels")
DATA_URI = "data:image/png;base64," + base64.b64encode(png()).decode()
SIZE = {"original_width": 160, "original_height": 120, "image_rotation": 0}


def keypoint(x: float, y: float, label: str = "plate", **more: Any) -> dict[str, Any]:
    """A click at pixel x, y of the scene."""
    value = {"x": 100 * x / 160, "y": 100 * y / 120, "width": 0.3, "keypointlabels": [label]}
    return (
        {"id": "k", "from_name": "tag2", "to_name": "image", "type": "keypointlabels", "value": value}
        | SIZE
        | more
    )


def rectangle(x0: float, y0: float, x1: float, y1: float) -> dict[str, Any]:
    value = {
        "x": 100 * x0 / 160,
        "y": 100 * y0 / 120,
        "width": 100 * (x1 - x0) / 160,
        "height": 100 * (y1 - y0) / 120,
        "rotation": 0,
        "rectanglelabels": ["cup"],
    }
    return {
        "id": "r",
        "from_name": "tag3",
        "to_name": "image",
        "type": "rectanglelabels",
        "value": value,
    } | SIZE


def request(*drawn: dict[str, Any], photo: str = DATA_URI, config: str = BRUSH) -> dict[str, Any]:
    """What Label Studio sends; the context is null where nobody waits for an answer."""
    context = {"result": list(drawn)} if drawn else None
    return {
        "tasks": [{"id": 7, "data": {"photo": photo}, "project": 1, "annotations": []}],
        "model_version": "fake@0.0.1",
        "project": "1.1760000000",
        "label_config": config,
        "params": {"login": None, "password": None, "context": context},
    }


def predict(client: httpx.Client, body: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post("/label-studio/predict", json=body)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


@pytest.fixture(scope="module")
def label_interface() -> ModuleType:
    return import_peer("label_studio_sdk.label_interface")


@pytest.fixture(scope="module")
def brush() -> ModuleType:
    """The SDK's brush masks alone: the package around them imports pandas and nltk."""
    sdk = import_peer("label_studio_sdk")
    assert sdk.__file__ is not None
    path = Path(sdk.__file__).parent / "converter" / "brush.py"
    spec = importlib.util.spec_from_file_location("label_studio_brush", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROMPTS = {
    "click": ([keypoint(55, 45)], {"points": [(55, 45)]}),
    "clicks": (
        [keypoint(55, 45, is_positive=True), keypoint(35, 25, is_positive=False)],
        {"points": [(55, 45, 1), (35, 25, 0)]},
    ),
    "rectangle": ([rectangle(25, 15, 85, 75)], {"box": (25, 15, 85, 75)}),
    "both": (
        [rectangle(25, 15, 85, 75), keypoint(55, 45, is_positive=1)],
        {"points": [(55, 45)], "box": (25, 15, 85, 75)},
    ),
}


@pytest.mark.parametrize(("drawn", "same"), PROMPTS.values(), ids=PROMPTS)
def test_the_sdk_reads_the_mask_that_was_meant(
    client: httpx.Client,
    label_interface: ModuleType,
    brush: ModuleType,
    drawn: list[dict[str, Any]],
    same: dict[str, Any],
) -> None:
    (prediction,) = predict(client, request(*drawn))
    judge = label_interface.LabelInterface(BRUSH)
    assert judge.validate_prediction(prediction, return_errors=True) == []
    (region,) = prediction["result"]
    model = fake_model()
    expected = model.predict(model.embed(scene()), **same).best
    channels = brush.decode_rle(region["value"]["rle"]).reshape(120, 160, 4)
    assert np.array_equal(channels[..., 3] > 0, expected.mask)
    assert np.array_equal(decode(decode_brush(region["value"]["rle"], (120, 160))), expected.mask)
    assert prediction["score"] == region["score"] == expected.score
    assert prediction["model_version"] == "fake@0.0.1"
    assert region["value"]["brushlabels"] == [drawn[-1]["value"][drawn[-1]["type"]][0]]


def test_polygons_where_the_project_has_no_brush(client: httpx.Client, label_interface: ModuleType) -> None:
    (prediction,) = predict(client, request(keypoint(55, 45), config=POLYGON))
    assert label_interface.LabelInterface(POLYGON).validate_prediction(prediction, return_errors=True) == []
    (region,) = prediction["result"]
    assert region["type"] == "polygonlabels"
    corners = np.array(region["value"]["points"]) * [1.6, 1.2]
    model = fake_model()
    expected = model.predict(model.embed(scene()), points=[(55, 45)]).best.mask
    drawn = polygons_to_mask([Polygon(corners)], (120, 160))
    assert (drawn & expected).sum() / (drawn | expected).sum() >= 0.98


def test_without_a_context_every_task_gets_an_empty_result(client: httpx.Client) -> None:
    """Label Studio takes an empty list of results for an error."""
    body = request()
    body["tasks"] = body["tasks"] * 3
    results = predict(client, body)
    assert [result["result"] for result in results] == [[], [], []]
    body["params"] = {}
    assert len(predict(client, body)) == 3
    assert predict(client, request({"type": "textarea", "value": {"text": ["x"]}}))[0]["result"] == []


def test_a_project_is_taken_on(client: httpx.Client) -> None:
    assert client.get("/label-studio/health").json() == {"status": "UP", "model_class": "anymask"}
    assert client.get("/label-studio/").json()["status"] == "UP"
    body = {
        "project": "1.176",
        "schema": BRUSH,
        "hostname": "http://localhost:8080",
        "access_token": "x",
        "extra_params": None,
    }
    assert client.post("/label-studio/setup", json=body).json() == {"model_version": "fake@0.0.1"}
    assert client.get("/label-studio/versions").json() == {"versions": ["fake@0.0.1"]}
    refused = client.post("/label-studio/setup", json={**body, "schema": "<View><Text name='a'/></View>"})
    assert refused.status_code == 422
    assert "<BrushLabels>" in refused.json()["detail"]


@pytest.mark.parametrize("action", ["ANNOTATION_CREATED", "ANNOTATION_UPDATED", "START_TRAINING", "NEW_ONE"])
def test_events_are_taken_note_of(client: httpx.Client, action: str) -> None:
    answer = client.post("/label-studio/webhook", json={"action": action, "project": {"id": 1}})
    assert answer.status_code == 201


def test_the_configuration_decides_what_is_drawn() -> None:
    found = labelling_of(BRUSH)
    assert (found.image, found.field, found.control, found.kind) == ("image", "photo", "tag", "brushlabels")
    assert found.label("plate") == "plate"
    assert found.label("spoon") == found.label(None) == "cup"
    plain = labelling_of('<View><Image name="i" value="$a"/><Brush name="b" toName="i"/></View>')
    assert (plain.kind, plain.label("cup")) == ("brush", None)
    dynamic = '<View><Image name="i" value="$a"/><BrushLabels name="b" toName="i" value="$labels"/></View>'
    assert labelling_of(dynamic).label("anything") == "anything"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no place for masks": (request(keypoint(5, 5), config="<View/>"), "BrushLabels"),
    "no XML": (request(keypoint(5, 5), config="<View"), "XML"),
    "XML that grows": (
        request(keypoint(5, 5), config='<!DOCTYPE a [<!ENTITY b "c">]><View>&b;</View>'),
        "",
    ),
    "outside": (request(keypoint(500, 5)), "outside the image"),
    "a word for a number": (request({"type": "keypointlabels", "value": {"x": "a", "y": 1}}), "'x'"),
    "no value": (request({"type": "keypointlabels"}), "'value'"),
    "half positive": (request(keypoint(5, 5, is_positive=0.5)), "is_positive"),
    "no picture": (request(keypoint(5, 5), photo=""), "'photo'"),
    "not base64": (request(keypoint(5, 5), photo="data:image/png;base64,???"), "base64"),
}


@pytest.mark.parametrize(("body", "words"), WRONG.values(), ids=WRONG)
def test_wrong_requests_are_told(client: httpx.Client, body: dict[str, Any], words: str) -> None:
    answer = client.post("/label-studio/predict", json=body)
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["detail"]


# Fetching pictures


@pytest.fixture
def label_studio() -> Iterator[LabelStudioServer]:
    with label_studio_server() as server:
        server.pictures["/data/upload/1/my%20photo.png"] = png()
        yield server


@pytest.mark.parametrize("token", [LEGACY, PERSONAL], ids=["legacy", "personal"])
@pytest.mark.parametrize("as_path", [True, False])
def test_pictures_come_from_label_studio(label_studio: LabelStudioServer, token: str, as_path: bool) -> None:
    """Its addresses may be relative; a picture is fetched once for many clicks."""
    runtime = FakeRuntime()
    with running(runtime, label_studio=LabelStudio(label_studio.url, token)) as client:
        photo = ("" if as_path else label_studio.url) + "/data/upload/1/my photo.png"
        for x in (40, 55):
            (prediction,) = predict(client, request(keypoint(x, 45), photo=photo))
            assert prediction["result"]
    assert label_studio.asked == ["/data/upload/1/my%20photo.png"]
    assert runtime.encoded == 1


FOREIGN = [
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1:1/x.png",
    "http://localhost/x.png",
    "http://[::1]/x.png",
    "http://[::ffff:127.0.0.1]/x.png",
    "http://2130706433/x.png",
    "http://10.0.0.1/x.png",
    "//evil.example/x.png",
    "https://evil.example/x.png",
    "http://user:password@HOST/x.png",
    "http://HOST@evil.example/x.png",
    "http://HOST.evil.example/x.png",
    "file:///etc/passwd",
    "ftp://HOST/x.png",
    "gopher://HOST/x.png",
    "s3://bucket/x.png",
    "https://HOST/x.png",
    "http://[/x.png",
    "http://HOST:99999/x.png",
]


@pytest.mark.parametrize("address", FOREIGN)
def test_no_request_leads_anywhere_else(label_studio: LabelStudioServer, address: str) -> None:
    address = address.replace("HOST:99999", "127.0.0.1:99999").replace("HOST", label_studio.url[7:])
    with running(label_studio=LabelStudio(label_studio.url, LEGACY)) as client:
        answer = client.post("/label-studio/predict", json=request(keypoint(5, 5), photo=address))
    assert (answer.status_code, answer.json()["code"]) == (422, "foreign_picture")
    assert label_studio.asked == []


def test_redirects_are_not_followed(label_studio: LabelStudioServer) -> None:
    with running(label_studio=LabelStudio(label_studio.url, LEGACY)) as client:
        answer = client.post("/label-studio/predict", json=request(keypoint(5, 5), photo="/redirect"))
    assert (answer.status_code, answer.json()["code"]) == (503, "no_picture")
    assert "302" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/\\evil.example/x", "/x\r\nX-Evil: 1", "/../../etc/passwd", "/%0d%0aX: 1", "/ü.png"]
)
def test_paths_stay_paths(label_studio: LabelStudioServer, path: str) -> None:
    with running(label_studio=LabelStudio(label_studio.url, LEGACY)) as client:
        answer = client.post("/label-studio/predict", json=request(keypoint(5, 5), photo=path))
    assert answer.status_code in (422, 503)
    assert len(label_studio.asked) <= 1
    assert all("\n" not in asked and " " not in asked for asked in label_studio.asked)


def test_without_a_label_studio_nothing_is_fetched(client: httpx.Client) -> None:
    answer = client.post("/label-studio/predict", json=request(keypoint(5, 5), photo="/data/a.png"))
    assert (answer.status_code, answer.json()["code"]) == (422, "no_source")


def test_a_token_that_is_not_taken_is_told_and_not_shown(label_studio: LabelStudioServer) -> None:
    for token in ("wrong-token-wrong", "wrong.token.wrong"):
        with running(label_studio=LabelStudio(label_studio.url, token)) as client:
            answer = client.post("/label-studio/predict", json=request(keypoint(5, 5), photo="/data/a.png"))
        assert answer.status_code == 503
        assert token not in answer.text


def test_a_picture_that_is_too_large_or_none(label_studio: LabelStudioServer) -> None:
    label_studio.pictures |= {"/large.png": b"x" * 20_000, "/page.html": b"<html>"}
    with running(label_studio=LabelStudio(label_studio.url, LEGACY), max_upload_bytes=10_000) as client:
        statuses = [
            client.post("/label-studio/predict", json=request(keypoint(5, 5), photo=photo)).status_code
            for photo in ("/large.png", "/page.html", "/missing.png")
        ]
    assert statuses == [413, 415, 503]


def test_a_label_studio_that_is_gone_is_told() -> None:
    with label_studio_server() as gone:
        url = gone.url
    with running(label_studio=LabelStudio(url)) as client:
        answer = client.post("/label-studio/predict", json=request(keypoint(5, 5), photo="/a.png"))
    assert (answer.status_code, answer.json()["code"]) == (503, "no_picture")
    assert url not in answer.text
