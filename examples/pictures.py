"""Draw what a model makes of the example photos: `python examples/pictures.py [OUT] [MODEL]`.

For each photo of clicks.json one strip goes to OUT (docs/images by default): the photo with a click, the mask
that the click gives, and the object alone. For every object a line says how well the box of the mask fits the
box that was drawn by hand, for a click and for the box as prompt.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

import anymask
from anymask.core.draw import cutout, draw_prompt, overlay
from anymask.core.images import load_image
from anymask.core.prediction import Candidate

EXAMPLES = Path(__file__).parent
HEIGHT = 240
GAP = 8

Pixels = npt.NDArray[np.uint8]


def box_iou(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """IoU of two boxes x0, y0, x1, y1."""
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = first, second
    shared = max(0.0, min(ax1, bx1) - max(ax0, bx0)) * max(0.0, min(ay1, by1) - max(ay0, by0))
    return shared / ((ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - shared)


def strip(pixels: Pixels, thing: dict[str, Any], found: Candidate) -> Image.Image:
    """Photo with the click, mask, object alone on white; side by side."""
    x, y = thing["point"]
    alone = Image.fromarray(cutout(pixels, found.mask))
    white = Image.new("RGB", alone.size, "white")
    white.paste(alone, mask=alone.getchannel("A"))
    panels = [
        Image.fromarray(draw_prompt(pixels, anymask.Prompt.click(x, y))),
        Image.fromarray(overlay(pixels, [found.mask])),
        white,
    ]
    width = round(HEIGHT * pixels.shape[1] / pixels.shape[0])
    whole = Image.new("RGB", (3 * width + 2 * GAP, HEIGHT), "white")
    for place, panel in enumerate(panels):
        whole.paste(panel.resize((width, HEIGHT), Image.Resampling.LANCZOS), (place * (width + GAP), 0))
    return whole


def main(out: str = "docs/images", name: str = "lite") -> None:
    model = anymask.load(name)
    Path(out).mkdir(parents=True, exist_ok=True)
    for photo in json.loads((EXAMPLES / "clicks.json").read_text(encoding="utf-8"))["photos"]:
        picture = load_image(EXAMPLES / photo["file"])
        embedding = model.embed(picture)
        for number, thing in enumerate(photo["objects"]):
            clicked = model.predict(embedding, points=[thing["point"]]).best
            boxed = model.predict(embedding, box=thing["box"]).best
            fits = [box_iou(candidate.box, thing["box"]) for candidate in (clicked, boxed)]
            print(f"{photo['file']:15} {thing['label']:15} click {fits[0]:.2f}  box {fits[1]:.2f}")
            if number == 0:
                strip(picture.pixels, thing, clicked).save(Path(out) / photo["file"], quality=88)


if __name__ == "__main__":
    main(*sys.argv[1:])
