"""Small runs of the interactive protocol: invented outcomes, and reports of them on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from anymask.core.rle import encode
from anymask.evaluate.report import DataInfo, Outcome, PredictorInfo, Report, outcomes_path
from anymask.evaluate.summary import summarise

HW = (60, 90)


def rectangle(x0: int, y0: int, x1: int, y1: int, hw: tuple[int, int] = HW) -> np.ndarray:
    """(H, W) bool mask of a rectangle."""
    mask = np.zeros(hw, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def outcome(key: str = "toy-0", number: int = 0, *, click: float = 0.5, **more: Any) -> Outcome:
    """One invented outcome; `click` is its IoU after one click, and others follow from it."""
    found = rectangle(20, 10, 40, 30)
    figures = {"click1": click, "click2": min(click + 0.1, 1.0), "oracle1": click, "box": 0.7}
    given: dict[str, Any] = {
        "key": key,
        "number": number,
        "predictor": "one@1",
        "source": key.split("-")[0],
        "kind": "other",
        "label": "thing",
        "zero_shot": False,
        "image_hw": HW,
        "area": 400,
        "size": "small",
        "figures": figures,
        "predicted": 0.6,
        "extra_clicks": 1,
        "point_xy": (30, 20),
        "box_xyxy": (20.0, 10.0, 40.0, 30.0),
        "click_rle": encode(found).counts,
        "box_rle": encode(found).counts,
    }
    return Outcome(**{**given, **more})


def moved(rows: list[Outcome], change: float) -> list[Outcome]:
    """The rows of another predictor, whose every figure is larger by `change`."""
    return [
        replace(row, predictor="other@1", figures={n: v + change for n, v in row.figures.items()})
        for row in rows
    ]


def report_of(rows: Sequence[Outcome], *, protocol: str = "interactive", **more: Any) -> Report:
    """The report of outcomes, predictors in the order in which they appear."""
    names = list(dict.fromkeys(row.predictor for row in rows))
    given: dict[str, Any] = {
        "settings": {"protocols": ["clicks", "box"], "first_click": "centre", "seed": 0},
        "predictors": tuple(PredictorInfo(name, f"{i:x}" * 64) for i, name in enumerate(names, 1)),
        "data": DataInfo("toys.tar", len({row.key for row in rows})),
        "summary": {name: summarise([row for row in rows if row.predictor == name]) for name in names},
        "versions": {"anymask": "0"},
        "machine": {"cores": 2},
    }
    return Report(protocol, **{**given, **more})


def lines_of(rows: Sequence[Outcome]) -> Mapping[str, list[dict[str, Any]]]:
    """What a run would have written of these outcomes, by predictor."""
    lines: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        lines.setdefault(row.predictor, []).append(row.to_json())
    return lines


def save_run(path: Path, rows: Sequence[Outcome], **more: Any) -> Path:
    """Write the report and its outcomes as a run would."""
    report_of(rows, **more).save(path)
    entries: list[dict[str, Any]] = [{"anymask_outcomes": 1}]
    for name, masks in lines_of(rows).items():
        by_key: dict[str, list[dict[str, Any]]] = {}
        for mask in masks:
            by_key.setdefault(mask["key"], []).append(mask)
        entries += [{"key": key, "predictor": name, "problems": [], "masks": m} for key, m in by_key.items()]
    outcomes_path(path).write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path
