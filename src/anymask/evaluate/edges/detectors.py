"""What finds edges: models through everything mode, and the classical detectors beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from anymask.core.arrays import Float32Array
from anymask.core.errors import InputError
from anymask.core.images import Picture
from anymask.evaluate.edges.classical import canny_edges, sobel_edges
from anymask.evaluate.edges.strength import EdgeSettings, model_edges
from anymask.evaluate.predictors import ModelPredictor, Predictor, Scene


@dataclass(frozen=True)
class EdgeBaseline:
    """A detector without weights. find: picture -> (H, W) float32 in [0, 1], thinned."""

    name: str
    find: Callable[[Picture], Float32Array]
    sha256: str = ""

    def open(self, picture: Picture) -> Scene:
        """Raises InputError: it answers no prompts."""
        raise InputError(f"{self.name} finds edges and answers no prompts; use it with `evaluate edges`")


EDGE_BASELINES: Mapping[str, EdgeBaseline] = MappingProxyType(
    {"sobel": EdgeBaseline("sobel", sobel_edges), "canny": EdgeBaseline("canny", canny_edges)}
)


def edge_baseline(name: str) -> EdgeBaseline:
    """A detector by its name. Raises InputError if there is none of it."""
    if name not in EDGE_BASELINES:
        raise InputError(f"there is no edge detector '{name}'; give one of {', '.join(EDGE_BASELINES)}")
    return EDGE_BASELINES[name]


def find_edges(detector: Predictor, picture: Picture, settings: EdgeSettings) -> Float32Array:
    """The thinned edge map of a picture, (H, W) float32 in [0, 1]. detector: see `check_detectors`."""
    if isinstance(detector, EdgeBaseline):
        return detector.find(picture)
    assert isinstance(detector, ModelPredictor)
    return model_edges(detector.model, picture, settings)


def check_detectors(detectors: Iterable[Predictor]) -> None:
    """Raise InputError for a predictor that cannot find edges because it has no everything mode."""
    for one in detectors:
        if not isinstance(one, EdgeBaseline | ModelPredictor):
            raise InputError(
                f"{one.name} cannot click everywhere, so it finds no edges; give a model, or one of "
                f"{', '.join(EDGE_BASELINES)}"
            )
