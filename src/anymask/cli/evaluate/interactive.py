"""`anymask evaluate interactive`: simulated clicks and boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from anymask.cli.terminal import progress, say
from anymask.core.errors import InputError


def interactive(
    shards: Annotated[list[Path], typer.Argument(help="Tar shards of images with masks.")],
    model: Annotated[str, typer.Option(help="A model's name or folder.")] = "lite",
    precision: Annotated[Literal["fast", "exact"], typer.Option(help="Arithmetic.")] = "fast",
    backend: Annotated[Literal["auto", "openvino", "onnx", "torch"], typer.Option(help="Runtime.")] = "auto",
    every: Annotated[int, typer.Option(min=1, help="Only every N-th picture.")] = 1,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Write the report (JSON) here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
) -> None:
    """Simulated clicks and boxes: IoU after 1 to 5 clicks, best of three candidates, box.

    The first click lies at the centre of the object, each next one at the centre of the largest error.
    """
    import anymask
    from anymask.core.files import write_atomically
    from anymask.evaluate.interactive import evaluate_case, shard_cases, summarise
    from anymask.formats.shards import count_pairs

    total = -(-sum(count_pairs(shard) for shard in shards) // every)
    loaded = anymask.load(model, precision=precision, backend=backend)
    trouble: list[str] = []
    cases = shard_cases(shards, trouble, every=every)
    outcomes = [
        outcome
        for case in progress(cases, total=total, label="evaluating", quiet=quiet)
        for outcome in evaluate_case(loaded, case)
    ]
    for line in trouble:
        say(f"anymask: skipped {line}")
    if not outcomes:
        raise InputError(f"{', '.join(map(str, shards))}: no picture with a usable mask")
    report = {
        "protocol": "interactive",
        "model": loaded.spec.full_name,
        "model_sha256": loaded.sha256,
        "precision": precision,
        "data": [shard.name for shard in shards],
        "every": every,
        "skipped": trouble,
        **summarise(outcomes),
    }
    text = json.dumps(report, indent=1)
    if out is not None:
        write_atomically(out, text.encode())
    if as_json:
        print(text)
    elif not quiet:
        _tell(report)


def _tell(report: dict[str, Any]) -> None:
    columns = ("click1", "oracle1", "click2", "click3", "click5", "box")
    say(f"{report['model']}: {report['masks']} masks from {report['sources']} sources")
    say(f"{'':24}" + "".join(f"{name:>9}" for name in columns))
    for row in (
        "mean_over_sources",
        "mean_over_trained_sources",
        "mean_over_zero_shot_sources",
        "mean_over_masks",
    ):
        if report[row]:
            name = row.removeprefix("mean_").replace("_", " ")
            say(f"{name:<24}" + "".join(f"{report[row][column]:>9.3f}" for column in columns))
    worse = report["share_of_extra_clicks_that_made_it_worse"]
    say(f"extra clicks that lowered IoU by more than 0.05: {100 * worse:.1f} %")
    say(f"expected calibration error of predicted IoU: {report['predicted_iou_ece']:.3f}")
