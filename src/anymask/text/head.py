"""The head of "words": from what a mask shows to a vector among those of texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from anymask.core.arrays import Float32Array
from anymask.core.errors import ModelError
from anymask.core.files import write_atomically
from anymask.models.checkpoint import read_checkpoint
from anymask.text.encoder import Calibration, unit
from anymask.text.looks import FEATURES, Looks

SHIPPED: Final = Path(__file__).resolve().parent / "words.safetensors"
ABOUT: Final = Path(__file__).resolve().parent / "words.json"

_FURTHEST: Final = 5.0
"""Standard deviations beyond which a feature does not count for more."""


@dataclass(frozen=True, eq=False)
class WordsHead:
    """vector = unit(unit(clipped((features - mean) / deviation) @ down @ up) + blend * shares @ classes).

    mean, deviation: (FEATURES,). down: (FEATURES, R). up: (R, D). classes: (1000, D), the texts of ImageNet's
    classes: their mix says what a mask shows where the first part was never taught the word (ConSE, Norouzi
    et al., arXiv 1312.5650). blend: weight of that mix. All float32.
    """

    mean: Float32Array
    deviation: Float32Array
    down: Float32Array
    up: Float32Array
    classes: Float32Array
    blend: float
    calibration: Calibration
    about: Mapping[str, Any]

    def __call__(self, looks: Looks) -> Float32Array:
        """(M, D) rows of length 1."""
        normal = np.clip((looks.features - self.mean) / self.deviation, -_FURTHEST, _FURTHEST)
        mixed = unit(looks.classes @ self.classes)
        return unit(unit(normal @ self.down @ self.up) + np.float32(self.blend) * mixed)

    @cached_property
    def sha256(self) -> str:
        """Of its numbers, 64 hexadecimal digits."""
        digest = hashlib.sha256()
        for part in (self.mean, self.deviation, self.down, self.up, self.classes):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def save(self, path: Path, about: Path) -> None:
        """Write the numbers (large matrices with 8 bits) and, as JSON, what is known of them."""
        from safetensors.numpy import save

        tensors: dict[str, np.ndarray] = {
            "mean": self.mean.astype(np.float16),
            "deviation": self.deviation.astype(np.float16),
            "up": self.up.astype(np.float16),
        }
        for name, matrix in (("down", self.down), ("classes", self.classes)):
            step = np.abs(matrix).max(axis=0) / 127
            tensors[name] = np.round(matrix / np.maximum(step, 1e-12)).astype(np.int8)
            tensors[f"{name}.step"] = step.astype(np.float32)
        write_atomically(path, save(tensors))
        facts = {"blend": self.blend, "calibration": asdict(self.calibration), **self.about}
        write_atomically(about, (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode())

    @classmethod
    def load(cls, path: Path = SHIPPED, about: Path = ABOUT) -> WordsHead:
        """Read what `save` wrote. Raises ModelError if it is missing or damaged."""
        stored = read_checkpoint(path)
        try:
            facts = json.loads(about.read_text(encoding="utf-8"))
            blend, given = float(facts.pop("blend")), facts.pop("calibration")
            calibration = Calibration(**{**given, "background": tuple(given["background"])})
            wide = {name: stored[name].astype(np.float32) for name in ("mean", "deviation", "up")}
            wide |= {name: stored[name] * stored[f"{name}.step"] for name in ("down", "classes")}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{about} or {path} is damaged ({error}); reinstall anymask.") from error
        if len(wide["mean"]) != FEATURES:
            raise ModelError(
                f"{path} is for {len(wide['mean'])} features, not {FEATURES}; reinstall anymask."
            )
        return cls(**wide, blend=blend, calibration=calibration, about=facts)
