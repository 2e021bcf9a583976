from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import PromptError
from anymask.core.geometry import InputFrame
from anymask.core.prediction import Candidate, Prediction
from anymask.core.prompt import Prompt

SIZE = (30, 40)
MASK = np.zeros(SIZE, bool)
MASK[5:10, 5:20] = True
LOGITS = np.linspace(-5, 5, 64, dtype=np.float32).reshape(8, 8)


def of(**given: Any) -> Prompt:
    return Prompt.of(SIZE, **given)


@pytest.mark.parametrize(
    ("points", "labels", "expected"),
    [
        ([(3, 4)], None, [1]),
        ((3, 4), None, [1]),
        ((3, 4, 0), None, [0]),
        (np.array([3, 4]), 0, [0]),
        ([(3, 4), (5, 6, 0)], None, [1, 0]),
        ([(3, 4), (5, 6)], [0, 1], [0, 1]),
        (np.array([[3, 4, 0], [5, 6, 1]]), None, [0, 1]),
        (np.array([[3, 4], [5, 6]]), np.array([True, False]), [1, 0]),
        ([[3, 4], [3, 4]], [0, 0], [0, 0]),  # duplicates, and nothing but background
        ([(0, 0), (40, 30)], None, [1, 1]),  # on the border
        ([(0.5, 0.25)], None, [1]),
    ],
)
def test_points_with_and_without_labels(points: Any, labels: Any, expected: list[int]) -> None:
    prompt = of(points=points, labels=labels)
    assert prompt.points_xy.dtype == np.float32
    assert prompt.labels.dtype == np.int8
    assert prompt.points_xy.shape == (len(expected), 2)
    assert prompt.labels.tolist() == expected


def test_five_hundred_points() -> None:
    assert len(of(points=np.random.default_rng(0).uniform(0, 30, (500, 2))).points_xy) == 500


def test_boxes_one_and_several() -> None:
    assert of(box=[1, 2, 30, 20]).boxes_xyxy.tolist() == [[1, 2, 30, 20]]
    assert of(boxes=[[1, 2, 30, 20], [0, 0, 40, 30]]).boxes_xyxy.shape == (2, 4)
    assert of(box=(1, 2, 3, 4), boxes=np.array([5, 6, 7, 8])).boxes_xyxy.tolist() == [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
    ]


def test_a_box_over_the_border_is_cut_off() -> None:
    assert of(box=(-5, -5, 400, 300)).boxes_xyxy.tolist() == [[0, 0, 40, 30]]
    assert Prompt.box(-5, 0, 400, 300).boxes_xyxy.tolist() == [[-5, 0, 400, 300]]


@pytest.mark.parametrize(
    "mask",
    [
        MASK,
        MASK.astype(np.uint8),
        MASK.astype(np.uint8) * 255,
        MASK.astype(int),
        MASK.astype(float),
        MASK * 255.0,
        MASK[None],
        MASK[..., None],
        MASK.tolist(),
    ],
)
def test_masks_of_every_kind(mask: Any) -> None:
    prompt = of(mask=mask)
    assert prompt.mask is not None
    assert np.array_equal(prompt.mask, MASK)
    assert prompt.mask_logits is None


def test_a_mask_of_several_objects_and_one_of_a_few_pixels() -> None:
    dots = np.zeros(SIZE, bool)
    dots[3, 3] = dots[20, 20] = True
    prompt = of(mask=dots)
    assert prompt.mask is not None
    assert prompt.mask.sum() == 2


def test_low_resolution_logits_as_mask() -> None:
    for logits in (LOGITS, LOGITS[None], LOGITS.astype(float)):
        prompt = of(mask=logits)
        assert prompt.mask_logits is not None
        assert np.array_equal(prompt.mask_logits, LOGITS)
    square = Prompt.of((8, 8), mask=LOGITS)  # the image is as small as the logits: their values tell
    assert square.mask is None


