"""Runs of everything mode: each decoded once, kept in memory for other filters."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import Protocol

from anymask.automatic import AutomaticSettings, AutomaticState, everything, preset_settings
from anymask.automatic.crop_rule import AUTO, crop_layers
from anymask.automatic.state_file import settings_to_json
from anymask.core.embedding import ImageEmbedding
from anymask.core.images import Picture
from anymask.predict.model import Model
from anymask.server.byte_cache import ByteCache
from anymask.server.lanes import Lane
from anymask.server.library import StoredImage
from anymask.server.problems import Problem
from anymask.server.schemas import EverythingRequest
from anymask.server.single_flight import SingleFlight

MAX_CLICKS = 16_384
"""On an image and its crops together; twice the preset `dense`."""

_MASK_BYTES = 1024
"""What a decoded mask takes beside its logits, about: its outline once it has been worked out."""


class Images(Protocol):
    """Where images and their embeddings come from; `Library` is one."""

    async def image(self, image: str) -> StoredImage:
        """An image by its id. Raises Problem (404)."""

    async def embedding(self, image: str, model: Model) -> ImageEmbedding:
        """What a model made of it. Raises Problem (404, 503)."""


class Runs:
    """For one event loop; decoding happens in `lane`."""

    def __init__(self, library: Images, lane: Lane, budget: int) -> None:
        self._library, self._lane = library, lane
        self._states: ByteCache[str, AutomaticState] = ByteCache(budget, _size)
        self._flights: SingleFlight[str, AutomaticState] = SingleFlight()

    async def run(self, image: str, model: Model, asked: EverythingRequest) -> tuple[str, AutomaticState]:
        """A run and its name. The same settings on the same image and model are the same run.

        Raises Problem (404, 422, 503), and InputError for settings that do not fit.
        """
        if asked.settings.crop_n_layers == AUTO:
            layers = crop_layers((await self._library.image(image)).image_hw, model.spec.input_size)
            known = asked.settings.model_copy(update={"crop_n_layers": layers})
            asked = asked.model_copy(update={"settings": known})
        settings = preset_settings(asked.preset, model.spec.automatic, **asked.settings.given())
        _check_clicks(settings)
        name = _name(image, model, settings, asked.keep_above)
        state = self._states.get(name)
        if state is None:
            work = partial(self._decode, name, image, model, asked, settings)
            state = await self._lane.within(self._flights.get(name, work))
        return name, state

    def state(self, name: str) -> AutomaticState:
        """A run by its name. Raises Problem (404) if it is not, or no longer, here."""
        state = self._states.get(name)
        if state is None:
            raise Problem(404, "unknown_run", "there is no such run here, or no longer; ask for it again")
        return state

    def forget(self, image: str) -> None:
        """Drop the runs on an image."""
        for name in self._states:
            state = self._states.get(name)
            if state is not None and state.image_sha256 == image:
                self._states.drop(name)

    async def _decode(
        self, name: str, image: str, model: Model, asked: EverythingRequest, settings: AutomaticSettings
    ) -> AutomaticState:
        source: ImageEmbedding | StoredImage
        if settings.crop_n_layers:  # crops are cut out of the pixels
            source = await self._library.image(image)
        else:
            source = await self._library.embedding(image, model)
        state = await self._lane.queue(partial(_everything, model, source, asked))
        self._states.put(name, state)
        return state


def _everything(
    model: Model, source: ImageEmbedding | StoredImage, asked: EverythingRequest
) -> AutomaticState:
    seen: ImageEmbedding | Picture = source.picture() if isinstance(source, StoredImage) else source
    return everything(model, seen, asked.preset, keep_above=asked.keep_above, **asked.settings.given())


def _check_clicks(settings: AutomaticSettings) -> None:
    clicks = sum(4**layer * len(grid) for layer, grid in enumerate(settings.grids))
    if clicks > MAX_CLICKS:
        raise Problem(
            422,
            "too_many_clicks",
            f"these settings mean {clicks:,} clicks, more than {MAX_CLICKS:,}, the limit; lower "
            "points_per_side or crop_n_layers, or raise crop_n_points_downscale_factor",
        )


def _name(image: str, model: Model, settings: AutomaticSettings, keep_above: float) -> str:
    facts = [image, model.sha256, settings_to_json(settings), keep_above]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _size(state: AutomaticState) -> int:
    return state.nbytes + _MASK_BYTES * len(state)
