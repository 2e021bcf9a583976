"""An encoder that needs no weights: texts that name colours, masks by their mean colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anymask.core.images import Picture
from anymask.core.record import MaskRecord
from anymask.text.encoder import Calibration, unit

COLOURS = {"orange": (230, 120, 30), "blue": (30, 60, 220), "green": (20, 200, 40), "grey": (120, 120, 120)}
"""The scene of the fake model shows the first two, on a dark ground (which is grey, were it lighter)."""


class ColourEncoder:
    """A text is about the first colour that it names, or about grey. `read`: how many texts it embedded."""

    name = "colours"
    sha256 = "c0" * 32
    taught = frozenset({"orange"})
    calibration = Calibration(60.0, background=("grey",))

    def __init__(self) -> None:
        self.read = 0

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        self.read += len(texts)
        named = [next((c for c in COLOURS if c in text), "grey") for text in texts]
        return unit(np.array([COLOURS[colour] for colour in named], np.float32).reshape(-1, 3))

    def embed_masks(self, picture: Picture, records: Sequence[MaskRecord]) -> np.ndarray:
        means = [picture.pixels[record.mask].mean(axis=0) for record in records]
        return unit(np.array(means, np.float32).reshape(-1, 3))
