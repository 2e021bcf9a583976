"""Draw all masks of example photos: `python examples/everything.py [OUT] [MODEL] [PRESET] [PHOTO ...]`.

For every photo (flower.jpg by default) one file goes to OUT (docs/images by default): the photo, and beside
it the masks that the preset finds, drawn on it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

import anymask
from anymask.automatic import generate_masks
from anymask.core.draw import overlay, palette
from anymask.core.images import load_image

EXAMPLES = Path(__file__).parent
HEIGHT = 320
GAP = 8
FIRST_COLOUR = 2  # a warm one, for pale flowers


def side_by_side(pixels: npt.NDArray[np.uint8], drawn: npt.NDArray[np.uint8]) -> Image.Image:
    """Two pictures of one size, HEIGHT pixels high, on white."""
    width = round(HEIGHT * pixels.shape[1] / pixels.shape[0])
    whole = Image.new("RGB", (2 * width + GAP, HEIGHT), "white")
    for place, panel in enumerate((pixels, drawn)):
        small = Image.fromarray(panel).resize((width, HEIGHT), Image.Resampling.LANCZOS)
        whole.paste(small, (place * (width + GAP), 0))
    return whole


def main(out: str = "docs/images", name: str = "lite", preset: str = "objects", *photos: str) -> None:
    model = anymask.load(name)
    Path(out).mkdir(parents=True, exist_ok=True)
    for photo in photos or ("flower.jpg",):
        picture = load_image(EXAMPLES / photo)
        records = generate_masks(model, picture, preset)
        colours = palette(len(records) + FIRST_COLOUR)[FIRST_COLOUR:]
        drawn = overlay(picture.pixels, [record.mask for record in records], colours=colours, opacity=0.5)
        side_by_side(picture.pixels, drawn).save(Path(out) / f"everything-{photo}", quality=88)
        print(f"{photo}: {len(records)} masks")


if __name__ == "__main__":
    main(*sys.argv[1:])
