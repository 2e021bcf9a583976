"""/x-anylabeling: the address to give to X-AnyLabeling as its server."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path

from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import InputError
from anymask.predict.model import Model
from anymask.server.label_studio.source import from_data_uri
from anymask.server.problems import Problem, one_line
from anymask.server.routes.parameters import problems
from anymask.server.services import Served, Services
from anymask.server.x_anylabeling.schemas import Mark, Params, PredictRequest
from anymask.server.x_anylabeling.shapes import prompts_of, shapes_of

router = APIRouter(prefix="/x-anylabeling", tags=["x-anylabeling"])
_WIDGETS = (
    ("button_add_point", None),
    ("button_remove_point", None),
    ("button_add_rect", None),
    ("button_clear", None),
    ("button_finish_object", None),
    ("mask_fineness_slider", 10),
    ("mask_fineness_value_label", None),
)
"""Parts of the program's window that this server makes use of, and their values at the start."""

_CODES = {404: "MODEL_NOT_FOUND", 413: "INVALID_IMAGE", 415: "INVALID_IMAGE", 422: "INVALID_REQUEST"}


@router.get("/health", operation_id="x_anylabeling_health")
async def health(services: Served) -> dict[str, Any]:
    """Say that the server is there."""
    return {
        "status": "healthy",
        "models_loaded": len(list(services.shelf)),
        "timestamp": datetime.now(UTC).isoformat(),
    }


@router.get("/v1/models", operation_id="x_anylabeling_models", responses=problems())
async def models(services: Served) -> dict[str, Any]:
    """The served models by name, with the widgets that they need."""
    return {"success": True, "data": {model.spec.name: _about(model) for model in services.shelf}}


@router.get("/v1/models/{model}/info", operation_id="x_anylabeling_model", responses=problems())
async def model_info(model: Annotated[str, Path(max_length=100)], services: Served) -> dict[str, Any]:
    """One served model."""
    try:
        chosen = services.shelf.named(model)
    except Problem as problem:
        return _failure(problem)
    return {"success": True, "data": {"model_id": chosen.spec.name, **_about(chosen)}}


@router.post("/v1/predict", operation_id="x_anylabeling_predict", responses=problems(503))
async def predict(asked: PredictRequest, services: Served) -> dict[str, Any]:
    """Polygons for the marks. What is wrong with a request comes with status 200, as the program expects."""
    try:
        return {"success": True, "data": await _answer(asked, services)}
    except InputError as error:
        return _failure(Problem(422, "unusable", str(error)))
    except Problem as problem:
        if problem.status_code not in _CODES:
            raise
        return _failure(problem)


async def _answer(asked: PredictRequest, services: Services) -> dict[str, Any]:
    model = services.shelf.named(asked.model)
    data = from_data_uri(asked.image, services.config.max_upload_bytes)
    stored = await services.library.add(data)
    embedding = await services.library.embedding(stored.id, model)
    shapes = await services.lanes.prompts.run(
        partial(_shapes, model, embedding, asked.params.marks, asked.params)
    )
    return {"shapes": shapes, "description": "", "replace": False}


def _shapes(
    model: Model, embedding: ImageEmbedding, marks: list[Mark], params: Params
) -> list[dict[str, Any]]:
    prompts = prompts_of(marks, embedding.image_hw)
    best = [prediction.best for prediction in model.predict_many(embedding, prompts)] if prompts else []
    return [
        shape
        for candidate in best
        if candidate.score >= params.conf_threshold
        for shape in shapes_of(candidate, params.epsilon_factor)
    ]


def _about(model: Model) -> dict[str, Any]:
    return {
        "display_name": f"anymask {model.spec.full_name}",
        "widgets": [{"name": name, "value": value} for name, value in _WIDGETS],
        "params": {"epsilon_factor": 0.001},
        "batch_processing_mode": None,  # it answers marks, so there is nothing to run on a whole folder
    }


def _failure(problem: Problem) -> dict[str, Any]:
    error = {"code": _CODES.get(problem.status_code, "INFERENCE_ERROR"), "message": one_line(problem.detail)}
    return {"success": False, "error": error}
