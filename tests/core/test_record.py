from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.core.rle import encode
from tests.core.strategies import masks

numbers = st.floats(-1e6, 1e6) | st.integers(-(10**6), 10**6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ids = st.none() | st.integers(0) | st.text()
records = st.builds(
    lambda mask, known: MaskRecord.of_mask(mask, **known),
    masks(),
    st.fixed_dictionaries(
        {
            "score": st.none() | st.floats(0, 1),
            "stability": st.none() | st.floats(0, 1),
            "point_xy": st.none() | st.tuples(numbers, numbers),
            "crop_box": st.none() | st.tuples(numbers, numbers, numbers, numbers),
            "label": st.none() | st.text(),
            "attributes": st.dictionaries(st.text(), json_values, max_size=3),
            "provenance": st.dictionaries(st.text(), json_values, max_size=3),
            "id": ids,
            "parent": ids,
        }
    ),
)


@given(record=records)
def test_json_gives_the_record_back(record: MaskRecord) -> None:
    text = json.dumps(record.to_json(), allow_nan=False)
    assert MaskRecord.from_json(json.loads(text)) == record
    assert json.dumps(MaskRecord.from_json(json.loads(text)).to_json()) == text


@given(record=records)
def test_pickle_gives_the_record_back(record: MaskRecord) -> None:
    assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301 (our own bytes)


def test_names_are_cocos_and_sa_1bs() -> None:
    record = MaskRecord.of_mask(
        np.eye(3),
        score=0.5,
        stability=0.75,
        point_xy=(1, 2.5),
        crop_box=(0, 0, 3, 3),
        label="cat",
        id=7,
        parent=3,
    )
    assert record.to_json() == {
        "id": 7,
        "segmentation": encode(np.eye(3)).to_coco(),
        "bbox": [0, 0, 3, 3],
        "area": 3,
        "predicted_iou": 0.5,
        "stability_score": 0.75,
        "point_coords": [[1, 2.5]],
        "crop_box": [0, 0, 3, 3],
        "category": "cat",
        "parent": 3,
    }


def test_an_annotation_of_sa_1b_is_read() -> None:
    annotation = {
        "bbox": [0.0, 0.0, 2.0, 2.0],
        "area": 3,
        "segmentation": encode(np.eye(3)).to_coco(),
        "predicted_iou": 0.9034,
        "point_coords": [[1.5, 2.25]],
        "crop_box": [0.0, 0.0, 3.0, 3.0],
        "id": 532_480,
        "stability_score": 0.9747,
    }
    record = MaskRecord.from_json(annotation)
    assert record.point_xy == (1.5, 2.25)
    assert np.array_equal(record.mask, np.eye(3))
    assert record.image_hw == (3, 3)


def test_nothing_inside_is_shared() -> None:
    attributes: dict[str, Any] = {"tags": ["a"]}
    record = MaskRecord.of_mask(np.eye(3), attributes=attributes)
    attributes["tags"].append("b")
    record.to_json()["attributes"]["tags"].append("c")
    assert record.attributes == {"tags": ["a"]}


GOOD = MaskRecord.of_mask(np.eye(3)).to_json()
BAD: list[tuple[dict[str, Any], str]] = [
    ({"segmentation": None}, "not an RLE"),
    ({"segmentation": {"size": [4, 4], "counts": GOOD["segmentation"]["counts"]}}, "do not cover"),
    ({"bbox": [0, 0, 3]}, "'bbox' is .* 4 finite numbers"),
    ({"bbox": [0, 0, 3, "3"]}, "'bbox'"),
    ({"bbox": [0, 0, 3, float("nan")]}, "'bbox'"),
    ({"bbox": [0, 0, 3, True]}, "'bbox'"),
    ({"area": 2}, "'area' is 2, but the segmentation has 3"),
    ({"area": 3.5}, "whole number"),
    ({"area": "3"}, "whole number"),
    ({"predicted_iou": "high"}, "'predicted_iou'"),
    ({"predicted_iou": float("inf")}, "'predicted_iou'"),
    ({"stability_score": [1]}, "'stability_score'"),
    ({"point_coords": [1, 2]}, "'point_coords'"),
    ({"point_coords": [[1, 2], [3, 4]]}, "'point_coords'"),
    ({"point_coords": [[1, None]]}, "'point_coords'"),
    ({"crop_box": [1, 2, 3]}, "'crop_box'"),
    ({"category": 3}, "'category' is 3; expected a name"),
    ({"id": 1.5}, "'id'"),
    ({"id": True}, "'id'"),
    ({"parent": []}, "'parent'"),
    ({"attributes": [1]}, "'attributes'"),
    ({"provenance": {1: 2}}, "'provenance'"),
    ({"provenance": {"x": float("nan")}}, "cannot be written as JSON"),
    ({"provenance": {"x": {1, 2}}}, "cannot be written as JSON"),
    ({"score": 1.0}, "unknown field 'score'"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=lambda value: repr(value)[:40])
def test_wrong_fields_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        MaskRecord.from_json({**GOOD, **change})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["segmentation", "bbox", "area"])
def test_missing_fields_are_named(name: str) -> None:
    with pytest.raises(FormatError, match=f"without '{name}'"):
        MaskRecord.from_json({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize("value", [None, [], "x", 3])
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(FormatError, match="expected a JSON object"):
        MaskRecord.from_json(value)


def test_the_constructor_wants_an_rle() -> None:
    with pytest.raises(FormatError, match="expected an Rle"):
        MaskRecord(rle=GOOD["segmentation"], box_xywh=(0, 0, 3, 3), area=3)


@given(value=json_values, name=st.sampled_from(sorted(GOOD)))
def test_whatever_a_field_holds_a_record_or_a_format_error_comes_out(value: Any, name: str) -> None:
    try:
        record = MaskRecord.from_json({**GOOD, name: value})
    except FormatError:
        return
    assert MaskRecord.from_json(record.to_json()) == record
