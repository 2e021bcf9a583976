"""A model's card and the metrics of its manifest, from an evaluation report.

    python -m anymask.release.card FOLDER report.json --sources SOURCES.md --facts facts.json

FOLDER is a model folder written by `anymask.release.trained`; it receives `MODEL_CARD.md`, and its manifest
the figures. SOURCES.md holds the table of the data (source, kind, train, val, zero-shot, licence class,
licence, from, masks); facts.json the prose that no report knows ("network", "limits", "procedure"), and for
the manifest "source" and "training".
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from anymask.core.errors import AnymaskError, FormatError
from anymask.core.files import write_atomically
from anymask.models.manifest import MANIFEST, Manifest

COLUMNS = {
    "click1": "1 click", "oracle1": "best of 3", "click2": "2 clicks", "click3": "3 clicks",
    "click5": "5 clicks", "click9": "9 clicks", "box": "box",
}  # fmt: skip
ROWS = {
    "mean_over_sources": "all sources",
    "mean_over_trained_sources": "sources it was trained on (other pictures)",
    "mean_over_zero_shot_sources": "sources never trained on",
    "mean_over_masks": "all masks",
}
QUALITY = """\
Intersection over union on {pictures} pictures with {masks} masks of {sources} sources, none of the pictures
trained on. Masks are compared at the pictures' own size, the candidate is the one with the highest predicted
IoU, the first click lies at the centre of the object, each next one at the centre of the largest error."""
REPRODUCE = """\
Reproduce: `anymask evaluate interactive val.tar`. [docs/evaluate.md](../../../../docs/evaluate.md) says what
is measured and how."""
DATA = """\
{images} images with {masks} human-made masks from {sources} public sources, at most 512 pixels on the long
side. No picture is part of the package. "unknown" means that the source states no licence; for forks of code
repositories the stated licence may cover the code only. COCO photos keep their own Flickr licences; COCO
annotations are CC BY 4.0. Whoever needs weights free of such questions can train without these sources:
`make train-lite` (docs/training.md)."""
Row = tuple[str, ...]


def table(heads: Sequence[str], rows: Sequence[Row]) -> str:
    """A Markdown table; bars in cells are replaced."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)


def quality_table(summary: Mapping[str, Any]) -> str:
    """The headline: IoU by number of clicks and for boxes, averaged in four ways, with the interval."""
    columns = [name for name in COLUMNS if name in summary["mean_over_sources"]]
    rows = [
        (title, *(f"{summary[key][name]:.3f}" for name in columns))
        for key, title in ROWS.items()
        if summary[key]
    ]
    low_high = summary["interval_95"]
    ends = (f"{low_high[name][0]:.3f} to {low_high[name][1]:.3f}" for name in columns)
    return table(
        ["mean over", *(COLUMNS[name] for name in columns)], [*rows, ("95 % interval, all sources", *ends)]
    )


def group_table(summary: Mapping[str, Any], key: str, title: str) -> str:
    """One row per group (size, kind): masks, and their mean IoU for one click, five clicks and the box."""
    names = [name for name in ("click1", "click5", "box") if name in summary["mean_over_sources"]]
    rows = [
        (group, str(found["masks"]), *(f"{found['mean_over_masks'][name]:.3f}" for name in names))
        for group, found in summary[key].items()
    ]
    return table([title, "masks", *(COLUMNS[name] for name in names)], rows)


def source_rows(text: str) -> list[Row]:
    """Rows of the data's table: (source, kind, train images / masks, licence, from), trained sources only."""
    rows: list[Row] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        counts = cells[2].split("/") if line.startswith("|") and len(cells) >= 8 else []
        if len(counts) == 2 and counts[0].strip().isdigit() and int(counts[0]) > 0:
            rows.append((cells[0], cells[1], cells[2], cells[6], cells[7].replace("https://", "")))
    if not rows:
        raise FormatError("the table of sources has no row `| source | kind | images / masks | ... |`")
    return rows


