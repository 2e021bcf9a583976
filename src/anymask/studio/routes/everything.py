"""Everything mode in the studio: all masks of an image, and other thresholds without decoding again."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from anymask.automatic import AutomaticState
from anymask.automatic.state_file import settings_to_json
from anymask.server.schemas import EverythingAnswer, EverythingRequest, Filters
from anymask.studio.deps import Person, SceneHere, image_of, problems, unknown
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["everything"])
RunName = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="`run` of an earlier answer")]


@router.post(
    "/images/{id}/everything",
    operation_id="find_everything",
    response_model=EverythingAnswer,
    responses=problems(),
)
async def find_everything(scene: SceneHere, asked: EverythingRequest, studio: Studio) -> JSONResponse:
    """All masks of an image that pass the filters.

    Takes from a second to minutes. If the time is up before (503) the run goes on: asked again, the same run
    is joined, or answered at once. The project's model answers unless `model` names another one.
    """
    image = scene.image
    model = studio.model_of(scene.project) if asked.model is None else studio.served.shelf.named(asked.model)
    name, state = await studio.runs.run(image.id, model, asked)
    studio.run_images.note(name, image.id)
    return await _answer(name, state, {}, studio)


@router.post(
    "/everything/{run}/records",
    operation_id="filter_everything",
    response_model=EverythingAnswer,
    responses=problems(),
)
async def filter_everything(run: RunName, who: Person, filters: Filters, studio: Studio) -> JSONResponse:
    """The masks of an earlier run that pass other filters; nothing is decoded."""
    image_id = studio.run_images.image_of(run)
    if image_id is None:
        raise unknown()
    await run_in_threadpool(image_of, image_id, studio, who)
    return await _answer(run, studio.runs.state(run), filters.given(), studio)


async def _answer(
    name: str, state: AutomaticState, filters: dict[str, Any], studio: StudioServices
) -> JSONResponse:
    records = await studio.served.lanes.files.run(partial(_records, state, filters))
    return JSONResponse(
        {
            "run": name,
            "image": state.image_sha256,
            "model": state.model,
            "settings": {**settings_to_json(state.settings), **filters},
            "decoded": len(state),
            "records": records,
        }
    )


def _records(state: AutomaticState, filters: dict[str, Any]) -> list[dict[str, Any]]:
    return [record.to_json() for record in state.records(**filters)]
