"""The work of `anymask stats`: read, count, and show as a table, JSON or a page of plots."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from anymask.automatic.statistics import MaskStatistics
from anymask.automatic.statistics_page import statistics_page
from anymask.cli.outputs import make_folder
from anymask.cli.picture_files import encode_picture
from anymask.cli.terminal import one_line, progress, say
from anymask.core.errors import InputError
from anymask.core.files import write_atomically
from anymask.formats import Contents, read_images

PAGES = (".png", ".svg")
_MOST_LABELS = 10


def run_stats(
    results: Sequence[Path],
    format: str | None,
    pictures: Path | None,
    *,
    plots: Path | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Count all results together and give what was asked for; a table on stdout unless it is JSON.

    Raises InputError for a page that cannot be written so, FormatError for what cannot be read, OutputError.
    """
    if plots is not None and plots.suffix.lower() not in PAGES:
        raise InputError(f"--plots '{plots}': give a name that ends in {' or '.join(PAGES)}")
    statistics = MaskStatistics.of(_images(results, format, pictures))
    figures = json.dumps(statistics.to_json(), indent=2) + "\n"
    if output is not None:
        _write(output, figures.encode())
    if plots is not None:
        sketch = statistics_page(statistics, _title(results))
        is_svg = plots.suffix.lower() == ".svg"
        _write(plots, sketch.to_svg() if is_svg else encode_picture(sketch.to_pixels(), plots))
    if as_json:
        sys.stdout.write(figures)
    else:
        _print_table(statistics)


def _images(results: Sequence[Path], format: str | None, pictures: Path | None) -> Iterator[Contents]:
    for path in progress(results, total=len(results), label="stats", quiet=False):
        yield from read_images(path, format, pictures=pictures)


def _title(results: Sequence[Path]) -> str:
    names = [one_line(path.name or str(path)) for path in results]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _write(path: Path, data: bytes) -> None:
    make_folder(path.parent)
    write_atomically(path, data)
    say(one_line(f"-> {path}"))


def _print_table(statistics: MaskStatistics) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    figures = statistics.to_json()
    console = Console(file=sys.stdout)
    console.print(f"{statistics.masks:,} masks in {statistics.images:,} images", highlight=False)
    table = Table(box=None, pad_edge=False)
    for heading in ("", "mean", "least", "p5", "median", "p95", "most"):
        table.add_column(heading, justify="left" if not heading else "right")
    for title, name in (
        ("masks per image", "masks_per_image"),
        ("area, pixels", "area"),
        ("relative size", "relative_size"),
        ("concavity", "concavity"),
        ("predicted IoU", "predicted_iou"),
        ("stability", "stability_score"),
    ):
        table.add_row(title, *(_cell(figures[name][key]) for key in _COLUMNS))
    console.print(table)
    for title, classes in (
        ("images by masks", figures["masks_per_image"]["classes"]),
        ("masks by size (COCO)", figures["area"]["classes"]),
        ("labels", dict(list(statistics.labels.items())[:_MOST_LABELS])),
    ):
        if classes:
            words = ", ".join(f"{one_line(str(name))}: {count:,}" for name, count in classes.items())
            more = len(statistics.labels) - _MOST_LABELS if title == "labels" else 0
            console.print(
                Text(f"{title}: {words}" + (f" and {more:,} more" if more > 0 else "")), soft_wrap=True
            )


_COLUMNS = ("mean", "least", "p5", "p50", "p95", "most")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