def test_previous_results() -> None:
    frame = InputFrame(SIZE, 32)
    worse, better = Candidate(LOGITS - 1, 0.2, frame), Candidate(LOGITS, 0.9, frame)
    for previous in (LOGITS, better, Prediction((worse, better))):
        for prompt in (of(previous=previous), Prompt.click(3, 4).with_previous(previous)):
            assert prompt.mask_logits is not None
            assert np.array_equal(prompt.mask_logits, LOGITS)
    corrected = of(mask=MASK).with_click(1, 2, 0, previous=better)
    assert corrected.mask is None
    assert corrected.mask_logits is not None
    assert corrected.labels.tolist() == [0]


def test_scribble_and_polygon() -> None:
    stroke = of(scribble=[(0, 0), (40, 0)])
    assert len(stroke.points_xy) == 8
    assert stroke.labels.tolist() == [1] * 8
    two = of(scribble=[[(0, 0), (0, 5)], [(10, 10), (10, 15)]])
    assert sorted(set(two.points_xy[:, 0])) == [0, 10]
    lasso = of(polygon=[(5, 5), (20, 5), (20, 10), (5, 10)])
    assert lasso.mask is not None
    assert np.array_equal(lasso.mask, MASK)
    (x, y), label = lasso.points_xy[0], lasso.labels[0]
    assert MASK[int(y), int(x)]
    assert label == 1


def test_everything_at_once() -> None:
    prompt = of(points=[(1, 2, 0)], box=(0, 0, 9, 9), scribble=[(0, 0), (9, 9)], mask=MASK)
    assert len(prompt.labels) == len(prompt.points_xy) > 1
    assert len(prompt.boxes_xyxy) == 1
    assert prompt.mask is not None


def test_short_ways() -> None:
    assert Prompt.click(3, 4).points_xy.tolist() == [[3, 4]]
    assert Prompt.click(3, 4, 0).labels.tolist() == [0]
    more = Prompt.click(3, 4).with_click(5, 6, 0).with_click(7, 8)
    assert more.points_xy.tolist() == [[3, 4], [5, 6], [7, 8]]
    assert more.labels.tolist() == [1, 0, 1]


