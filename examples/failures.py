"""Where a model fails, as one picture for its card:

    python examples/failures.py report.json val.tar [OUT.jpg]

The report is one of `anymask evaluate interactive`. The worst first clicks are taken, one per source, of
pictures whose licence allows showing them (SHOWN, sources of the validation shard); each is shown with the
click, the true outline (green) and the outline found (orange).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from anymask.core.draw import contour, draw_prompt
from anymask.core.prompt import Prompt
from anymask.evaluate.datasets import open_samples
from anymask.evaluate.outcomes import outcomes_of, read_lines
from anymask.evaluate.page.cases import Shown, pick, read_samples, shown, window
from anymask.evaluate.report import Report

SHOWN = (
    "dsb2018", "feral_cats", "building_facade", "cremma_medieval", "hc18", "nasa_superalloy", "nasa_ebc",
    "nasa_meltpool", "ampis_powder", "wagon_bags", "lane_marks", "bsdata_pitting", "peanut_weed",
)  # fmt: skip
COLUMNS, ROWS = 4, 2
PANEL_WH = (240, 180)
TRUE, FOUND = (0, 200, 0), (255, 140, 0)


def panel(case: Shown, title: str) -> Image.Image:
    """The part of the picture round the object, with both outlines, the click and a line of text."""
    view = window(case)
    drawn = contour(contour(case.picture, case.true, colour=TRUE), case.found, colour=FOUND)
    if case.point_xy is not None:
        drawn = draw_prompt(drawn, Prompt.click(*case.point_xy))
    part = Image.fromarray(np.ascontiguousarray(drawn[view.y0 : view.y1, view.x0 : view.x1]))
    whole = Image.new("RGB", (PANEL_WH[0], PANEL_WH[1] + 18), "white")
    part.thumbnail(PANEL_WH, Image.Resampling.LANCZOS)
    scale = min(PANEL_WH[0] / part.width, PANEL_WH[1] / part.height)
    part = part.resize((round(part.width * scale), round(part.height * scale)), Image.Resampling.LANCZOS)
    whole.paste(part, ((PANEL_WH[0] - part.width) // 2, (PANEL_WH[1] - part.height) // 2))
    ImageDraw.Draw(whole).text((4, PANEL_WH[1] + 3), title, fill="black")
    return whole


def main(report: str, data: str, out: str = "docs/images/lite-failures.jpg") -> None:
    known = Report.load(report)
    rows = outcomes_of(known, read_lines(report))[known.predictors[0].name]
    rows = [row for row in rows if row.source in SHOWN]
    worst = pick(rows, lambda row: row.figures["click1"], COLUMNS * ROWS)
    samples = read_samples(open_samples([Path(data)]), {row.key for row in worst})
    sheet = Image.new("RGB", (COLUMNS * (PANEL_WH[0] + 8), ROWS * (PANEL_WH[1] + 24)), "white")
    for number, row in enumerate(worst):
        case = shown(row, samples)
        if case is None:
            continue
        place = (number % COLUMNS * (PANEL_WH[0] + 8), number // COLUMNS * (PANEL_WH[1] + 24))
        sheet.paste(panel(case, f"{row.source}: IoU {row.figures['click1']:.2f}"), place)
    sheet.save(out, quality=85)
    print(out, ", ".join(f"{row.source} {row.key}" for row in worst))


if __name__ == "__main__":
    main(*sys.argv[1:])
