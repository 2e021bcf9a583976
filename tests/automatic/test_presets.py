"""Named settings."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import anymask
import anymask.predict.load as loading
from anymask.automatic import (
    PRESETS,
    AutomaticSettings,
    AutomaticState,
    generate_masks,
    preset_settings,
)
from anymask.cli.main import run
from anymask.core.errors import InputError
from anymask.core.regions import remove_specks
from anymask.predict.model import Model
from tests.cli import fake_anymask
from tests.fake_runtime import SHA256, FakeRuntime, fake_model, scene

GUIDE = Path(__file__).parents[2] / "docs" / "everything.md"


def test_presets_differ_and_can_be_changed_one_by_one() -> None:
    assert list(PRESETS) == ["demo", "paper", "objects", "parts", "dense"]
    assert len({str(settings) for settings in PRESETS.values()}) == len(PRESETS)
    changed = preset_settings("paper", crop_n_layers=0)
    assert (changed.crop_n_layers, changed.max_area_share) == (0, 0.95)
    assert str(preset_settings()) == str(AutomaticSettings())


OWN = {
    "default": {"pred_iou_thresh": 0.6},
    "dense": {"pred_iou_thresh": 0.85, "stability_score_thresh": 0.5},
}


def own_model() -> Model:
    """A model that states its own thresholds."""
    runtime = FakeRuntime()
    runtime.spec = replace(runtime.spec, automatic=OWN)
    return Model(runtime, sha256=SHA256)


def test_a_models_thresholds_stand_in_for_the_presets() -> None:
    ours = preset_settings("dense", OWN, stability_score_thresh=0.7)
    assert (ours.pred_iou_thresh, ours.stability_score_thresh, ours.mask_nms_thresh) == (0.85, 0.7, 0.9)
    assert str(preset_settings("demo", OWN)) == str(PRESETS["demo"])
    assert preset_settings(None, OWN).pred_iou_thresh == 0.6
    with pytest.raises(InputError, match="unknown setting eagerness"):
        preset_settings("demo", {"demo": {"eagerness": 1.0}})


@pytest.mark.parametrize("preset", [None, "dense"])
def test_every_way_in_uses_the_models_thresholds(preset: str | None, tmp_path: Path) -> None:
    settings = {"points_per_side": 8, "crop_n_layers": 0}
    wanted = generate_masks(own_model(), scene(), preset_settings(preset, OWN, **settings))
    without = generate_masks(fake_model(), scene(), preset, **settings)
    assert wanted
    assert len(wanted) != len(without)
    assert generate_masks(own_model(), scene(), preset, **settings) == wanted
    state = own_model().everything(scene(), preset, **settings)
    assert state.records() == wanted
    other = own_model().everything(scene(), "parts", points_per_side=8)
    other.save(tmp_path / "s.safetensors")
    again = AutomaticState.load(tmp_path / "s.safetensors")
    assert again.thresholds == OWN
    if preset is not None:
        assert other.records(preset) == again.records(preset) == wanted


def test_specks_go_by_share() -> None:
    """The fake's mask of the ground has holes and islands of all sizes."""
    pixels = scene()
    pixels[5:8, 5:8] = pixels[45, 55]
    every = {"points_per_side": 16, "pred_iou_thresh": 0.0}
    plain = fake_model().everything(pixels, **every)
    tidy = plain.records(tidy_share=0.05)
    assert tidy == generate_masks(fake_model(), pixels, tidy_share=0.05, **every)
    before = plain.records()
    assert tidy != before
    for record, old in zip(tidy, before, strict=True):
        assert np.array_equal(record.mask, remove_specks(old.mask, 0.05))
        assert record.box_xywh == record.rle.box_xywh
    with pytest.raises(InputError, match="tidy_share is 2"):
        preset_settings(tidy_share=2)


def test_bad_names_are_named() -> None:
    with pytest.raises(InputError, match="preset 'best' is not known; give one of demo, paper"):
        preset_settings("best")
    with pytest.raises(InputError, match="unknown setting min_are"):
        preset_settings("demo", min_are=3)


def test_the_guide_explains_every_knob_and_states_every_preset() -> None:
    text = GUIDE.read_text()
    for name in AutomaticSettings.__dataclass_fields__:
        assert f"| `{name}`" in text, name
    rows = {row[0]: row[1:] for row in re.findall(r"^\| (\w+) \|" + r" ([^|]*) \|" * 6, text, re.MULTILINE)}
    for name, *shown in [("default", AutomaticSettings()), *PRESETS.items()]:
        settings = shown[0]
        for knob, cells in rows.items():
            if knob in AutomaticSettings.__dataclass_fields__:
                column = ["default", *PRESETS].index(name)
                assert cells[column] == str(getattr(settings, knob)), (name, knob)
    changed = {
        knob
        for settings in PRESETS.values()
        for knob in AutomaticSettings.__dataclass_fields__
        if getattr(settings, knob) != getattr(AutomaticSettings(), knob)
    }
    assert changed <= rows.keys()


def test_the_guides_snippets_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Python and on the command line, on a small scene and with a fake model."""
    (tmp_path / "examples").mkdir()
    Image.fromarray(scene()).save(tmp_path / "examples" / "flower.jpg")
    Image.fromarray(scene()).save(tmp_path / "scene.tif")
    monkeypatch.setattr(anymask, "load", fake_anymask.load)
    monkeypatch.setattr(loading, "load", fake_anymask.load)
    monkeypatch.chdir(tmp_path)
    text = GUIDE.read_text()
    python = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^anymask (.*)$", "".join(blocks), re.MULTILINE)
    assert (len(python), len(commands)) == (3, 5)
    for snippet in python:
        exec(snippet, {})
    for command in commands:
        assert run(shlex.split(command)) == 0, command
    made = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert {
        "labels.png",
        "flower.json",
        "more.json",
        "flower.safetensors",
        "flower.png",
        "statistics.png",
    } <= made
