from __future__ import annotations

import pickle
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given

from anymask.core.errors import InputError
from anymask.core.geometry import InputFrame
from anymask.core.masks import mask_box, stability
from anymask.core.polygons import polygons_to_mask
from anymask.core.prediction import Candidate, Prediction
from anymask.core.record import MaskRecord
from anymask.core.rle import encode
from anymask.core.upscale import upscale
from tests.core.strategies import frames, logits
from tests.core.test_upscale import low_sides


@given(low=logits(low_sides), frame=frames)
def test_everything_a_candidate_says_equals_the_whole_upscaled_mask(
    low: np.ndarray, frame: InputFrame
) -> None:
    candidate = Candidate(low, 0.5, frame)
    whole = upscale(low, frame)
    mask = whole > 0
    assert np.array_equal(candidate.logits, whole)
    assert candidate.area == mask.sum()
    assert candidate.box == mask_box(mask)
    assert candidate.stability == stability(whole)
    assert np.array_equal(candidate.mask, mask)
    assert np.array_equal(polygons_to_mask(candidate.contours, frame.image_hw), mask)
    record = candidate.to_record()
    assert record.rle == encode(mask)
    assert record.area == candidate.area
    assert record.box_xywh == encode(mask).box_xywh


@given(low=logits(low_sides), frame=frames)
def test_stability_equals_segment_anything(
    segment_anything: ModuleType, low: np.ndarray, frame: InputFrame
) -> None:
    whole = torch.from_numpy(upscale(low, frame))[None]
    theirs = float(segment_anything.utils.amg.calculate_stability_score(whole, 0.0, 1.0)[0])
    assert Candidate(low, 0.5, frame).stability == pytest.approx(np.nan_to_num(theirs), abs=1e-6)


def test_the_whole_mask_is_made_only_when_asked_for() -> None:
    low = np.full((16, 16), -9.0)
    low[3:5, 3:5] = 9
    candidate = Candidate(low, 0.5, InputFrame((4000, 6000), 64))
    assert candidate.area > 0
    assert candidate.stability > 0
    assert candidate.to_record().area == candidate.area
    assert "mask" not in vars(candidate)
    assert candidate.mask.shape == (4000, 6000)
    assert candidate.mask is candidate.mask
    with pytest.raises(ValueError, match="read-only"):
        candidate.mask[0, 0] = True


def test_an_empty_mask() -> None:
    candidate = Candidate(np.full((4, 4), -9.0), 0.1, InputFrame((6, 8), 16))
    assert (candidate.area, candidate.box, candidate.stability, candidate.contours) == (
        0,
        (0, 0, 0, 0),
        0.0,
        [],
    )
    assert not candidate.mask.any()
    record = candidate.to_record()
    assert (record.area, record.box_xywh) == (0, (0, 0, 0, 0))
    assert not record.mask.any()


def test_the_threshold_counts() -> None:
    low = np.linspace(-3, 3, 16).reshape(4, 4)
    frame = InputFrame((16, 16), 16)
    assert np.array_equal(Candidate(low, 1, frame, threshold=1.0).mask, upscale(low, frame) > 1)


def test_record_keeps_what_is_known() -> None:
    candidate = Candidate(np.ones((4, 4)), 0.75, InputFrame((6, 8), 16))
    record = candidate.to_record(
        label="cat", point_xy=(3, 4), attributes={"a": 1}, provenance={"model": "lite", "model_sha256": "ab"}
    )
    assert (record.label, record.point_xy, record.score) == ("cat", (3, 4), 0.75)
    assert record.crop_box == (0, 0, 8, 6)
    assert record.attributes == {"a": 1}
    assert record.provenance == {"model": "lite", "model_sha256": "ab"}
    assert MaskRecord.from_json(record.to_json()) == record


def prediction() -> Prediction:
    low = np.stack([np.full((4, 4), value) for value in (-1.0, 2.0, 3.0)])
    return Prediction.of(low, [0.2, 0.9, 0.5], InputFrame((6, 8), 16))


def test_candidates_come_best_first() -> None:
    found = prediction()
    assert len(found) == 3
    assert found.scores == pytest.approx([0.9, 0.5, 0.2])
    assert found.best is found[0] is next(iter(found))
    assert found[-1].low_res_logits[0, 0] == -1
    assert found.low_res_logits[:, 0, 0].tolist() == [2, 3, -1]
    assert found.masks.shape == (3, 6, 8)
    assert found.masks.any(axis=(1, 2)).tolist() == [True, True, False]
    assert found.frame == InputFrame((6, 8), 16)
    assert [c.score for c in found[1:]] == [c.score for c in list(found)[1:]]
    assert isinstance(found[:2], Prediction)
    assert found[1] in found


def test_equal_scores_keep_their_order() -> None:
    low = np.stack([np.full((2, 2), float(i)) for i in range(4)])
    found = Prediction.of(low, [0.5] * 4, InputFrame((6, 8), 16))
    assert found.low_res_logits[:, 0, 0].tolist() == [0, 1, 2, 3]


def test_pickles() -> None:
    found = prediction()
    assert found.best.area == 48
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 (our own bytes)
    assert np.array_equal(again.masks, found.masks)


def test_bad_values_are_refused() -> None:
    frame = InputFrame((6, 8), 16)
    with pytest.raises(InputError, match="at least one"):
        Prediction(())
    with pytest.raises(InputError, match="do not fit"):
        Prediction.of(np.zeros((2, 4, 4)), [1.0], frame)
    with pytest.raises(InputError, match="do not fit"):
        Prediction.of(np.zeros((4, 4)), [1.0], frame)
    with pytest.raises(InputError, match="different images"):
        Prediction(
            (Candidate(np.zeros((4, 4)), 1, frame), Candidate(np.zeros((4, 4)), 1, InputFrame((6, 9), 16)))
        )
    for wrong in (np.zeros(4), np.full((4, 4), np.nan), np.zeros((0, 4))):
        with pytest.raises(InputError, match="finite array"):
            Candidate(wrong, 1, frame)
