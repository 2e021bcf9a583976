"""Coarse-to-fine clicks fewer points and finds the things; memory limits change chunks and nothing else."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from anymask.automatic import generate_masks
from anymask.automatic.memory import bytes_of, bytes_to_hold, clicks_that_fit, resident_bytes
from anymask.automatic.points import point_grid
from anymask.automatic.sampling import CoarseToFine, FullGrid, make_sampler
from anymask.core.errors import InputError
from anymask.core.masks import iou
from anymask.models.spec import ModelSpec
from tests.fake_runtime import FakeRuntime, fake_model, scene

CELLS = point_grid(16) * 64


def clicked(sampler: CoarseToFine | FullGrid) -> list[int]:
    return [int(number) for chosen in sampler.rounds() for number in chosen]


def test_without_good_masks_every_point_is_clicked_once() -> None:
    for side in (1, 2, 3, 5, 16, 32):
        sampler = CoarseToFine(point_grid(side) * 64, (64, 64))
        first = next(sampler.rounds())
        assert 1 <= len(first) <= max(1, side * side // 9)
        assert sorted(clicked(sampler)) == list(range(side * side))


def test_points_in_the_smallest_good_mask_are_left_out() -> None:
    sampler = CoarseToFine(CELLS, (64, 64))
    small, large = np.full((64, 64), -1, np.float32), np.full((64, 64), 1, np.float32)
    small[:32] = 1
    rounds = sampler.rounds()
    first = next(rounds)
    sampler.covered(np.stack([large, small, np.full_like(small, -1)]))
    rest = np.concatenate(list(rounds))
    assert len(first) == 16
    assert sorted({*first.tolist(), *rest.tolist()}) == sorted({*first.tolist(), *range(128, 256)})


def test_masks_without_cells_explain_nothing() -> None:
    sampler = CoarseToFine(CELLS, (64, 64))
    sampler.covered(np.full((2, 64, 64), -1, np.float32))
    assert len(clicked(sampler)) == 256


def test_points_of_ones_own_are_all_clicked() -> None:
    assert isinstance(make_sampler("coarse-to-fine", CELLS, (64, 64), regular=False), FullGrid)
    assert isinstance(make_sampler("full", CELLS, (64, 64), regular=True), FullGrid)
    assert isinstance(make_sampler("coarse-to-fine", CELLS, (64, 64), regular=True), CoarseToFine)


def test_the_same_things_are_found_with_fewer_clicks() -> None:
    counts, found = {}, {}
    for sampling in ("full", "coarse-to-fine"):
        model = fake_model()
        found[sampling] = generate_masks(
            model, scene(), points_per_side=16, pred_iou_thresh=0.75, sampling=sampling
        )
        assert isinstance(model.runtime, FakeRuntime)
        counts[sampling] = sum(len(prompts) for prompts, _ in model.runtime.batches)
    assert counts["full"] == 256
    assert counts["coarse-to-fine"] < 0.5 * 256
    for mask in found["full"]:
        assert max(iou(mask.mask, other.mask) for other in found["coarse-to-fine"]) > 0.95


def test_less_memory_gives_the_same_masks_in_smaller_chunks() -> None:
    model = fake_model()
    settings = {"points_per_side": 12, "pred_iou_thresh": 0.75}
    expected = generate_masks(model, scene(), **settings)
    assert isinstance(model.runtime, FakeRuntime)
    sizes = {len(prompts) for prompts, _ in model.runtime.batches}
    model.runtime.batches.clear()
    limit = resident_bytes() + 20_000_000
    limited = generate_masks(model, scene(), **settings, max_memory=limit)
    smaller = {len(prompts) for prompts, _ in model.runtime.batches}
    assert [one.to_json() for one in limited] == [one.to_json() for one in expected]
    assert max(smaller) <= max(sizes)


def test_chunks_follow_what_is_left() -> None:
    spec = ModelSpec("some", "lite", input_size=448, mask_size=112, version="1")
    assert clicks_that_fit(None, spec, 64) == 64
    taken = resident_bytes()
    assert clicks_that_fit(taken + 10**9, spec, 64) == 64
    few = clicks_that_fit(taken + 12_000_000, spec, 64)
    assert 1 <= few < 20
    assert bytes_to_hold(None, 64) == 64
    assert 0 <= bytes_to_hold(taken + 12_000_000, 10**9) < 12_000_000
    with pytest.raises(InputError, match=r"max_memory is 1 MB, but this process takes \d+ MB .* at least"):
        clicks_that_fit(10**6, spec, 64)


def test_amounts_of_memory() -> None:
    amounts = {"500MB": 500_000_000, "2 GiB": 2**31, "1.5g": 1_500_000_000, "1024": 1024, "3kb": 3000}
    assert {text: bytes_of(text) for text in amounts} == amounts
    assert bytes_of(12) == 12
    for wrong in ("", "MB", "-5MB", "5 TB", "half"):
        with pytest.raises(InputError, match="no amount of memory"):
            bytes_of(wrong)


def test_bad_settings_are_named() -> None:
    with pytest.raises(InputError, match="sampling is 'some'; give one of full, coarse-to-fine"):
        generate_masks(fake_model(), scene(), sampling="some")
    with pytest.raises(InputError, match="max_memory is 0; give a whole number from 1"):
        generate_masks(fake_model(), scene(), max_memory=0)


_LARGE_PICTURE = """
import sys
from pathlib import Path
import numpy as np
import anymask
from anymask.automatic import generate_masks
from anymask.core.images import load_image
limit = int(sys.argv[1])
pixels = np.asarray(load_image("examples/coffee.jpg").pixels)
pixels = np.tile(pixels, (6, 5, 1))[:2000, :3000]
model = anymask.load("lite", threads=1)
masks = generate_masks(
    model, pixels, points_per_side=8, pred_iou_thresh=0.4, stability_score_thresh=0.5, max_memory=limit
)
status = Path("/proc/self/status").read_text()
peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
print(len(masks), int(peak.split()[1]) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")
def test_lite_obeys_its_limit_on_a_large_picture() -> None:
    limit = 600_000_000
    command = [sys.executable, "-W", "ignore", "-c", _LARGE_PICTURE, str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, peak = (int(figure) for figure in done.stdout.split())
    assert count > 0
    assert 50_000_000 < peak <= limit
