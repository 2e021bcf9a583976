"""Everything mode over HTTP: the same records as in Python, and other filters without decoding."""

from __future__ import annotations

from typing import get_args

import httpx
import pytest

from anymask.automatic import PRESETS, AutomaticSettings
from anymask.automatic.state import FILTERS
from anymask.server.schemas import EverythingRequest, Filters, Settings
from tests.fake_runtime import FakeRuntime, fake_model, scene
from tests.server.running import running, upload

COARSE = {"points_per_side": 6, "stability_score_thresh": 0.1}


def test_the_schema_knows_every_preset_and_setting() -> None:
    presets = EverythingRequest.model_fields["preset"].annotation
    assert set(get_args(get_args(presets)[0])) == set(PRESETS)
    assert set(Filters.model_fields) == set(FILTERS)
    # Grids of one's own and the memory of the process are not for callers.
    sent = set(AutomaticSettings.__dataclass_fields__) - {"point_grids", "max_memory"}
    assert set(Settings.model_fields) == sent


@pytest.mark.parametrize("layers", [0, 1])
def test_records_are_those_of_python(client: httpx.Client, image: str, layers: int) -> None:
    settings = {**COARSE, "crop_n_layers": layers}
    answer = client.post(f"/v1/images/{image}/everything", json={"preset": "objects", "settings": settings})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    expected = fake_model().everything(scene(), "objects", **settings)
    assert found["decoded"] == len(expected)
    assert found["settings"]["points_per_side"] == 6
    assert found["records"] == [record.to_json() for record in expected.records()]
    assert found["records"]


def test_the_number_of_crop_layers_goes_by_the_size_of_the_image() -> None:
    small = FakeRuntime(input_size=40)  # the scene is 160 pixels wide
    with running(small) as client:
        image = upload(client)
        body = {"settings": {**COARSE, "crop_n_layers": "auto"}}
        found = client.post(f"/v1/images/{image}/everything", json=body).json()
        assert found["settings"]["crop_n_layers"] == 1
        body["settings"]["crop_n_layers"] = 1
        assert client.post(f"/v1/images/{image}/everything", json=body).json()["run"] == found["run"]
        body["settings"]["crop_n_layers"] = "many"
        assert client.post(f"/v1/images/{image}/everything", json=body).status_code == 422


def test_other_filters_decode_nothing() -> None:
    runtime = FakeRuntime()
    with running(runtime) as client:
        image = upload(client)
        body = {"settings": COARSE}
        first = client.post(f"/v1/images/{image}/everything", json=body).json()
        decoded = len(runtime.batches)
        again = client.post(f"/v1/everything/{first['run']}/records", json={"min_area": 3000.0})
        assert client.post(f"/v1/images/{image}/everything", json=body).json() == first
        assert len(runtime.batches) == decoded > 0
        expected = fake_model().everything(scene(), **COARSE).records(min_area=3000.0)
        assert again.json()["records"] == [record.to_json() for record in expected]
        assert len(expected) < len(first["records"])
        assert client.delete(f"/v1/images/{image}").status_code == 204
        assert client.post(f"/v1/everything/{first['run']}/records", json={}).status_code == 404


def test_a_grid_that_would_take_all_day_is_refused(client: httpx.Client, image: str) -> None:
    body = {"settings": {"points_per_side": 128, "crop_n_layers": 1}}
    answer = client.post(f"/v1/images/{image}/everything", json=body)
    assert answer.status_code == 422
    assert "clicks" in answer.json()["detail"]


def test_a_filter_that_needs_a_new_run_says_so(client: httpx.Client, image: str) -> None:
    body = {"settings": {**COARSE, "pred_iou_thresh": 0.9}, "keep_above": 0.9}
    run = client.post(f"/v1/images/{image}/everything", json=body).json()["run"]
    answer = client.post(f"/v1/everything/{run}/records", json={"pred_iou_thresh": 0.5})
    assert answer.status_code == 422
    assert "masks were kept above 0.9" in answer.json()["detail"]
