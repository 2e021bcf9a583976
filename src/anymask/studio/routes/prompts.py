"""POST .../images/ID/prompt and /boxes: pointing at objects, masks out."""

from __future__ import annotations

import time
from functools import partial
from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from anymask.core.embedding import ImageEmbedding
from anymask.core.prediction import Prediction
from anymask.core.prompt import Prompt
from anymask.predict.model import Model
from anymask.store import Image, NewPrompt, User
from anymask.studio.deps import Person, Scene, SceneHere, problems
from anymask.studio.prompting.answering import KeptAnswer, answer, points_of
from anymask.studio.prompting.schemas import (
    BoxesAnswer,
    BoxesRequest,
    PromptRecord,
    StudioPrompt,
    StudioPromptAnswer,
)
from anymask.studio.prompting.windows import candidate_json
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["prompts"])
_AT_ONCE = 16  # boxes
_KEPT = {"points", "box", "boxes", "scribble", "polygon", "mask", "previous", "multimask"}
"""What is written down of a prompt."""


@router.post(
    "/images/{id}/prompt",
    operation_id="prompt_image",
    response_model=StudioPromptAnswer,
    responses=problems(409),
)
async def prompt_image(scene: SceneHere, who: Person, asked: StudioPrompt, studio: Studio) -> Response:
    """Answer a prompt with up to three candidates, best first, each cut to its own window.

    The image is embedded first if it has not been. Of one client's hover requests only the latest is
    answered, the others end with 409.
    """
    work = _answer(scene, who, asked, studio)
    if asked.hover is None:
        return await work
    try:
        turn = studio.served.turns.take(f"{who.id}/{asked.hover.client}", asked.hover.sequence)
    except Exception:
        work.close()
        raise
    return await turn.race(work)


@router.post("/images/{id}/prompts", operation_id="record_prompt", status_code=204, responses=problems())
async def record_prompt(scene: SceneHere, who: Person, asked: PromptRecord, studio: Studio) -> Response:
    """Write a prompt down that the browser answered itself: models learn from these as from all others."""
    if asked.hover is None:
        studio.recorder.put(
            _record(asked.id, scene.image, who, asked, asked.model_sha256, asked.milliseconds)
        )
    return Response(status_code=204)


@router.post(
    "/images/{id}/boxes", operation_id="prompt_boxes", response_model=BoxesAnswer, responses=problems()
)
async def prompt_boxes(scene: SceneHere, who: Person, asked: BoxesRequest, studio: Studio) -> Response:
    """The best candidate for each of many boxes, one object each, decoded together."""
    image, model = scene.image, studio.model_of(scene.project)
    embedding = await studio.pictures.embedding(image.id, model)
    start = time.perf_counter()
    predictions: list[Prediction] = []
    candidates: list[dict[str, Any]] = []
    for first in range(0, len(asked.boxes), _AT_ONCE):  # others' clicks come in between
        boxes = asked.boxes[first : first + _AT_ONCE]
        answers, shown = await studio.served.lanes.prompts.run(partial(_boxes, model, embedding, boxes))
        predictions += answers
        candidates += shown
    milliseconds = round(1000 * (time.perf_counter() - start), 2)
    numbers = [
        studio.answers.keep(KeptAnswer(image.sha256, model.sha256, prediction, ()))
        for prediction in predictions
    ]
    studio.recorder.put(
        NewPrompt(
            id=uuid4().hex,
            image_id=image.id,
            user_id=who.id,
            prompt={"objects": asked.boxes},
            model_sha256=model.sha256,
            milliseconds=milliseconds,
            seconds_since_last=asked.seconds,
        )
    )
    return JSONResponse({"predictions": numbers, "candidates": candidates, "milliseconds": milliseconds})


async def _answer(scene: Scene, who: User, asked: StudioPrompt, studio: StudioServices) -> Response:
    image, model = scene.image, studio.model_of(scene.project)
    earlier = None
    if asked.previous is not None:
        earlier = studio.answers.earlier(asked.previous, image.sha256, model.sha256)
    embedding = await studio.pictures.embedding(image.id, model)
    answered = await studio.served.lanes.prompts.run(partial(answer, model, embedding, asked, earlier))
    number = None
    if asked.hover is None:
        kept = KeptAnswer(
            image.sha256, model.sha256, answered.prediction, points_of(asked.points), answered.drawn
        )
        number = studio.answers.keep(kept)
        studio.recorder.put(_record(number, image, who, asked, answered.model_sha256, answered.milliseconds))
    return JSONResponse(
        {
            "prediction": number,
            "candidates": answered.candidates,
            "milliseconds": round(answered.milliseconds, 2),
            "worse": answered.worse,
        }
    )


def _record(
    number: str, image: Image, who: User, asked: StudioPrompt, model_sha256: str, milliseconds: float
) -> NewPrompt:
    """What is written down: the prompt as it was sent. Its `previous` names the row of the prompt before."""
    return NewPrompt(
        id=number,
        image_id=image.id,
        object_id=asked.object,
        user_id=who.id,
        prompt=asked.model_dump(include=_KEPT, exclude_none=True),
        model_sha256=model_sha256,
        milliseconds=milliseconds,
        chosen=None if asked.previous is None else asked.previous.candidate,
        seconds_since_last=asked.seconds,
    )


def _boxes(
    model: Model, embedding: ImageEmbedding, boxes: list[list[float]]
) -> tuple[list[Prediction], list[dict[str, Any]]]:
    prompts = [Prompt.of(embedding.image_hw, box=box) for box in boxes]
    answers = model.predict_many(embedding, prompts)
    return answers, [candidate_json(prediction.best, with_stability=True) for prediction in answers]
