"""What the routes of one server share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from anymask.core.prediction import Prediction
from anymask.predict.model import Model
from anymask.server.byte_cache import ByteCache
from anymask.server.config import MIB, ServerConfig
from anymask.server.label_studio.addresses import Addresses
from anymask.server.label_studio.source import Source
from anymask.server.lanes import Lanes
from anymask.server.library import Library
from anymask.server.runs import Runs
from anymask.server.shelf import Shelf
from anymask.server.turns import Turns

_PREDICTION_BYTES = 128 * MIB


@dataclass(frozen=True)
class KeptPrediction:
    """An answer that may be refined. image, model_sha256: what it was about."""

    image: str
    model_sha256: str
    prediction: Prediction

    @property
    def nbytes(self) -> int:
        """What its logits take."""
        return sum(candidate.low_res_logits.nbytes for candidate in self.prediction)


@dataclass(frozen=True)
class Services:
    """Made once per server; routes get it as a dependency."""

    config: ServerConfig
    shelf: Shelf
    lanes: Lanes
    library: Library
    runs: Runs
    turns: Turns
    predictions: ByteCache[str, KeptPrediction]
    source: Source
    addresses: Addresses

    @classmethod
    def of(cls, models: list[Model], config: ServerConfig) -> Services:
        """Everything that a server needs, idle. Raises InputError, OutputError."""
        lanes = Lanes(config.waiting, config.request_seconds)
        library = Library(config, lanes.images)
        return cls(
            config=config,
            shelf=Shelf(models),
            lanes=lanes,
            library=library,
            runs=Runs(library, lanes.everything, config.run_bytes),
            turns=Turns(),
            predictions=ByteCache(_PREDICTION_BYTES, lambda kept: kept.nbytes),
            source=Source(config.label_studio, config.max_upload_bytes),
            addresses=Addresses(),
        )

    def forget_answers(self, image: str) -> None:
        """Drop the kept predictions and runs on an image."""
        self.runs.forget(image)
        for number in self.predictions:
            kept = self.predictions.get(number)
            if kept is not None and kept.image == image:
                self.predictions.drop(number)


def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


Served = Annotated[Services, Depends(_services)]
"""The type of a route's parameter that gets the services."""
