"""Models and classical methods behind the one seam."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import anymask.predict.load as loading
from anymask.core.errors import AnymaskError, InputError, MissingExtraError
from anymask.core.images import Picture
from anymask.core.masks import iou
from anymask.core.prompt import Prompt
from anymask.evaluate.baselines import BACKGROUND, BASELINES, OBJECT, UNKNOWN, checked_baseline, seeds
from anymask.evaluate.predictors import ModelPredictor, Request, open_predictor
from tests.cli import fake_anymask
from tests.fake_runtime import SHA256, fake_model, scene

PICTURE = Picture(scene())
BAR = np.zeros((120, 160), bool)
BAR[40:110, 100:150] = True
REQUESTS = {
    "box": Request(box=(100, 40, 150, 110)),
    "click": Request(points=((125, 75, 1),)),
    "clicks on and off": Request(points=((125, 75, 1), (50, 45, 0), (10, 100, 0))),
    "stroke": Request(scribble=np.array([[110.5, 50.5], [140.5, 100.5]])),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=list(REQUESTS))
@pytest.mark.parametrize("name", BASELINES)
def test_baselines_find_a_plain_object(name: str, request_: Request) -> None:
    predictor = open_predictor(name)
    (first,) = predictor.open(PICTURE).predict_many([request_])
    (again,) = predictor.open(PICTURE).predict_many([request_])
    assert predictor.name == name
    assert first.scores == ()
    assert iou(first.masks[0], BAR) > 0.95
    assert np.array_equal(first.masks[0], again.masks[0])


@pytest.mark.parametrize("name", BASELINES)
def test_a_click_off_the_object_takes_it_away(name: str) -> None:
    scene_ = open_predictor(name).open(PICTURE)
    both = Request(points=((125, 75, 1), (40, 30, 1)))
    (wrong,) = scene_.predict_many([both])
    assert wrong.masks[0][30, 40]
    corrected = Request(points=((125, 75, 1), (40, 30, 0)), previous=wrong)
    (right,) = scene_.predict_many([corrected])
    assert right.masks[0][75, 125]
    assert not right.masks[0][30, 40]


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("hw", [(1, 1), (2, 3), (1, 40)])
def test_baselines_on_the_smallest_pictures(name: str, hw: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*hw, 3), dtype=np.uint8)
    height, width = hw
    requests = [Request(points=((0, 0, 1),)), Request(box=(0, 0, width, height))]
    for answer in open_predictor(name).open(Picture(pixels)).predict_many(requests):
        assert answer.masks[0].shape == hw
        assert answer.masks[0].dtype == bool
        assert answer.masks[0][0, 0]


def test_seeds() -> None:
    box = seeds(Request(box=(100, 40, 150, 110)), (120, 160))
    assert (box[~BAR] == BACKGROUND).all()
    assert (box[BAR] != BACKGROUND).all()
    assert 0 < (box == OBJECT).sum() < BAR.sum() / 4
    click = seeds(Request(points=((125, 75, 1),)), (120, 160))
    assert click[75, 125] == OBJECT
    assert (click[0] == BACKGROUND).all()
    assert (click[1:-1, 1:-1] != BACKGROUND).all()
    both = seeds(Request(points=((125, 75, 1), (10, 10, 0))), (120, 160))
    assert (both[75, 125], both[10, 10], both[60, 60]) == (OBJECT, BACKGROUND, UNKNOWN)
    assert (both[0] == BACKGROUND).all()
    assert seeds(Request(points=((159, 75, 1),)), (120, 160))[75, 159] == OBJECT


def test_a_model_answers_as_it_does_alone() -> None:
    model = fake_model()
    predictor = ModelPredictor(model)
    assert (predictor.name, predictor.sha256) == ("fake@0.0.1", SHA256)
    embedding = model.embed(PICTURE)
    scene_ = predictor.open(PICTURE)
    first, box = scene_.predict_many([REQUESTS["click"], REQUESTS["box"]])
    expected = model.predict(embedding, points=[(125, 75)])
    assert len(first.masks) == 3
    assert np.array_equal(np.stack(first.masks), expected.masks)
    assert first.scores == pytest.approx(expected.scores)
    assert np.array_equal(box.masks[0], model.predict(embedding, box=(100, 40, 150, 110)).best.mask)
    (second,) = scene_.predict_many([Request(points=((125, 75, 1), (10, 10, 0)), previous=first)])
    prompt = Prompt.of(embedding.image_hw, points=[(125, 75, 1), (10, 10, 0)], previous=expected)
    assert np.array_equal(second.masks[0], model.predict_many(embedding, [prompt])[0].best.mask)
    (stroke,) = scene_.predict_many([REQUESTS["stroke"]])
    assert iou(stroke.masks[0], BAR) > 0.9


def test_a_request_points_at_something() -> None:
    with pytest.raises(InputError, match="points at nothing"):
        Request()


def test_names_of_predictors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(loading, "load", fake_anymask.load)
    assert open_predictor("lite").sha256 == SHA256
    with pytest.raises(AnymaskError, match=r"absent\.pth"):
        open_predictor(str(tmp_path / "absent.pth"))
    with pytest.raises(InputError, match="known are grabcut, random-walker, watershed"):
        checked_baseline("lite")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)
    with pytest.raises(MissingExtraError, match=r"anymask\[evaluate\]"):
        open_predictor("watershed")
    assert open_predictor("grabcut").name == "grabcut"
