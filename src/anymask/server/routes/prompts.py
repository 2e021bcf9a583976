"""POST /v1/images/ID/prompt: a click, box, lasso, stroke or mask in, candidates out."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import JSONResponse, Response

from anymask.core.prediction import Candidate, Prediction
from anymask.predict.model import Model
from anymask.server.answering import PromptJob
from anymask.server.problems import Problem
from anymask.server.routes.parameters import ImageId, problems
from anymask.server.schemas import Previous, PromptAnswer, PromptRequest
from anymask.server.services import KeptPrediction, Served, Services

router = APIRouter(prefix="/v1/images", tags=["prompts"])
_PNG: dict[str, Any] = {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}


@router.post(
    "/{image}/prompt",
    operation_id="prompt",
    response_model=PromptAnswer,
    responses={200: _PNG, **problems(404, 409, 503)},
)
async def prompt(
    image: ImageId,
    asked: PromptRequest,
    services: Served,
    accept: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """Answer a prompt with up to three candidates, best first.

    The image is embedded first if it has not been. With the header `Accept: image/png` the answer is the best
    candidate's mask as a picture.
    """
    turn = None if asked.hover is None else services.turns.take(asked.hover.client, asked.hover.sequence)
    work = _answer(image, asked, services, as_png=accept == "image/png")
    return await (work if turn is None else turn.race(work))


async def _answer(image: str, asked: PromptRequest, services: Services, *, as_png: bool) -> Response:
    model = services.shelf.named(asked.model)
    previous = None if asked.previous is None else _previous(asked.previous, image, model, services)
    embedding = await services.library.embedding(image, model)
    job = PromptJob(model, embedding, asked, previous)
    if as_png:
        return Response(await services.lanes.prompts.run(job.best_png), media_type="image/png")
    prediction, candidates = await services.lanes.prompts.run(job.run)
    number = _keep(prediction, image, model, services) if asked.keep else None
    return JSONResponse(
        {
            "image": image,
            "model": model.spec.full_name,
            "prediction": number,
            "candidates": candidates,
        }
    )


def _previous(asked: Previous, image: str, model: Model, services: Services) -> Candidate:
    kept = services.predictions.get(asked.prediction)
    if kept is None or (kept.image, kept.model_sha256) != (image, model.sha256):
        raise Problem(
            404,
            "unknown_prediction",
            "there is no such prediction on this image, or no longer; send the prompt without 'previous'",
        )
    if asked.candidate >= len(kept.prediction):
        raise Problem(
            422,
            "unusable",
            f"the prediction has {len(kept.prediction)} candidates, there is no candidate {asked.candidate}",
        )
    return kept.prediction[asked.candidate]


def _keep(prediction: Prediction, image: str, model: Model, services: Services) -> str:
    number = secrets.token_hex(16)
    services.predictions.put(number, KeptPrediction(image, model.sha256, prediction))
    return number
