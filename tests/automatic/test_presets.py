"""Named settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from anymask.automatic import PRESETS, AutomaticSettings, preset_settings
from anymask.core.errors import InputError

GUIDE = Path(__file__).parents[2] / "docs" / "everything.md"


def test_presets_differ_and_can_be_changed_one_by_one() -> None:
    assert list(PRESETS) == ["demo", "paper", "objects", "parts", "dense"]
    assert len({str(settings) for settings in PRESETS.values()}) == len(PRESETS)
    changed = preset_settings("paper", crop_n_layers=0)
    assert (changed.crop_n_layers, changed.max_area_share) == (0, 0.95)
    assert str(preset_settings()) == str(AutomaticSettings())


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
