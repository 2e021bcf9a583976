"""Masks over masks: containment, suppression, trees and partitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.automatic import generate_masks, partition, with_parents
from anymask.automatic.overlaps import containment, drop_covered, suppress_masks
from anymask.core.errors import InputError
from anymask.core.masks import iou, union
from anymask.core.record import MaskRecord
from anymask.core.rle import encode
from anymask.formats import read, write
from tests.fake_runtime import fake_model, scene

SIZE = (12, 15)
SEEDS = st.integers(0, 2**32 - 1)


def rectangle(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def record(mask: np.ndarray, score: float = 0.9, **known: object) -> MaskRecord:
    return MaskRecord.of_mask(mask, score=score, **known)


def random_records(seed: int) -> list[MaskRecord]:
    """Up to eight rectangles, some with noise."""
    random = np.random.default_rng(seed)
    records = []
    for _ in range(random.integers(1, 9)):
        (x0, x1), (y0, y1) = np.sort(random.integers(0, 16, 2)), np.sort(random.integers(0, 13, 2))
        mask = rectangle(x0, y0, x1 + 1, y1 + 1)
        if random.random() < 0.3:
            mask &= random.random(SIZE) < 0.8
        records.append(record(mask, float(random.random())))
    return records


@given(SEEDS)
def test_containment_is_counted_in_pixels(seed: int) -> None:
    masks = [one.mask for one in random_records(seed)]
    shares = containment([encode(mask) for mask in masks])
    for i, first in enumerate(masks):
        for j, second in enumerate(masks):
            expected = (first & second).sum() / first.sum() if first.any() else 0.0
            assert shares[i, j] == pytest.approx(expected)


@given(SEEDS, st.floats(0, 1))
def test_suppression_of_masks_keeps_the_best_of_what_overlaps(seed: int, threshold: float) -> None:
    records = [one for one in random_records(seed) if one.area]
    scores = [one.score or 0.0 for one in records]
    kept = suppress_masks([one.rle for one in records], scores, threshold)
    assert kept == sorted(kept)
    for i, one in enumerate(records):
        rivals = [k for k in kept if scores[k] > scores[i] and iou(records[k].mask, one.mask) > threshold]
        assert (i in kept) == (not rivals)


def test_only_the_wholes_or_only_the_parts_stay() -> None:
    car, door, window = rectangle(0, 0, 12, 10), rectangle(1, 1, 7, 9), rectangle(2, 2, 5, 5)
    left, right = rectangle(0, 10, 7, 12), rectangle(7, 10, 15, 12)
    road = rectangle(0, 10, 15, 12)
    rles = [encode(mask) for mask in (window, car, left, road, door, right)]
    assert drop_covered(rles, 0.9, larger_first=True) == [1, 3]
    # The door and the car have pixels of their own; the road is the sum of its parts.
    assert drop_covered(rles, 0.9, larger_first=False) == [0, 1, 2, 4, 5]
    assert drop_covered([], 0.9, larger_first=True) == []


def test_settings_choose_wholes_parts_and_sizes() -> None:
    model = fake_model()
    settings = {"points_per_side": 16, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0}

    def areas(**more: object) -> set[int]:
        return {one.area for one in generate_masks(model, scene(), **settings, **more)}

    every = areas()
    assert any(area < 1000 for area in every)
    assert any(area > 10_000 for area in every)
    assert areas(min_area=1000) == {area for area in every if area >= 1000}
    assert all(area <= 0.4 * 160 * 120 for area in areas(max_area_share=0.4))
    things = areas(max_area_share=0.4, nested="whole", mask_nms_thresh=0.7)
    parts = areas(max_area_share=0.4, nested="part", mask_nms_thresh=0.7)
    assert min(things) > 1000 > min(parts)


def test_a_tree_names_the_smallest_whole() -> None:
    masks = [rectangle(2, 2, 5, 5), rectangle(0, 0, 12, 10), rectangle(1, 1, 7, 9), rectangle(12, 0, 15, 3)]
    tree = with_parents([record(mask) for mask in masks])
    assert [(one.id, one.parent) for one in tree] == [(1, 3), (2, None), (3, 2), (4, None)]
    named = with_parents([record(mask, id=name) for mask, name in zip(masks, "wcds", strict=True)])
    assert [(one.id, one.parent) for one in named] == [("w", "d"), ("c", None), ("d", "c"), ("s", None)]
    assert with_parents([]) == []


@given(SEEDS)
def test_a_tree_has_no_circles(seed: int) -> None:
    tree = {one.id: one for one in with_parents(random_records(seed))}
    for one in tree.values():
        if one.parent is not None:
            holder = tree[one.parent]
            assert holder.area > one.area
            assert (holder.mask & one.mask).sum() >= 0.9 * one.area


@given(SEEDS)
def test_every_pixel_has_one_owner(seed: int) -> None:
    records = random_records(seed)
    parts = partition(records)
    covered = union(*[one.mask for one in records])
    np.testing.assert_array_equal(parts.labels > 0, covered)
    assert parts.cover == covered.mean()
    assert sum(one.area for one in parts.records) == covered.sum()
    for part in parts.records:
        assert isinstance(part.id, int)
        np.testing.assert_array_equal(parts.labels == part.id, part.mask)
        assert not (part.mask & ~records[part.id - 1].mask).any()
        assert part.score == records[part.id - 1].score


def test_parts_own_their_pixels_and_good_masks_those_of_bad_ones() -> None:
    whole, part = rectangle(0, 0, 10, 10), rectangle(2, 2, 5, 5)
    nested = partition([record(part, 0.1), record(whole, 0.9)])
    assert (nested.labels[3, 3], nested.labels[0, 0], nested.labels[11, 14]) == (1, 2, 0)
    left, right = rectangle(0, 0, 8, 10), rectangle(6, 0, 15, 10)
    for scores, owner in (((0.5, 0.6), 2), ((0.6, 0.5), 1), ((0.5, 0.5), 1)):  # left is smaller
        parts = partition([record(left, scores[0]), record(right, scores[1])])
        assert parts.labels[5, 7] == owner
    hidden = partition([record(part, 0.5), record(part, 0.6)])
    assert [one.id for one in hidden.records] == [2]


def test_gaps_are_filled_with_the_nearest() -> None:
    records = [record(rectangle(0, 0, 3, 12)), record(rectangle(12, 0, 15, 12))]
    parts = partition(records, gaps="fill")
    assert parts.cover == 1.0
    assert set(np.unique(parts.labels[:, :7])) == {1}
    assert set(np.unique(parts.labels[:, 8:])) == {2}


def test_an_image_without_masks_has_no_owners() -> None:
    for gaps in ("leave", "fill"):
        parts = partition([], image_hw=(3, 4), gaps=gaps)  # type: ignore[arg-type]
        assert (parts.labels.shape, parts.cover, parts.records) == ((3, 4), 0.0, ())


def test_more_than_255_owners(tmp_path: pytest.TempPathFactory) -> None:
    size = (20, 20)
    records = []
    for i in range(300):
        mask = np.zeros(size, bool)
        mask[divmod(i, 20)] = True
        records.append(MaskRecord.of_mask(mask))
    parts = partition(records)
    assert parts.labels.dtype == np.uint16
    assert parts.labels.ravel().tolist() == [*range(1, 301), *[0] * 100]
    red, green, blue = np.moveaxis(parts.panoptic().astype(int), -1, 0)
    np.testing.assert_array_equal(red + 256 * green + 65536 * blue, parts.labels)
    path = write(f"{tmp_path}/labels.png", parts.records, format="labelmap")
    assert [one.id for one in read(path, "labelmap")] == [*range(1, 301)]


def test_bad_input_is_named() -> None:
    one, other = record(rectangle(0, 0, 3, 3)), MaskRecord.of_mask(np.ones((2, 2)))
    with pytest.raises(InputError, match="give those of one image"):
        partition([one, other])
    with pytest.raises(InputError, match="give those of one image"):
        with_parents([one, other])
    with pytest.raises(InputError, match="image_hw is None, masks have None"):
        partition([])
    with pytest.raises(InputError, match="image_hw is \\(1, 2\\), masks have \\(12, 15\\)"):
        partition([one], image_hw=(1, 2))
    with pytest.raises(InputError, match="gaps is 'mend'; give one of leave, fill"):
        partition([one], gaps="mend")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="share is 0"):
        with_parents([one], share=0)
