"""The model that ships: intact, small, described, and right on the example photos."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import anymask
from anymask.core.embedding import ImageEmbedding
from anymask.core.masks import iou
from anymask.models.registry import resolve
from anymask.predict.model import Model

EXAMPLES = Path(__file__).parent.parent / "examples"
PHOTOS = json.loads((EXAMPLES / "clicks.json").read_text(encoding="utf-8"))["photos"]


@pytest.fixture(scope="module")
def lite() -> Model:
    return anymask.load("lite")


@pytest.fixture(scope="module", params=PHOTOS, ids=lambda photo: photo["file"])
def photo(request: pytest.FixtureRequest, lite: Model) -> tuple[dict, ImageEmbedding]:
    return request.param, lite.embed(EXAMPLES / request.param["file"])


def box_iou(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = first, second
    shared = max(0.0, min(ax1, bx1) - max(ax0, bx0)) * max(0.0, min(ay1, by1) - max(ay0, by0))
    return shared / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - shared)


def test_intact_small_and_described() -> None:
    folder = resolve("lite")
    folder.verify()
    assert folder.bytes <= 20_000_000
    card = (folder.path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert folder.version in card
    assert folder.manifest.metrics["mean_over_sources"]["click1"] >= 0.50
    assert folder.manifest.metrics["mean_over_sources"]["box"] >= 0.72
    means = folder.manifest.metrics["mean_over_sources"]
    for value in (means[name] for name in ("click1", "oracle1", "click2", "click3", "click5", "box")):
        assert f"{value:.3f}" in card


@pytest.mark.parametrize("version", ["0.1.0", "0.2.0"])
def test_older_versions_stay_loadable(version: str, lite: Model) -> None:
    old = anymask.load(f"lite@{version}")
    assert old.spec.version == version < lite.spec.version
    assert old.sha256 != lite.sha256
    assert resolve("lite").version == lite.spec.version
    photo = PHOTOS[0]
    found = old.predict(old.embed(EXAMPLES / photo["file"]), box=photo["objects"][0]["box"]).best
    assert box_iou(found.box, photo["objects"][0]["box"]) > 0.75


def test_a_box_gives_the_object(lite: Model, photo: tuple[dict, ImageEmbedding]) -> None:
    about, embedding = photo
    for thing in about["objects"]:
        found = lite.predict(embedding, box=thing["box"]).best
        assert box_iou(found.box, thing["box"]) > 0.7, thing["label"]


def test_a_click_on_a_clear_object_gives_it(lite: Model, photo: tuple[dict, ImageEmbedding]) -> None:
    """The first object of each photo is the clear one; its click must give it as one of the candidates."""
    about, embedding = photo
    thing = about["objects"][0]
    found = lite.predict(embedding, points=[thing["point"]])
    x, y = thing["point"]
    assert found.best.mask[y, x]
    nearest = max(found, key=lambda candidate: box_iou(candidate.box, thing["box"]))
    assert box_iou(nearest.box, thing["box"]) > 0.75, thing["label"]
    assert iou(nearest.mask, lite.predict(embedding, box=thing["box"]).best.mask) > 0.7, thing["label"]


def test_exact_and_fast_agree(photo: tuple[dict, ImageEmbedding]) -> None:
    about, embedding = photo
    exact = anymask.load("lite", precision="exact")
    thing = about["objects"][0]
    masks = [
        model.predict(model.embed(EXAMPLES / about["file"]), box=thing["box"]).best.mask
        for model in (exact, anymask.load("lite"))
    ]
    assert iou(*masks) > 0.97
    assert embedding.model_sha256 == exact.sha256
