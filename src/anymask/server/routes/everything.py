"""Everything mode: all masks of an image, and other thresholds without decoding again."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from anymask.automatic import AutomaticState
from anymask.automatic.state_file import settings_to_json
from anymask.server.routes.parameters import ImageId, problems
from anymask.server.schemas import EverythingAnswer, EverythingRequest, Filters
from anymask.server.services import Served, Services

router = APIRouter(prefix="/v1", tags=["everything"])
RunName = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="`run` of an earlier answer")]


@router.post(
    "/images/{image}/everything",
    operation_id="everything",
    response_model=EverythingAnswer,
    responses=problems(404, 503),
)
async def everything(image: ImageId, asked: EverythingRequest, services: Served) -> JSONResponse:
    """All masks of an image that pass the filters.

    Takes from a second to minutes. If the time is up before (503) the run goes on: asked again, the same run
    is joined, or answered at once.
    """
    name, state = await services.runs.run(image, services.shelf.named(asked.model), asked)
    return await _answer(name, state, {}, services)


@router.post(
    "/everything/{run}/records",
    operation_id="refilter",
    response_model=EverythingAnswer,
    responses=problems(404, 503),
)
async def refilter(run: RunName, filters: Filters, services: Served) -> JSONResponse:
    """The masks of an earlier run that pass other filters; nothing is decoded."""
    return await _answer(run, services.runs.state(run), filters.given(), services)


async def _answer(
    name: str, state: AutomaticState, filters: dict[str, Any], services: Services
) -> JSONResponse:
    records = await services.lanes.files.run(partial(_records, state, filters))
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
