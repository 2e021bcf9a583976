"""Thresholds of everything mode: `python -m anymask.release.calibrate MODEL --data val.tar [--write]`.

Works on the pictures of tar shards whose masks are exhaustive, evenly chosen from every source. How
thresholds are chosen: `anymask.automatic.calibration`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from anymask.automatic.calibration import LEAST_SCORE, Calibration
from anymask.core.errors import AnymaskError, FormatError
from anymask.core.images import load_image
from anymask.core.rle import Rle
from anymask.formats.shards import read_shard
from anymask.models.folder import ModelFolder
from anymask.models.manifest import MANIFEST
from anymask.models.registry import resolve
from anymask.predict.load import load
from anymask.predict.model import Model

Pair = tuple[str, bytes, dict[str, Any]]


def exhaustive_pairs(shards: Sequence[Path], per_source: int) -> Iterator[Pair]:
    """At most `per_source` pictures of every source whose masks are exhaustive, evenly spaced in file order.

    Raises FormatError if there is none.
    """
    numbers: dict[str, int] = {}
    for _, _, about in _exhaustive(shards):
        numbers[about["source"]] = numbers.get(about["source"], 0) + 1
    if not numbers:
        raise FormatError(
            f"no picture in {', '.join(map(str, shards))} has exhaustive masks; give other data"
        )
    seen = dict.fromkeys(numbers, 0)
    for pair in _exhaustive(shards):
        source = pair[2]["source"]
        number, total = seen[source], numbers[source]
        seen[source] += 1
        wanted = min(per_source, total)
        if (number + 1) * wanted // total > number * wanted // total:
            yield pair


def calibrate(model: Model, pairs: Iterator[Pair], points_per_side: int) -> Calibration:
    """Look at every picture once and count matches for all pairs of thresholds."""
    calibration = Calibration()
    for key, encoded, about in pairs:
        state = model.everything(
            load_image(encoded),
            points_per_side=points_per_side,
            pred_iou_thresh=LEAST_SCORE,
            keep_above=LEAST_SCORE,
            tidy_share=0,  # whatever the model states by now; specks do not decide a match
        )
        calibration.add(about["source"], state, [Rle.from_coco(mask["rle"]) for mask in about["masks"]])
        print(f"{key}: {len(state)} masks kept", file=sys.stderr, flush=True)
    return calibration


def write_thresholds(folder: ModelFolder, automatic: dict[str, Any], metrics: dict[str, Any]) -> None:
    """Put thresholds and how they were chosen into a model's manifest. Raises OutputError."""
    manifest = folder.manifest
    spec = replace(manifest.spec, automatic=automatic)
    measured = {**manifest.metrics, "automatic": metrics}
    replace(manifest, spec=spec, metrics=measured).write(folder.path / MANIFEST)


def main(arguments: Sequence[str] | None = None) -> int:
    """Choose thresholds, print them as JSON, and with --write put them into the model's manifest."""
    parser = argparse.ArgumentParser(prog="python -m anymask.release.calibrate", description=main.__doc__)
    parser.add_argument("model", help="a model's name or folder")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="tar shards, not trained on")
    parser.add_argument("--per-source", type=int, default=8, help="pictures of each source")
    parser.add_argument("--points-per-side", type=int, default=16)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--write", action="store_true", help="change the model's manifest.json")
    options = parser.parse_args(arguments)
    try:
        folder = resolve(options.model)
        model = load(options.model, threads=options.threads)
        pairs = exhaustive_pairs(options.data, options.per_source)
        calibration = calibrate(model, pairs, options.points_per_side)
        automatic = calibration.automatic()
        metrics = {
            "rule": "best F-beta at IoU 0.5, mean over sources (anymask.automatic.calibration)",
            "data": [path.name for path in options.data],
            "pictures": calibration.pictures,
            "points_per_side": options.points_per_side,
            "presets": calibration.measured(automatic),
        }
        if options.write:
            write_thresholds(folder, automatic, metrics)
    except AnymaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"automatic": automatic, "metrics": metrics}, indent=2))
    return 0


def _exhaustive(shards: Sequence[Path]) -> Iterator[Pair]:
    for shard in shards:
        for key, encoded, about in read_shard(shard):
            if about.get("exhaustive") is True and about.get("masks"):
                yield key, encoded, {**about, "source": str(about.get("source", "unknown"))}


if __name__ == "__main__":
    sys.exit(main())
