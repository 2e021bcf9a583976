"""A card says what the report and the table of sources say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from anymask.core.errors import FormatError
from anymask.models.manifest import Manifest
from anymask.models.registry import BOX
from anymask.release.card import main, source_rows

SOURCES = """
| source | kind | train | val | zero-shot | class | licence | from | masks |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| cats | animal | 40 / 70 | 2 / 3 |  | open | MIT | https://example.org/cats | human |
| rocks | other | 10 / 20 | 2 / 3 |  | open | CC0 | https://example.org/rocks | human |
| cells | microscopy | 0 / 0 | 5 / 9 | zero-shot | research | none | https://example.org/cells | human |
"""


def summary(click: float) -> dict[str, object]:
    figures = {"click1": click, "oracle1": 0.6, "click2": 0.6, "click5": 0.7, "box": 0.8}
    return {
        "masks": 15, "pictures": 9, "sources": 3,
        "mean_over_sources": figures, "mean_over_trained_sources": figures,
        "mean_over_zero_shot_sources": figures, "mean_over_masks": figures,
        "interval_95": {name: [value - 0.1, value + 0.1] for name, value in figures.items()},
        "share_of_extra_clicks_that_made_it_worse": 0.021, "predicted_iou_ece": 0.034,
        "by_source": {"cats": {"masks": 3, **figures}, "cells": {"masks": 9, **figures, "click1": 0.2}},
        "by_size": {"small": {"masks": 5, "mean_over_masks": figures}},
        "by_kind": {"animal": {"masks": 3, "mean_over_masks": {**figures, "click5": 0.456}}},
    }  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    shutil.copytree(BOX / "lite", tmp_path / "model")
    (tmp_path / "sources.md").write_text(SOURCES)
    report = {"predictors": [{"name": "lite 9"}, {"name": "grabcut"}], "data": {"name": "val.tar"},
              "summary": {"lite 9": summary(0.512), "grabcut": summary(0.3)}}  # fmt: skip
    (tmp_path / "report.json").write_text(json.dumps(report))
    facts = {"network": "A network.", "limits": "Many.", "procedure": "Long.", "training": {"steps": 7}}
    (tmp_path / "facts.json").write_text(json.dumps(facts))
    return tmp_path


def run(place: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    names = ["model", "report.json", "--sources", "sources.md", "--facts", "facts.json"]
    command = ["card", *(name if name.startswith("--") else str(place / name) for name in names)]
    monkeypatch.setattr("sys.argv", command)
    return main()


def test_card_and_manifest(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Manifest.read(place / "model" / "manifest.json")
    assert run(place, monkeypatch) == 0
    text = (place / "model" / "MODEL_CARD.md").read_text()
    assert "| all sources | 0.512 | 0.600 |" in text
    assert "50 images with 90 human-made masks from 2 public sources" in text
    assert "| animal | 3 | 0.512 | 0.456 | 0.800 |" in text
    assert "`grabcut`: box 0.800" in text
    assert "Worst: cells 0.20, cats 0.51" in text
    assert "2.1 %" in text
    assert "cells |" not in text.split("## Training data")[1]
    after = Manifest.read(place / "model" / "manifest.json")
    assert after.files == before.files
    assert after.spec == before.spec
    assert after.training == {"steps": 7}
    assert after.metrics["mean_over_sources"]["click1"] == 0.512
    assert after.metrics["automatic"] == before.metrics["automatic"]


def test_what_is_no_report_or_table_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (place / "model" / "MODEL_CARD.md").read_bytes()
    (place / "report.json").write_text("{}")
    assert run(place, monkeypatch) == 1
    assert (place / "model" / "MODEL_CARD.md").read_bytes() == before
    with pytest.raises(FormatError, match="no row"):
        source_rows("nothing")
