"""Thresholds chosen on pictures with true masks, and the script that writes them into a manifest."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anymask.automatic import preset_settings
from anymask.automatic.calibration import BETAS, SCORES, STABILITIES, Calibration, f_measure, match
from anymask.core.rle import Rle, encode
from anymask.models.folder import ModelFolder
from anymask.models.manifest import Manifest
from anymask.models.registry import resolve
from anymask.predict.load import load
from anymask.release import calibrate
from tests.fake_runtime import fake_model, scene


def box(rows: slice, columns: slice) -> Rle:
    mask = np.zeros((120, 160), bool)
    mask[rows, columns] = True
    return encode(mask)


SQUARE, SPOT, BAR = (
    box(slice(20, 70), slice(30, 80)),
    box(slice(35, 55), slice(45, 65)),
    box(slice(40, 110), slice(100, 150)),
)


def test_masks_are_matched_one_to_one() -> None:
    half = box(slice(20, 70), slice(30, 60))  # IoU 0.6 with the square
    off = box(slice(0, 30), slice(30, 80))  # a third of it in the square
    assert match([SQUARE, half, BAR], [SQUARE, BAR]) == (2, 1, 0)
    assert match([half], [SQUARE, BAR]) == (1, 0, 1)
    assert match([off], [SQUARE]) == (0, 0, 1)  # nobody said what is above the square
    assert match([SPOT], [SQUARE]) == (0, 1, 1)
    assert match([], [SQUARE]) == (0, 0, 1)
    assert match([SQUARE], []) == (0, 0, 0)


def test_f_measure() -> None:
    assert f_measure([[3, 1, 1], [0, 0, 4], [0, 0, 0]], 1) == pytest.approx([0.75, 0, 0])
    few, many = [1, 0, 3], [3, 9, 1]  # precise, and complete
    assert f_measure(few, 0.5) > f_measure(many, 0.5)
    assert f_measure(few, 2) < f_measure(many, 2)


def test_the_thresholds_leave_what_is_true() -> None:
    """The fake's scores for a click: 0.7 for large regions, 0.9 and 0.8 for finer ones."""
    model = fake_model()
    state = model.everything(scene(), points_per_side=8, pred_iou_thresh=0.2)
    calibration = Calibration()
    fine = [record.rle for record in state.records(pred_iou_thresh=0.85)]
    calibration.add("scenes", state, [SQUARE, BAR, *fine])
    assert calibration.pictures == 1
    strict = calibration.thresholds(0.5)
    assert strict["stability_score_thresh"] == STABILITIES[-1]  # its masks are all stable
    assert strict["pred_iou_thresh"] in SCORES
    chosen = calibration.automatic()
    assert chosen.keys() == BETAS.keys()
    assert preset_settings("dense", chosen).points_per_side == 64
    scores = [chosen[preset]["pred_iou_thresh"] for preset in ("default", "demo", "parts", "dense")]
    assert scores == sorted(scores, reverse=True)
    measured = calibration.measured(chosen)["demo"]
    assert measured["f"] == pytest.approx(2 / (1 / measured["precision"] + 1 / measured["recall"]), abs=1e-3)


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """Three pictures of one source, one of another, one whose masks are not exhaustive."""
    path = tmp_path / "val.tar"
    image = io.BytesIO()
    Image.fromarray(scene()).save(image, "PNG")
    with tarfile.open(path, "w") as tar:
        for key, source, exhaustive in (
            ("a1", "a", True), ("a2", "a", True), ("a3", "a", True), ("b1", "b", True), ("c1", "c", False),
        ):  # fmt: skip
            masks = [{"rle": rle.to_coco(), "label": None} for rle in (SQUARE, BAR)]
            about = {"source": source, "exhaustive": exhaustive, "width": 160, "height": 120, "masks": masks}
            for name, data in ((f"{key}.png", image.getvalue()), (f"{key}.json", json.dumps(about).encode())):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return path


def test_pictures_are_chosen_from_every_source(shard: Path) -> None:
    assert [key for key, _, _ in calibrate.exhaustive_pairs([shard], 1)] == ["a3", "b1"]
    assert [key for key, _, _ in calibrate.exhaustive_pairs([shard], 2)] == ["a2", "a3", "b1"]
    assert [key for key, _, _ in calibrate.exhaustive_pairs([shard], 9)] == ["a1", "a2", "a3", "b1"]


def test_the_script_writes_the_manifest(
    shard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(resolve("lite").path, folder)
    before = Manifest.read(folder / "manifest.json")
    monkeypatch.setattr(calibrate, "load", lambda *_, **__: fake_model())
    words = [str(folder), "--data", str(shard), "--per-source", "1", "--points-per-side", "4"]
    assert calibrate.main(words) == 0
    assert Manifest.read(folder / "manifest.json") == before
    printed = json.loads(capsys.readouterr().out)
    assert calibrate.main([*words, "--write"]) == 0
    after = ModelFolder.open(folder).manifest
    assert after.spec.automatic == printed["automatic"]
    assert after.metrics["automatic"] == printed["metrics"]
    assert printed["metrics"]["pictures"] == 2
    assert {**after.to_json(), "automatic": 0, "metrics": 0} == {
        **before.to_json(),
        "automatic": 0,
        "metrics": 0,
    }
    assert calibrate.main([str(tmp_path / "nowhere"), "--data", str(shard)]) == 1
    assert "error: " in capsys.readouterr().err


def test_lite_states_its_own_thresholds() -> None:
    assert resolve("lite").spec.automatic.keys() == BETAS.keys()
    assert load("lite").spec.automatic["demo"]["pred_iou_thresh"] < 0.86