def test_prompts_cannot_be_changed_and_travel() -> None:
    points = np.array([[1.0, 2.0]])
    mask = MASK.copy()
    prompt = of(points=points, mask=mask)
    points[:], mask[:] = 9, True
    assert prompt.points_xy.tolist() == [[1, 2]]
    assert prompt.mask is not None
    assert np.array_equal(prompt.mask, MASK)
    for array in (prompt.points_xy, prompt.labels, prompt.boxes_xyxy, prompt.mask):
        assert not array.flags.writeable
    assert pickle.loads(pickle.dumps(prompt)).points_xy.tolist() == [[1, 2]]  # noqa: S301 (our own bytes)


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "prompt is empty"),
    ({"points": []}, "prompt is empty"),
    ({"points": [(41, 5)]}, r"point \(41, 5\) is outside the image of 40 x 30"),
    ({"points": [(5, 35)]}, r"\(5, 35\) is outside .*not \(y, x\)"),
    ({"points": [(-1, 5)]}, r"\(-1, 5\) is outside"),
    ({"points": [(1, np.nan)]}, r"\(1, nan\); give finite"),
    ({"points": [(1e300, 5)]}, r"\(1e\+300, 5\); give finite"),
    ({"points": [(1, 2, 3, 4)]}, "has 4 numbers"),
    ({"points": [(1,)]}, "has 1 numbers"),
    ({"points": 5}, "are not points"),
    ({"points": "ab"}, "not numbers"),
    ({"points": [("a", "b")]}, "not numbers"),
    ({"points": [(1, 2, 2)]}, "label 2 is not known"),
    ({"points": [(1, 2, np.nan)]}, "label nan is not known"),
    ({"points": [(1, 2)], "labels": [0.5]}, "label 0.5 is not known"),
    ({"points": [(1, 2)], "labels": [-1]}, "label -1 is not known"),
    ({"points": [(1, 2)], "labels": [1, 0]}, r"labels have shape \(2,\) for 1 points"),
    ({"points": [(1, 2), (3, 4)], "labels": []}, r"labels have shape \(0,\) for 2 points"),
    ({"points": [(1, 2)], "labels": ["a"]}, "labels .* are not numbers"),
    ({"points": [(1, 2, 1)], "labels": [1]}, "given twice"),
    ({"labels": [1]}, "without points"),
    ({"box": (9, 9, 3, 3)}, r"box \(9, 9, 3, 3\) has its corners the wrong way round"),
    ({"box": (20, 5, 10, 9)}, "wrong way round; .*width, height"),
    ({"box": (3, 3, 3, 9)}, "has no area"),
    ({"box": (41, 0, 50, 9)}, r"box \(41, 0, 50, 9\) is outside"),
    ({"box": (-9, 0, -1, 9)}, "is outside"),
    ({"box": (1, 2, np.nan, 4)}, "give finite numbers"),
    ({"box": (1, 2, 3)}, r"boxes have shape \(1, 3\)"),
    ({"boxes": [(1, 2, 3, 4), (1, 2, 3)]}, "not numbers of one shape"),
    ({"boxes": "1,2,3,4"}, "not numbers of one shape"),
    ({"boxes": np.zeros((1, 1, 4))}, "have shape"),
    ({"mask": np.zeros(SIZE)}, "mask is empty"),
    ({"mask": MASK[:-1]}, "the mask has 40 x 29 pixels, the image 40 x 30"),
    ({"mask": MASK.T}, "the mask has 30 x 40 pixels"),
    ({"mask": MASK.astype(int) * 7}, "2 values from 0 to 7"),
    ({"mask": np.arange(1200).reshape(SIZE)}, "label map"),
    ({"mask": MASK * 0.5}, "compare with a threshold"),
    ({"mask": np.full((8, 8), np.nan)}, "NaN"),
    ({"mask": np.zeros((2, 8, 8))}, r"the mask is float64 \(2, 8, 8\)"),
    ({"mask": "mask.png"}, "the mask is"),
    ({"mask": [[], 0]}, "is not an array"),
    ({"mask": MASK, "previous": LOGITS}, "give one of them"),
    ({"mask": MASK, "polygon": [(0, 0), (9, 0), (9, 9)]}, "give one of them"),
    ({"previous": np.zeros((2, 8, 8))}, "give one low-resolution mask"),
    ({"previous": np.array([[np.inf]])}, "NaN or infinite"),
    ({"previous": "x"}, "not numbers"),
    ({"scribble": []}, "scribble"),
    ({"scribble": [(50, 50), (60, 60)]}, "is outside the image"),
    ({"scribble": 5}, "scribble"),
    ({"polygon": [(0, 0), (5, 5)]}, "at least 3"),
]


@pytest.mark.parametrize(("given", "message"), BAD, ids=lambda value: repr(value)[:40])
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(PromptError, match=message) as caught:
        of(**given)
    assert "\n" not in str(caught.value)


def test_the_constructor_checks_too() -> None:
    with pytest.raises(PromptError, match="takes one of them"):
        Prompt(mask=MASK, mask_logits=LOGITS)
    with pytest.raises(PromptError, match=r"use Prompt\.of"):
        Prompt(mask=MASK.astype(int))  # type: ignore[arg-type]
    with pytest.raises(PromptError, match="label 2"):
        Prompt.click(1, 2, 2)
    with pytest.raises(PromptError, match="is outside the image of 10 x 10"):
        Prompt.click(11, 2).check_inside((10, 10))
    with pytest.raises(PromptError, match="the mask has 40 x 30"):
        of(mask=MASK).check_inside((10, 10))


anything = st.one_of(
    st.none(),
    st.integers(-50, 50),
    st.text(max_size=3),
    st.recursive(
        st.one_of(st.floats(), st.integers(-5, 50), st.booleans(), st.text(max_size=1), st.none()),
        lambda inner: st.lists(inner, max_size=4),
        max_leaves=10,
    ),
)


@given(
    points=anything,
    labels=anything,
    box=anything,
    boxes=anything,
    mask=anything,
    scribble=anything,
    polygon=anything,
)
def test_whatever_is_given_a_prompt_or_a_prompt_error_comes_out(**given: Any) -> None:
    for name, value in given.items():
        for arguments in ({name: value}, given):
            try:
                prompt = of(**arguments)
            except PromptError:
                continue
            prompt.check_inside(SIZE)
            assert len(prompt.points_xy) == len(prompt.labels)
