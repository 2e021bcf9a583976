"""Everything mode equals the published generator on the same weights."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from anymask.automatic import AutomaticSettings, generate_masks
from anymask.core.errors import EmbeddingError, ImageError, InputError
from anymask.core.masks import mask_box
from anymask.core.record import MaskRecord
from tests.automatic.conftest import Twins
from tests.automatic.sam_runtime import SamRuntime, photo
from tests.fake_runtime import fake_model, scene

FILTERS = {
    "points_per_side": 8,
    "pred_iou_thresh": 0.05,
    "stability_score_thresh": 0.57,
    "stability_score_offset": 0.3,
    "box_nms_thresh": 0.1,
}
"""Random weights know no good masks: thresholds at which some pass and some do not."""

CASES: dict[str, dict[str, Any]] = {
    "one layer": {},
    "no filter": {"pred_iou_thresh": 0.0, "stability_score_thresh": 0.0, "box_nms_thresh": 1.0},
    "ragged chunks": {"points_per_batch": 7},
    "small regions": {"min_mask_region_area": 40},
    "crops": {"crop_n_layers": 1, "crop_nms_thresh": 0.4},
    "two layers of crops, small regions": {
        "crop_n_layers": 2,
        "crop_n_points_downscale_factor": 2,
        "crop_nms_thresh": 0.4,
        "crop_overlap_ratio": 0.5,
        "min_mask_region_area": 25,
    },
    "own points": {"points_per_side": None, "point_grids": [np.random.default_rng(0).random((20, 2))]},
}


def published_masks(
    package: ModuleType, model: Any, image: np.ndarray, settings: dict[str, Any]
) -> list[Any]:
    masks: list[Any] = package.SamAutomaticMaskGenerator(model, **settings).generate(image)
    # The published generator also answers with masks that have no pixel.
    return [mask for mask in masks if mask["area"]]


def assert_same(records: list[MaskRecord], published: list[dict[str, Any]]) -> None:
    assert len(records) == len(published)
    for ours, theirs in zip(records, published, strict=True):
        np.testing.assert_array_equal(ours.mask, theirs["segmentation"])
        assert ours.area == theirs["area"]
        assert ours.score == pytest.approx(theirs["predicted_iou"], abs=1e-5)
        assert ours.stability == pytest.approx(theirs["stability_score"], abs=1e-6)
        assert ours.point_xy == pytest.approx(theirs["point_coords"][0])
        assert ours.crop_box == tuple(theirs["crop_box"])
        x, y, width, height = theirs["bbox"]  # there from the first to the last pixel's corner
        assert ours.box_xywh == (x, y, width + 1, height + 1)


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_equals_the_published_generator(
    settings: dict[str, Any], spot_twins: Twins, segment_anything: ModuleType
) -> None:
    theirs, ours = spot_twins
    settings = FILTERS | settings
    expected = published_masks(segment_anything, theirs, photo(), settings)
    assert len(expected) >= 3
    assert_same(generate_masks(ours, photo(), **settings), expected)


@pytest.mark.parametrize("size", [(40, 333), (256, 256), (90, 60)])
def test_equals_the_published_generator_at_any_size(
    size: tuple[int, int], plain_twins: Twins, segment_anything: ModuleType
) -> None:
    theirs, ours = plain_twins
    settings = {"points_per_side": 3} | CASES["no filter"]
    expected = published_masks(segment_anything, theirs, photo(*size), settings)
    assert len(expected) == 27
    assert_same(generate_masks(ours, photo(*size), **settings), expected)


def test_every_filter_removes_something(spot_twins: Twins) -> None:
    """Otherwise the comparisons above would say nothing about them."""
    _, model = spot_twins
    counts = {
        name: len(generate_masks(model, photo(), **FILTERS | settings))
        for name, settings in {
            "all": {},
            "score": {"pred_iou_thresh": 0.0},
            "stability": {"stability_score_thresh": 0.0},
            "boxes": {"box_nms_thresh": 1.0},
        }.items()
    }
    assert all(counts[name] > counts["all"] for name in ("score", "stability", "boxes")), counts


def test_memory_is_bounded_by_a_chunk_of_clicks(spot_twins: Twins) -> None:
    runtime = spot_twins[1].runtime
    assert isinstance(runtime, SamRuntime)
    runtime.decoded.clear()
    generate_masks(spot_twins[1], photo(), **FILTERS | {"points_per_batch": 16})
    assert runtime.decoded == [16, 16, 16, 16]


def test_finds_the_things_of_a_scene_with_any_runtime() -> None:
    records = generate_masks(fake_model(), scene(), points_per_side=16, pred_iou_thresh=0.75)
    found = {mask_box(record.mask) for record in records}
    for thing in ((30, 20, 80, 70), (100, 40, 150, 110)):
        assert any(np.abs(np.subtract(box, thing)).max() <= 3 for box in found), (thing, found)


def test_an_embedding_will_do_and_records_say_where_they_come_from() -> None:
    model = fake_model()
    embedding = model.embed(scene())
    settings = AutomaticSettings(points_per_side=8, pred_iou_thresh=0.75)
    records = generate_masks(model, embedding, settings)
    assert [record.to_json() for record in records] == [
        record.to_json() for record in generate_masks(model, scene(), settings)
    ]
    for record in records:
        assert record.provenance["image_sha256"] == embedding.image_sha256
        assert record.point_xy is not None
        assert record.provenance["prompt"] == {"points": [[*record.point_xy, 1]]}
        assert record.mask.any()


def test_an_image_smaller_than_its_crops_has_masks() -> None:
    model = fake_model()
    settings = {"points_per_side": 2, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0}
    records = generate_masks(model, np.full((1, 3, 3), 200, np.uint8), crop_n_layers=2, **settings)
    assert {record.image_hw for record in records} == {(1, 3)}
    assert {record.area for record in records if record.crop_box == (0, 0, 3, 1)} == {3}


def test_bad_input_is_named() -> None:
    model = fake_model()
    embedding = model.embed(scene())
    with pytest.raises(InputError, match="unknown setting points_per_sdie; there are points_per_side"):
        generate_masks(model, scene(), points_per_sdie=4)
    with pytest.raises(InputError, match="settings and points_per_side are both given"):
        generate_masks(model, scene(), AutomaticSettings(), points_per_side=4)
    with pytest.raises(InputError, match="no pixels to crop"):
        generate_masks(model, embedding, crop_n_layers=1)
    with pytest.raises(ImageError):
        generate_masks(model, "nowhere.png")
    other = type(embedding)(**vars(embedding) | {"model_sha256": "0" * 64, "model": "other@1"})
    with pytest.raises(EmbeddingError, match="made by other@1"):
        generate_masks(model, other)
