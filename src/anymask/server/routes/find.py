"""Finding by words: the masks of everything mode that texts fit."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from anymask.automatic import AutomaticState
from anymask.core.errors import MissingExtraError
from anymask.server.library import StoredImage
from anymask.server.problems import Problem
from anymask.server.routes.parameters import ImageId, problems
from anymask.server.schemas import EverythingRequest, FindAnswer, FindRequest
from anymask.server.services import Served
from anymask.text import encoder_of
from anymask.text.encoder import check_texts
from anymask.text.naming import Words

router = APIRouter(prefix="/v1", tags=["everything"])


@router.post(
    "/images/{image}/find", operation_id="find", response_model=FindAnswer, responses=problems(404, 501, 503)
)
async def find(image: ImageId, asked: FindRequest, services: Served) -> JSONResponse:
    """What an image shows of what texts name; no record if it shows none of it.

    The masks are those of everything mode; the same run serves other texts at once. 501: this server has
    nothing that knows words.
    """
    texts = check_texts(asked.texts)
    whole = EverythingRequest(model=asked.model, preset=asked.preset, settings=asked.settings)
    name, state = await services.runs.run(image, services.shelf.named(asked.model), whole)
    stored = await services.library.image(image)
    found = await services.lanes.everything.run(partial(_found, state, stored, texts, asked))
    return JSONResponse({"run": name, "image": state.image_sha256, "model": state.model, **found})


def _found(
    state: AutomaticState, stored: StoredImage, texts: tuple[str, ...], asked: FindRequest
) -> dict[str, Any]:
    try:
        encoder = encoder_of()
    except MissingExtraError as error:
        raise Problem(501, "no_encoder", str(error)) from error
    words = Words(texts, encoder, asked.threshold, only_hits=True, most=asked.most)
    records = words(stored.picture(), state.records())
    return {
        "encoder": encoder.name,
        "threshold": words.least,
        "records": [record.to_json() for record in records],
    }
