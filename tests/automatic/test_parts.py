"""Grids, crops, suppression and settings, each by itself."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.automatic import AutomaticSettings
from anymask.automatic.crops import image_crops
from anymask.automatic.points import point_grid, point_grids
from anymask.automatic.suppression import suppress_overlaps
from anymask.core.errors import InputError

SIDES = st.integers(1, 400)
BOXES = st.lists(st.tuples(*[st.integers(0, 30)] * 4), max_size=25)


def test_grids_are_the_published_ones(segment_anything: ModuleType) -> None:
    expected = segment_anything.utils.amg.build_all_layer_point_grids(9, 2, 2)
    for ours, theirs in zip(point_grids(9, 2, 2), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-15)


@pytest.mark.parametrize("image_hw", [(480, 640), (33, 999), (200, 200)])
def test_crops_are_the_published_ones(image_hw: tuple[int, int], segment_anything: ModuleType) -> None:
    boxes, layers = segment_anything.utils.amg.generate_crop_boxes(image_hw, 3, 512 / 1500)
    crops = image_crops(image_hw, 3, 512 / 1500)
    assert [[c.window.x0, c.window.y0, c.window.x1, c.window.y1] for c in crops] == boxes
    assert [crop.layer for crop in crops] == layers


@given(SIDES, SIDES, st.integers(0, 3), st.floats(0, 0.9))
def test_every_layer_of_crops_covers_the_image(height: int, width: int, layers: int, overlap: float) -> None:
    crops = image_crops((height, width), layers, overlap)
    for layer in range(layers + 1):
        seen = np.zeros((height, width), bool)
        for crop in crops:
            if crop.layer == layer:
                assert crop.area > 0
                seen[crop.window.slices] = True
        assert seen.all()


@given(BOXES, st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_suppression_keeps_the_best_of_what_overlaps(boxes: list[Any], seed: int, threshold: float) -> None:
    corners = np.array(boxes, float).reshape(-1, 2, 2)
    given_boxes = np.concatenate([corners.min(1), corners.max(1)], axis=1)
    scores = np.random.default_rng(seed).random(len(boxes)).astype(np.float32)
    kept = suppress_overlaps(given_boxes, scores, threshold).tolist()
    assert kept == sorted(kept, key=lambda i: -scores[i])
    for i in range(len(boxes)):
        better = [k for k in kept if scores[k] > scores[i]]
        rivals = [k for k in better if box_iou(given_boxes[k], given_boxes[i]) > threshold]
        assert (i in kept) == (not rivals)


def box_iou(one: np.ndarray, other: np.ndarray) -> float:
    width, height = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    common = max(width, 0) * max(height, 0)
    joint = np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - common
    return float(np.float32(common) / np.float32(joint)) if joint else 0.0


def test_equal_scores_stay_in_order() -> None:
    boxes = [(0, 0, 9, 9), (50, 50, 60, 60), (0, 0, 9, 9), (80, 0, 90, 5)]
    assert suppress_overlaps(boxes, [1, 1, 1, 2], 0.5).tolist() == [3, 0, 1]


def test_defaults_are_the_published_ones(segment_anything: ModuleType) -> None:
    import inspect

    published = inspect.signature(segment_anything.SamAutomaticMaskGenerator).parameters
    ours = AutomaticSettings()
    common = AutomaticSettings.__dataclass_fields__.keys() & published.keys()
    for name in common:
        assert getattr(ours, name) == published[name].default, name
    assert published.keys() - common == {"model", "output_mode"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"points_per_side": None}, "exactly one of them"),
        ({"point_grids": [point_grid(2)]}, "exactly one of them"),
        ({"points_per_side": 0}, "points_per_side is 0"),
        ({"points_per_side": 2.5}, "points_per_side is 2.5; give a whole number from 1"),
        ({"points_per_batch": True}, "points_per_batch is True"),
        ({"crop_n_layers": -1}, "crop_n_layers is -1; give a whole number from 0"),
        ({"points_per_side": 4, "crop_n_layers": 2, "crop_n_points_downscale_factor": 3}, "none in layer 2"),
        ({"pred_iou_thresh": float("nan")}, "pred_iou_thresh is nan; give a number"),
        ({"stability_score_offset": -1.0}, "stability_score_offset is -1.0; give a number from 0"),
        ({"min_mask_region_area": "big"}, "min_mask_region_area is 'big'"),
        ({"min_area": -1}, "min_area is -1; give a number from 0"),
        ({"max_area_share": 0.0}, "max_area_share is 0.0; give a share above 0, up to 1"),
        ({"mask_nms_thresh": 1.5}, "mask_nms_thresh is 1.5"),
        ({"containment_thresh": "all"}, "containment_thresh is 'all'"),
        ({"nested": "both"}, "nested is 'both'; give one of keep, whole, part"),
        ({"points_per_side": None, "point_grids": [point_grid(2)], "crop_n_layers": 1}, "1 grids for 2"),
        ({"points_per_side": None, "point_grids": [np.ones((3, 3))]}, "has shape"),
        ({"points_per_side": None, "point_grids": [[[1.5, 0.5]]]}, "outside 0..1"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words.replace(".", r"\.")):
        AutomaticSettings(**settings)


def test_settings_can_be_changed_one_by_one() -> None:
    changed = replace(AutomaticSettings(points_per_side=3), crop_n_layers=1)
    assert [len(grid) for grid in changed.grids] == [9, 9]