def card(manifest: Manifest, report: Mapping[str, Any], rows: Sequence[Row], facts: Mapping[str, str]) -> str:
    """The whole card, Markdown."""
    name, summary = model_summary(report)
    images, masks = (sum(int(row[2].split("/")[i]) for row in rows) for i in (0, 1))
    by = {source: found["click1"] for source, found in summary["by_source"].items()}
    ranked = sorted(by, key=lambda source: -by[source])
    best, worst = ranked[:8], ranked[::-1][:8]
    others = [
        f"- The same masks and boxes, `{other}`: box {found['mean_over_sources']['box']:.3f}."
        for other, found in report["summary"].items()
        if other != name and "box" in found["mean_over_sources"]
    ]
    parts = [
        f"# {manifest.spec.name} {manifest.spec.version}",
        facts["network"],
        "## Quality",
        QUALITY.format(**summary),
        quality_table(summary),
        group_table(summary, "by_size", "object size"),
        group_table(summary, "by_kind", "kind"),
        "\n".join(
            [
                "- Extra clicks, up to the fifth, that lowered IoU by more than 0.05: "
                f"{100 * summary['share_of_extra_clicks_that_made_it_worse']:.1f} %.",
                f"- Expected calibration error of the predicted IoU: {summary['predicted_iou_ece']:.3f}.",
                *others,
                f"- Best sources for one click: {', '.join(f'{s} {by[s]:.2f}' for s in best)}.",
                f"- Worst: {', '.join(f'{s} {by[s]:.2f}' for s in worst)}.",
            ]
        ),
        REPRODUCE,
        "## Limits\n\n" + facts["limits"],
        *(["## Words\n\n" + facts["words"]] if "words" in facts else []),
        "## Procedure\n\n" + facts["procedure"],
        "## Training data",
        DATA.format(images=images, masks=masks, sources=len(rows)),
        table(["source", "kind", "images / masks", "licence as stated", "from"], rows),
    ]
    return "\n\n".join(parts) + "\n"


def model_summary(report: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Name and summary of the report's first predictor. Raises FormatError if it is no such report."""
    try:
        name = report["predictors"][0]["name"]
        return name, report["summary"][name]
    except (KeyError, IndexError, TypeError) as error:
        raise FormatError(
            f"the report is none of `anymask evaluate interactive`: {error} is missing"
        ) from error


def metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """What the manifest keeps of a report."""
    _, summary = model_summary(report)
    kept = {key: {k: round(v, 6) for k, v in summary[key].items()} for key in ROWS}
    single = ("share_of_extra_clicks_that_made_it_worse", "predicted_iou_ece")
    return {
        "protocol": f"interactive, {report['data']['name']}",
        **kept,
        **{k: round(summary[k], 6) for k in single},
    }


def main() -> int:
    """Write the card, and the figures into the manifest."""
    parser = argparse.ArgumentParser(prog="python -m anymask.release.card", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="model folder")
    parser.add_argument("report", type=Path, help="report of `anymask evaluate interactive`, the model first")
    parser.add_argument("--sources", type=Path, required=True, help="Markdown table of the training data")
    parser.add_argument(
        "--facts", type=Path, required=True, help="JSON: network, limits, procedure, source, training"
    )
    options = parser.parse_args()
    try:
        manifest = Manifest.read(options.folder / MANIFEST)
        report, facts = (
            json.loads(path.read_text(encoding="utf-8")) for path in (options.report, options.facts)
        )
        rows = source_rows(options.sources.read_text(encoding="utf-8"))
        known = {**dict(manifest.metrics), **metrics(report)}
        about = {key: facts.get(key, dict(getattr(manifest, key))) for key in ("source", "training")}
        changed = replace(manifest, metrics=known, **about)
        write_atomically(options.folder / "MODEL_CARD.md", card(changed, report, rows, facts).encode())
        changed.write(options.folder / MANIFEST)
    except (AnymaskError, OSError, ValueError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(quality_table(model_summary(report)[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
