"""What was decoded is kept: other thresholds, files, and the way through `Model.everything`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from anymask.automatic import PRESETS, AutomaticState, generate_masks, preset_settings
from anymask.automatic.candidates import stable_mask
from anymask.automatic.decoding import Decoded
from anymask.automatic.kept import kept_mask
from anymask.automatic.state import FILTERS
from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import AnymaskError, EmbeddingError, FormatError, InputError, OutputError
from anymask.core.geometry import InputFrame
from anymask.core.record import MaskRecord
from anymask.predict.model import Model
from tests.automatic.conftest import Twins
from tests.automatic.sam_runtime import photo
from tests.fake_runtime import FakeRuntime, fake_model, scene

RUN = {
    "points_per_side": 8,
    "pred_iou_thresh": 0.05,
    "stability_score_thresh": 0.57,
    "stability_score_offset": 0.3,
    "box_nms_thresh": 0.1,
}
OTHERS: dict[str, dict[str, Any]] = {
    "as it was": {},
    "all": {"pred_iou_thresh": 0.0, "stability_score_thresh": 0.0, "box_nms_thresh": 1.0},
    "score": {"pred_iou_thresh": 0.1},
    "stability": {"stability_score_thresh": 0.62},
    "offset": {"stability_score_offset": 0.1, "stability_score_thresh": 0.8},
    "size": {"min_area": 300, "max_area_share": 0.3},
    "regions": {"min_mask_region_area": 40},
    "masks": {"box_nms_thresh": 0.9, "mask_nms_thresh": 0.5, "nested": "whole", "containment_thresh": 0.7},
}


def plain(records: list[MaskRecord]) -> list[Any]:
    return [record.to_json() for record in records]


def digest(records: list[MaskRecord]) -> str:
    return hashlib.sha256(json.dumps(plain(records)).encode()).hexdigest()


@pytest.fixture(scope="module")
def state(spot_twins: Twins) -> AutomaticState:
    return spot_twins[1].everything(photo(), crop_n_layers=1, **RUN)


@pytest.mark.parametrize("filters", OTHERS.values(), ids=OTHERS)
def test_filtering_again_equals_a_new_run(
    filters: dict[str, Any], state: AutomaticState, spot_twins: Twins
) -> None:
    """A new run skips what its thresholds exclude; the state holds everything: the masks are the same."""
    fresh = generate_masks(spot_twins[1], photo(), crop_n_layers=1, **RUN | filters)
    assert fresh
    assert plain(state.records(**filters)) == plain(fresh)


def test_filters_make_a_difference(state: AutomaticState) -> None:
    results = {name: digest(state.records(**filters)) for name, filters in OTHERS.items()}
    assert len(set(results.values())) == len(results)


def test_filtering_needs_no_model() -> None:
    model = fake_model()
    state = model.everything(scene(), points_per_side=6)
    assert isinstance(model.runtime, FakeRuntime)
    before = len(model.runtime.batches)
    assert len(state.records(pred_iou_thresh=0.0)) > len(state.records(min_area=3000)) > 0
    assert len(model.runtime.batches) == before


@given(st.integers(0, 2**32 - 1), st.floats(0, 2), st.tuples(st.integers(1, 90), st.integers(1, 90)))
def test_the_kept_cells_are_enough(seed: int, offset: float, image_hw: tuple[int, int]) -> None:
    random = np.random.default_rng(seed)
    logits = np.full((16, 16), -5, np.float32)
    top, left = random.integers(0, 14, 2)
    logits[top : top + 3, left : left + 3] = random.normal(0, 3, logits[top : top + 3, left : left + 3].shape)
    logits += random.normal(0, 0.5, logits.shape).astype(np.float32)
    frame = InputFrame(image_hw, 32)
    expected = stable_mask(logits, frame, offset, 0)
    kept = kept_mask(Decoded(logits, 0.5, (1.0, 1.0)), 0, offset)
    if kept is None:
        assert expected is None
        return
    whole = np.full(logits.shape, -offset - 1, np.float32)
    whole[kept.window.slices] = kept.cells
    found = stable_mask(whole, frame, offset, 0)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert (found.window, found.stability) == (expected.window, expected.stability)
        np.testing.assert_array_equal(found.inside, expected.inside)


def test_what_is_kept_can_be_seen(state: AutomaticState) -> None:
    count = len(state)
    assert count > 100
    assert state.scores.shape == state.stabilities.shape == (count,)
    assert ((state.stabilities >= 0) & (state.stabilities <= 1)).all()
    assert state.points_xy.shape == (count, 2)
    assert ((state.points_xy > 0) & (state.points_xy < (200, 150))).all()
    assert len(state.crops) == 5
    assert {mask.crop for mask in state.masks} == set(range(5))
    assert state.low_res_logits(0).shape == state.low_res_hw
    whole = count * np.prod(state.low_res_hw) * 4
    assert 0 < state.nbytes < whole


def test_a_file_gives_the_same_state(state: AutomaticState, tmp_path: Path) -> None:
    path = state.save(tmp_path / "photo.safetensors")
    again = AutomaticState.load(path)
    for name in ("model", "model_sha256", "image_sha256", "image_hw", "input_size", "keep_above", "crops"):
        assert getattr(again, name) == getattr(state, name), name
    assert str(again.settings) == str(state.settings)
    for filters in (OTHERS["as it was"], OTHERS["all"], OTHERS["masks"]):
        assert plain(again.records(**filters)) == plain(state.records(**filters))
    np.testing.assert_array_equal(again.points_xy, state.points_xy)


def test_own_points_and_no_masks_go_through_a_file(tmp_path: Path) -> None:
    model = fake_model()
    grids = [np.array([[0.3, 0.4]]), np.array([[0.5, 0.5]])]
    state = model.everything(scene(), points_per_side=None, point_grids=grids)
    again = AutomaticState.load(state.save(tmp_path / "a.safetensors"))
    assert plain(again.records()) == plain(state.records()) != []
    empty = model.everything(scene(), points_per_side=2, pred_iou_thresh=2.0, keep_above=1.5)
    again = AutomaticState.load(empty.save(tmp_path / "b.safetensors"))
    assert (len(again), again.records(), again.nbytes) == (0, [], 0)


def test_keep_above_saves_space_and_is_a_floor() -> None:
    model = fake_model()
    every = model.everything(scene(), points_per_side=6)
    good = model.everything(scene(), points_per_side=6, keep_above=0.85)
    assert 0 < good.nbytes < every.nbytes
    assert plain(good.records()) == plain(every.records())
    assert plain(good.records(pred_iou_thresh=0.85)) == plain(every.records(pred_iou_thresh=0.85))
    for threshold in (0.8, 0.0):
        with pytest.raises(InputError, match=rf"pred_iou_thresh is {threshold}, masks were kept above 0.85"):
            good.records(pred_iou_thresh=threshold)
    with pytest.raises(InputError, match=r"keep_above is 0\.9; give a score from 0 to pred_iou_thresh"):
        model.everything(scene(), keep_above=0.9)


@pytest.mark.parametrize("preset", [None, *PRESETS])
def test_a_preset_gives_the_same_masks_every_way(preset: str | None) -> None:
    model = fake_model()
    small = {"points_per_side": 8}
    state = model.everything(scene(), preset, **small)
    assert digest(state.records()) == digest(generate_masks(model, scene(), preset_settings(preset, **small)))
    assert state.records()


def test_an_embedding_is_enough_without_crops() -> None:
    model = fake_model()
    embedding = model.embed(scene())
    state = model.everything(embedding, "objects", points_per_side=4)
    assert plain(state.records()) == plain(model.everything(scene(), "objects", points_per_side=4).records())
    assert state.image_sha256 == embedding.image_sha256
    with pytest.raises(InputError, match="no pixels to crop"):
        model.everything(embedding, "demo")
    with pytest.raises(EmbeddingError):
        Model(FakeRuntime(), sha256="0" * 64).everything(embedding)


def test_bad_filters_are_named() -> None:
    state = fake_model().everything(scene(), points_per_side=2)
    with pytest.raises(InputError, match="points_per_side says where to click, which needs a new run"):
        state.records(points_per_side=4)
    with pytest.raises(InputError, match="unknown setting min_are"):
        state.records(min_are=4)
    with pytest.raises(InputError, match=r"stability_score_offset is 1.5, logits were kept down to -1.0"):
        state.records(stability_score_offset=1.5)
    with pytest.raises(InputError, match="max_area_share is 2"):
        state.records(max_area_share=2)
    assert "min_area" in FILTERS


def broken(path: Path, what: str) -> None:
    """Write a state that is wrong in one way."""
    state = fake_model().everything(scene(), points_per_side=2)
    state.save(path)
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        facts = file.metadata()
    tensors = {name: np.array(tensor) for name, tensor in load_file(path).items()}
    match what:
        case "cut":
            path.write_bytes(path.read_bytes()[:-40])
            return
        case "version":
            facts["version"] = "99"
        case "settings":
            facts["settings"] = '{"points_per_side": -3}'
        case "cells per side":
            facts["low_res_hw"] = "[1000000000, 1000000000]"
        case "window":
            tensors["windows"][0, 1] = 1000
        case "cells":
            tensors["cells"] = tensors["cells"][:-1]
        case "crop":
            tensors["crops"][0] = 7
        case "nan":
            tensors["scores"][0] = np.nan
        case "type":
            tensors["scores"] = tensors["scores"].astype(np.float64)
        case "missing":
            del tensors["points_xy"]
    save_file(tensors, path, metadata=facts)


@pytest.mark.parametrize(
    "what",
    ["cut", "version", "settings", "cells per side", "window", "cells", "crop", "nan", "type", "missing"],
)
def test_a_damaged_file_is_one_line(what: str, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    broken(path, what)
    with pytest.raises(FormatError) as caught:
        AutomaticState.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    embedding = fake_model().embed(scene())
    with pytest.raises(FormatError, match="no state of everything mode"):
        AutomaticState.load(embedding.save(tmp_path / "e.safetensors"))
    with pytest.raises(FormatError, match="is not a file"):
        AutomaticState.load(tmp_path / "nowhere")
    state = fake_model().everything(scene(), points_per_side=2)
    with pytest.raises(AnymaskError, match="not an embedding"):
        ImageEmbedding.load(state.save(tmp_path / "s.safetensors"))
    with pytest.raises(OutputError):
        state.save(tmp_path / "missing" / "s.safetensors")
