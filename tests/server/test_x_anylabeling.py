"""X-AnyLabeling's server protocol, by the fields that its program reads and its documentation lists."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import httpx
import numpy as np
import pytest

from anymask.core.polygons import Polygon, polygons_to_mask
from tests.fake_runtime import fake_model, scene
from tests.server.running import TOKEN, png, running

BASE64 = base64.b64encode(png()).decode()
SHAPE = {
    "label": str,
    "shape_type": str,
    "points": list,
    "score": float,
    "attributes": dict,
    "description": type(None),
    "difficult": bool,
    "direction": int,
    "flags": type(None),
    "group_id": type(None),
    "kie_linking": list,
}


def point(x: float, y: float, label: int = 1) -> dict[str, Any]:
    return {"type": "point", "data": [x, y], "label": label}


def predict(client: httpx.Client, *marks: dict[str, Any], image: str = BASE64, **params: Any) -> Any:
    sent = {
        "conf_threshold": 0.0,
        "iou_threshold": 0.0,
        "epsilon_factor": 0.001,
        "marks": list(marks),
        **params,
    }
    body = {"model": "fake", "image": f"data:image/png;base64,{image}", "params": sent}
    answer = client.post("/x-anylabeling/v1/predict", json=body, headers={"Token": ""})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_health_and_models(client: httpx.Client) -> None:
    health = client.get("/x-anylabeling/health").json()
    assert (health["status"], health["models_loaded"]) == ("healthy", 2)
    assert datetime.fromisoformat(health["timestamp"]).tzinfo is not None
    answer = client.get("/x-anylabeling/v1/models").json()
    assert answer["success"] is True
    assert list(answer["data"]) == ["fake", "other"]
    about = answer["data"]["fake"]
    names = [widget["name"] for widget in about["widgets"]]
    assert {"button_add_point", "button_remove_point", "button_add_rect", "button_finish_object"} <= set(
        names
    )
    assert about["display_name"] == "anymask fake@0.0.1"
    info = client.get("/x-anylabeling/v1/models/other/info").json()
    assert info["data"]["model_id"] == "other"
    missing = client.get("/x-anylabeling/v1/models/none/info").json()
    assert (missing["success"], missing["error"]["code"]) == (False, "MODEL_NOT_FOUND")


def test_marks_become_a_polygon_of_the_mask(client: httpx.Client) -> None:
    answer = predict(client, point(55, 45))
    assert answer["success"] is True
    assert answer["data"]["replace"] is False
    (shape,) = answer["data"]["shapes"]
    assert {name: type(value) for name, value in shape.items()} == SHAPE
    assert (shape["label"], shape["shape_type"]) == ("AUTOLABEL_OBJECT", "polygon")
    model = fake_model()
    expected = model.predict(model.embed(scene()), points=[(55, 45)]).best
    drawn = polygons_to_mask([Polygon(np.array(shape["points"]))], (120, 160))
    assert np.array_equal(drawn, expected.mask)
    assert shape["points"][0] != shape["points"][-1]
    assert shape["score"] == expected.score


def test_points_off_the_object_and_a_rectangle(client: httpx.Client) -> None:
    answer = predict(client, point(55, 45), point(35, 25, 0), {"type": "rectangle", "data": [85, 75, 25, 15]})
    (shape,) = answer["data"]["shapes"]
    model = fake_model()
    same = {"points": [(55, 45, 1), (35, 25, 0)], "box": (25, 15, 85, 75)}
    expected = model.predict(model.embed(scene()), **same).best
    drawn = polygons_to_mask([Polygon(np.array(shape["points"]))], (120, 160))
    assert (drawn & expected.mask).sum() / (drawn | expected.mask).sum() > 0.95


def test_a_rectangle_each_is_an_object_each(client: httpx.Client) -> None:
    boxes = [[25, 15, 85, 75], [95, 35, 155, 115]]
    answer = predict(client, *({"type": "rectangle", "data": box} for box in boxes))
    corners = [np.array(shape["points"]) for shape in answer["data"]["shapes"]]
    assert len(corners) == 2
    for points, (x0, y0, x1, y1) in zip(corners, boxes, strict=True):
        assert points.min(axis=0) == pytest.approx([x0, y0], abs=8)
        assert points.max(axis=0) == pytest.approx([x1, y1], abs=8)


def test_the_slider_leaves_vertices_out(client: httpx.Client) -> None:
    fine, coarse = (
        len(predict(client, point(55, 45), epsilon_factor=factor)["data"]["shapes"][0]["points"])
        for factor in (0.0, 0.1)
    )
    assert coarse < fine


def test_no_marks_no_shapes(client: httpx.Client) -> None:
    assert predict(client)["data"]["shapes"] == []
    assert predict(client, point(55, 45), conf_threshold=1.0)["data"]["shapes"] == []


def test_base64_alone_is_an_image_too(client: httpx.Client) -> None:
    body = {"model": "fake", "image": BASE64, "params": {"marks": [point(55, 45)]}}
    assert client.post("/x-anylabeling/v1/predict", json=body).json()["data"]["shapes"]


def test_what_is_wrong_comes_with_status_200(client: httpx.Client) -> None:
    """The program shows the message of other statuses as a broken connection."""
    wrong = {
        "INVALID_IMAGE": predict(client, point(1, 1), image=base64.b64encode(b"<svg/>").decode()),
        "INVALID_REQUEST": predict(client, point(500, 1)),
        "MODEL_NOT_FOUND": client.post(
            "/x-anylabeling/v1/predict", json={"model": "none", "image": BASE64}
        ).json(),
    }
    for code, answer in wrong.items():
        assert (answer["success"], answer["error"]["code"]) == (False, code)
        assert answer["error"]["message"]


def test_its_token_header_opens() -> None:
    with running(token=TOKEN) as client:
        assert client.get("/x-anylabeling/health").status_code == 200
        assert client.get("/x-anylabeling/v1/models", headers={"Token": ""}).status_code == 401
        assert client.get("/x-anylabeling/v1/models", headers={"Token": TOKEN}).status_code == 200
