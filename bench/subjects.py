"""The same random weights in a published package and in anymask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from tests.modeling.twins import randomise
from tests.stubs import import_peer

from anymask.compat import SamPredictor
from anymask.compat.modeling import Sam
from anymask.models.cache import ModelCache
from anymask.models.importer import import_checkpoint
from anymask.models.registry import Registry
from anymask.predict.load import PRECISIONS, Precision, load
from anymask.predict.model import Model

OURS: dict[Precision, str] = {precision: f"anymask, {precision}" for precision in reversed(PRECISIONS)}
"""Contender's name by precision, exact first."""


@dataclass(frozen=True)
class Network:
    """A network that a published package has.

    package: import name. key: in its and in anymask.compat's `sam_model_registry`. title: its name in tables.
    """

    package: str
    key: str
    title: str


VIT_B = Network("segment_anything", "vit_b", "segment-anything, fp32")
MOBILE = Network("mobile_sam", "vit_t", "mobile_sam, fp32")


@dataclass(frozen=True)
class Subject:
    """One network with random weights.

    published: its module. checkpoint: its `.pth`. models: anymask's, by precision, of the same weights.
    """

    network: Network
    published: Any
    checkpoint: Path
    models: Mapping[Precision, Model]

    @cached_property
    def predictors(self) -> dict[str, Any]:
        """The published predictor, then anymask's with the same methods; each with the same image set."""
        peer = import_peer(self.network.package).SamPredictor(self.published)
        ours = {title: SamPredictor(Sam(self.models[precision])) for precision, title in OURS.items()}
        predictors = {self.network.title: peer, **ours}
        for predictor in predictors.values():
            predictor.set_image(photo())
        return predictors


class Subjects(Protocol):
    """Makes subjects when they are first needed."""

    def subject(self, network: Network) -> Subject: ...


class RandomSubjects:
    """Full networks, kept below a folder that also serves as anymask's cache."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[Network, Subject] = {}

    def subject(self, network: Network) -> Subject:
        """See `Subjects`."""
        if network not in self._made:
            self._made[network] = self._make(network)
        return self._made[network]

    def _make(self, network: Network) -> Subject:
        published = import_peer(network.package).sam_model_registry[network.key]()
        randomise(published)
        checkpoint = self._folder / f"{network.key}.pth"
        torch.save(published.state_dict(), checkpoint)
        registry = Registry(cache=ModelCache(self._folder))
        folder = import_checkpoint(checkpoint, f"random-{network.key}", registry=registry)
        models = {precision: load(folder.path, precision=precision) for precision in PRECISIONS}
        return Subject(network, published.eval(), checkpoint, models)


def photo(height: int = 768, width: int = 1024) -> np.ndarray:
    """A picture without meaning, (height, width, 3) uint8: random weights do not care."""
    coarse = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    return np.array(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def clicks(count: int, height: int = 768, width: int = 1024) -> np.ndarray:
    """(count, 2) x, y in the picture."""
    return np.random.default_rng(1).uniform((0, 0), (width, height), (count, 2))


def differences(answers: dict[str, np.ndarray]) -> dict[str, float]:
    """The largest difference of each answer from the first one."""
    first = next(iter(answers.values()))
    return {name: float(np.abs(answer - first).max()) for name, answer in list(answers.items())[1:]}
