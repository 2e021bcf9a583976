"""`utils.amg` and `utils.transforms` compute what the published ones compute."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from anymask.compat.utils import amg
from anymask.compat.utils.transforms import ResizeLongestSide
from anymask.core.errors import FormatError, ImageError, InputError
from tests.automatic.sam_runtime import photo
from tests.stubs import import_peer

PUBLISHED: Any = import_peer("segment_anything").utils.amg
MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)))


@given(MASKS)
def test_encodings(masks: np.ndarray) -> None:
    tensor = torch.from_numpy(masks)
    expected = PUBLISHED.mask_to_rle_pytorch(tensor)
    assert amg.mask_to_rle_pytorch(masks) == amg.mask_to_rle_pytorch(tensor) == expected
    for mask, rle in zip(masks, expected, strict=True):
        np.testing.assert_array_equal(amg.rle_to_mask(rle), mask)
        assert amg.area_from_rle(rle) == mask.sum()
        assert amg.coco_encode_rle(rle) == PUBLISHED.coco_encode_rle(rle)


@given(MASKS)
def test_boxes_of_masks(masks: np.ndarray) -> None:
    for array in (masks, masks[0], masks[None], masks[:0]):
        expected = PUBLISHED.batched_mask_to_box(torch.from_numpy(array))
        np.testing.assert_array_equal(amg.batched_mask_to_box(array), expected.numpy())
        assert torch.equal(amg.batched_mask_to_box(torch.from_numpy(array)), expected.long())


@given(hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))), st.integers(0, 20))
def test_small_regions(mask: np.ndarray, area: int) -> None:
    for mode in ("holes", "islands"):
        if mode == "islands" and not mask.any():
            continue  # the published function takes the largest of no regions
        tidy, changed = amg.remove_small_regions(mask, area, mode)
        expected, expected_change = PUBLISHED.remove_small_regions(mask, area, mode)
        np.testing.assert_array_equal(tidy, expected)
        assert changed == expected_change


@given(
    hnp.arrays(np.int64, st.tuples(st.integers(0, 6), st.just(4)), elements=st.integers(0, 90)),
    st.tuples(st.integers(0, 30), st.integers(0, 30)),
)
def test_boxes_at_the_edge_of_a_crop(boxes: np.ndarray, corner: tuple[int, int]) -> None:
    crop, image = [*corner, corner[0] + 70, corner[1] + 50], [0, 0, 110, 90]
    expected = PUBLISHED.is_box_near_crop_edge(torch.from_numpy(boxes), crop, image)
    np.testing.assert_array_equal(amg.is_box_near_crop_edge(boxes, crop, image), expected.numpy())


def test_from_crop_to_image() -> None:
    crop = [3, 2, 11, 9]
    random = np.random.default_rng(0)
    for name, array, more in (
        ("uncrop_boxes_xyxy", random.integers(0, 9, (5, 4)), ()),
        ("uncrop_points", random.random((5, 2)), ()),
        ("uncrop_masks", random.random((4, 7, 8)) > 0.5, (12, 20)),
    ):
        expected = getattr(PUBLISHED, name)(torch.from_numpy(array), crop, *more)
        np.testing.assert_array_equal(getattr(amg, name)(array, crop, *more), expected.numpy())
        assert torch.equal(getattr(amg, name)(torch.from_numpy(array), crop, *more), expected)


def test_stability_scores() -> None:
    logits = np.random.default_rng(1).normal(size=(6, 8, 9)).astype(np.float32)
    logits[0] = -9
    expected = PUBLISHED.calculate_stability_score(torch.from_numpy(logits), 0.1, 0.5)
    assert expected.isnan().any()
    np.testing.assert_array_equal(amg.calculate_stability_score(logits, 0.1, 0.5), expected.numpy())


def test_small_helpers() -> None:
    for box in ([1, 2, 8, 9], np.array([1, 2, 8, 9]), torch.tensor([1, 2, 8, 9])):
        assert list(amg.box_xyxy_to_xywh(box)) == [1, 2, 7, 7]
        assert type(amg.box_xyxy_to_xywh(box)) is type(box)
        assert list(box) == [1, 2, 8, 9]
    pieces = list(amg.batch_iterator(2, [1, 2, 3], "abc"))
    assert pieces == list(PUBLISHED.batch_iterator(2, [1, 2, 3], "abc")) == [[[1, 2], "ab"], [[3], "c"]]
    for ours, theirs in zip(
        amg.build_all_layer_point_grids(7, 2, 2), PUBLISHED.build_all_layer_point_grids(7, 2, 2), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-15)
    assert amg.generate_crop_boxes((99, 140), 2, 0.4) == PUBLISHED.generate_crop_boxes((99, 140), 2, 0.4)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(FormatError, match="do not cover"):
        amg.rle_to_mask({"size": [2, 2], "counts": [1, 1]})
    with pytest.raises(InputError, match="give sequences of one length"):
        list(amg.batch_iterator(2, [1], [1, 2]))
    with pytest.raises(InputError, match="mode is 'dust'; give 'holes' or 'islands'"):
        amg.remove_small_regions(np.zeros((2, 2), bool), 1, "dust")
    with pytest.raises(ImageError, match="uint8 array"):
        ResizeLongestSide(32).apply_image(np.zeros((3, 3, 3)))


@pytest.mark.parametrize("size", [(40, 99), (99, 40), (50, 50), (1, 63)])
def test_transforms(size: tuple[int, int], segment_anything: ModuleType) -> None:
    theirs, ours = segment_anything.utils.transforms.ResizeLongestSide(64), ResizeLongestSide(64)
    assert ours.get_preprocess_shape(*size, 64) == theirs.get_preprocess_shape(*size, 64)
    np.testing.assert_array_equal(ours.apply_image(photo(*size)), theirs.apply_image(photo(*size)))
    boxes = np.random.default_rng(2).uniform(0, 40, (3, 4))
    for name, array in (("coords", boxes.reshape(3, 2, 2)), ("boxes", boxes)):
        np.testing.assert_allclose(
            getattr(ours, f"apply_{name}")(array, size), getattr(theirs, f"apply_{name}")(array, size)
        )
        tensor = torch.from_numpy(array)
        mine = getattr(ours, f"apply_{name}_torch")(tensor, size)
        torch.testing.assert_close(mine, getattr(theirs, f"apply_{name}_torch")(tensor, size))
        np.testing.assert_array_equal(tensor.numpy(), array)
    image = torch.from_numpy(photo(*size)).permute(2, 0, 1)[None].float()
    assert ours.apply_image_torch(image).shape[2:] == ours.get_preprocess_shape(*size, 64)
