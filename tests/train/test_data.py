"""Shards, their cache, and the views made of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anymask.core.errors import FormatError, InputError
from anymask.formats.shards import count_pairs, read_shard
from anymask.train.shards import ShardCache, build_cache
from anymask.train.views import ViewStream, choose_masks, frame_matrix, make_view, source_weights
from tests.train.toys import BLOCK, DISK, describe, drawing, png, tiny_config, toy_shard, write_shard


def test_cache_returns_what_the_shard_holds(cache: ShardCache) -> None:
    assert len(cache) == 6
    for i in range(6):
        pixels, masks = drawing(i)
        assert np.array_equal(cache.pixels(i), pixels)
        for j, mask in enumerate(masks):
            assert np.array_equal(cache.mask(i, j), mask)


def test_broken_members_are_named_and_skipped(tmp_path: Path) -> None:
    pixels, masks = drawing(0)
    good = json.dumps(describe(masks)).encode()
    small = json.dumps(describe([masks[0][:10]])).encode()
    mixed = json.dumps(describe([masks[0], masks[1][:, :10]])).encode()
    shard = write_shard(
        tmp_path / "mixed.tar",
        [("good", png(pixels), good), ("cut", png(pixels)[:200], good), ("text", b"not a picture", good),
         ("wrong-size", png(pixels), small), ("half", png(pixels), mixed)],
    )  # fmt: skip
    lines: list[str] = []
    cache = ShardCache(build_cache([shard], tmp_path / "cache", lines.append))
    assert [(s.key, len(s.rles)) for s in cache.samples] == [("good", 2), ("half", 1)]
    assert {line.split(":")[0] for line in lines} == {"cut", "text", "wrong-size", "half"}


def test_not_a_shard(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(b"no tar at all" * 100)
    with pytest.raises(FormatError, match=r"x\.tar is no shard"):
        list(read_shard(path))
    with pytest.raises(FormatError, match=r"x\.tar is no shard"):
        count_pairs(path)
    with pytest.raises(InputError, match="does not exist"):
        build_cache([tmp_path / "absent.tar"], tmp_path)
    broken = write_shard(tmp_path / "broken.tar", [("a", b"", b"{")])
    with pytest.raises(FormatError, match=r"a\.json is no JSON"):
        list(read_shard(broken))
    listed = write_shard(tmp_path / "list.tar", [("a", b"", b"[]")])
    with pytest.raises(FormatError, match="expected an object"):
        list(read_shard(listed))


def test_an_interrupted_cache_is_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard = toy_shard(tmp_path / "toys.tar")
    monkeypatch.setattr(
        "anymask.train.shards.decode_sample", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        build_cache([shard], tmp_path / "cache")
    monkeypatch.undo()
    assert len(ShardCache(build_cache([shard], tmp_path / "cache"))) == count_pairs(shard) == 6


@given(st.integers(0, 10_000))
def test_views_keep_masks_on_their_objects(seed: int) -> None:
    """Wherever a mask covers a cell fully, the view shows that object's colour."""
    cache = DrawnCache()
    config = tiny_config(colour_chance=0.0, crop_chance=0.7, turn_chance=0.5)
    view = make_view(cache, seed % 6, np.random.default_rng(seed), config)
    if view is None:
        return
    for mask in view.masks:
        blocks = [view.pixels[4 * y : 4 * y + 4, 4 * x : 4 * x + 4] for y, x in np.argwhere(mask > 0.999)]
        colours = np.array([block.mean((0, 1)) for block in blocks]).reshape(-1, 3)
        gaps = [np.abs(colours - colour).max(initial=0) for colour in (DISK, BLOCK)]
        assert min(gaps) < 12


class DrawnCache(ShardCache):
    """The toys without files."""

    def __init__(self) -> None:
        from anymask.train.shards import decode_sample

        pairs = [drawing(i) for i in range(6)]
        found = [decode_sample(str(i), png(p), describe(m), print) for i, (p, m) in enumerate(pairs)]
        self._pixels = [entry[0] for entry in found if entry]
        self.samples = [entry[1] for entry in found if entry]
        self._areas = {}

    def pixels(self, index: int) -> np.ndarray:
        return self._pixels[index]


@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(0, 10_000))
def test_frames_fill_but_never_leave_the_input(height: int, width: int, seed: int) -> None:
    config = tiny_config(crop_chance=0.5, turn_chance=0.5)
    matrix, filled = frame_matrix(height, width, 64, np.random.default_rng(seed), config)
    assert min(filled) >= 0
    assert max(filled) <= 64
    assert abs(np.linalg.det(matrix[:, :2])) > 0


def test_batches_have_one_shape_and_follow_the_seed(cache: ShardCache) -> None:
    stream = ViewStream(cache, tiny_config(images=3, masks=4))
    first, again, other = (stream.batch(np.random.default_rng(s)) for s in (5, 5, 6))
    assert first["pixels"].shape == (3, 3, 64, 64)
    assert first["masks"].shape == (12, 1, 16, 16)
    assert first["image"].max() < 3
    assert all(first[k].equal(again[k]) for k in first)
    assert not first["pixels"].equal(other["pixels"])


def test_sources_count_by_the_root_of_their_size() -> None:
    class Two(ShardCache):
        def __init__(self) -> None:
            one = DrawnCache().samples[0]
            self.samples = [type(one)(**{**one.__dict__, "source": s}) for s in ["big"] * 16 + ["small"]]

    weights = source_weights(Two())
    assert weights[:16].sum() / weights[16] == pytest.approx(4.0, rel=1e-4)


def test_masks_are_chosen_evenly_over_sizes() -> None:
    areas = np.array([100.0] * 50 + [20_000.0], np.float32)
    rng = np.random.default_rng(0)
    large = sum(50 in choose_masks(areas, 1, rng) for _ in range(300))
    assert 100 < large < 200
    assert len(choose_masks(np.zeros(3, np.float32), 2, rng)) == 0
