from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from anymask.core.errors import FormatError, InputError
from anymask.core.masks import mask_box
from anymask.core.rle import Rle, decode, decode_window, encode, encode_window, from_runs, runs_of
from anymask.core.upscale import Window
from tests.core.strategies import masks


@given(mask=masks())
def test_decode_gives_back_what_encode_took(mask: np.ndarray) -> None:
    rle = encode(mask)
    assert np.array_equal(decode(rle), mask)
    assert rle.area == mask.sum()


@given(mask=masks())
def test_equals_pycocotools(mask: np.ndarray) -> None:
    theirs = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    ours = encode(mask)
    assert ours.to_coco() == {"size": theirs["size"], "counts": theirs["counts"].decode()}
    assert ours.box_xywh == tuple(coco_mask.toBbox(theirs))


@given(
    mask=masks(),
    above=st.integers(0, 5),
    below=st.integers(0, 5),
    left=st.integers(0, 5),
    right=st.integers(0, 5),
)
def test_window_equals_whole(mask: np.ndarray, above: int, below: int, left: int, right: int) -> None:
    whole = np.pad(mask, ((above, below), (left, right)))
    window = Window(above, above + mask.shape[0], left, left + mask.shape[1])
    assert encode_window(mask, window, whole.shape) == encode(whole)  # type: ignore[arg-type]


@given(
    mask=masks(),
    above=st.integers(0, 5),
    below=st.integers(0, 5),
    left=st.integers(0, 5),
    right=st.integers(0, 5),
)
def test_window_of_a_mask(mask: np.ndarray, above: int, below: int, left: int, right: int) -> None:
    whole = np.pad(mask, ((above, below), (left, right)))
    found = decode_window(encode(whole))
    again = np.zeros_like(whole)
    if found is not None:
        window, inside = found
        again[window.slices] = inside
        assert (window.x0, window.y0, window.x1, window.y1) == mask_box(whole)
    assert np.array_equal(again, whole)


@given(mask=masks())
def test_runs_equal_segment_anything(segment_anything: ModuleType, mask: np.ndarray) -> None:
    amg = segment_anything.utils.amg
    theirs = amg.mask_to_rle_pytorch(torch.from_numpy(mask[None]))[0]
    assert runs_of(encode(mask).counts, mask.shape).tolist() == theirs["counts"]  # type: ignore[arg-type]
    assert from_runs(theirs["counts"], theirs["size"]) == encode(mask)
    assert amg.coco_encode_rle(theirs) == encode(mask).to_coco()


@given(
    text=st.text(alphabet=[chr(c) for c in range(40, 120)], max_size=12),
    h=st.integers(1, 6),
    w=st.integers(1, 6),
)
def test_any_text_is_a_mask_of_that_size_or_refused(text: str, h: int, w: int) -> None:
    try:
        rle = Rle((h, w), text)
    except FormatError:
        return
    mask = decode(rle)
    assert mask.shape == (h, w)
    assert mask.sum() == rle.area


BAD: list[tuple[Any, str]] = [
    (None, "not an RLE"),
    ({"size": [2, 2]}, "not an RLE"),
    ({"size": [2], "counts": "04"}, "not \\[height, width\\]"),
    ({"size": [2, True], "counts": "04"}, "not \\[height, width\\]"),
    ({"size": [2, 2.0], "counts": "04"}, "not \\[height, width\\]"),
    ({"size": [0, 2], "counts": "0"}, "not \\[height, width\\]"),
    ({"size": [10**6, 10**6], "counts": "04"}, "more than"),
    ({"size": [2, 2], "counts": ""}, "not text"),
    ({"size": [2, 2], "counts": "ü"}, "not text"),
    ({"size": [2, 2], "counts": b"\xff"}, "not text"),
    ({"size": [2, 2], "counts": 4}, "neither text nor a list"),
    ({"size": [2, 2], "counts": [1.5, 2.5]}, "neither text nor a list"),
    ({"size": [2, 2], "counts": [10**30]}, "neither text nor a list"),
    ({"size": [2, 2], "counts": []}, "do not cover"),
    ({"size": [2, 2], "counts": [5, -1]}, "do not cover"),
    ({"size": [2, 2], "counts": [1, 2]}, "do not cover"),
    ({"size": [2, 2], "counts": "99"}, "do not cover"),
    ({"size": [2, 2], "counts": "oooooooooooooooooooo0"}, "longer than any image"),
    ({"size": [2, 2], "counts": "o"}, "characters"),
    ({"size": [2, 2], "counts": " "}, "characters"),
]


@pytest.mark.parametrize(("value", "message"), BAD)
def test_what_would_crash_pycocotools_is_refused(value: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        Rle.from_coco(value)


def test_all_forms_of_counts_are_read() -> None:
    mask = np.eye(5, dtype=bool)
    rle = encode(mask)
    runs = runs_of(rle.counts, rle.size_hw).tolist()
    forms = [rle.counts, rle.counts.encode(), runs, tuple(runs)]
    assert all(Rle.from_coco({"size": [5, 5], "counts": form}) == rle for form in forms)


def test_empty_and_full() -> None:
    empty, full = encode(np.zeros((3, 4))), encode(np.ones((3, 4)))
    assert (empty.area, empty.box_xywh) == (0, (0, 0, 0, 0))
    assert (full.area, full.box_xywh) == (12, (0, 0, 4, 3))


@pytest.mark.parametrize("shape", [(3,), (0, 3), (1, 2, 3), ()])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="expected \\(height, width\\)"):
        encode(np.zeros(shape))


@pytest.mark.parametrize("window", [Window(0, 2, 0, 3), Window(3, 5, 0, 2), Window(-1, 1, 0, 2)])
def test_windows_that_do_not_fit_are_refused(window: Window) -> None:
    with pytest.raises(InputError, match="do not fill"):
        encode_window(np.ones((2, 2), bool), window, (4, 4))
