"""GET /v1/models: what answers here."""

from __future__ import annotations

from fastapi import APIRouter

from anymask.predict.model import Model
from anymask.server.routes.parameters import problems
from anymask.server.schemas import ModelAnswer, ModelsAnswer
from anymask.server.services import Served

router = APIRouter(prefix="/v1", tags=["server"])


@router.get("/models", operation_id="list_models", responses=problems())
async def models(services: Served) -> ModelsAnswer:
    """The served models, the default one first."""
    default = services.shelf.default
    return ModelsAnswer(models=[_answer(model, model is default) for model in services.shelf])


def _answer(model: Model, is_default: bool) -> ModelAnswer:
    spec = model.spec
    return ModelAnswer(
        name=spec.name,
        version=spec.version,
        sha256=model.sha256,
        architecture=spec.architecture,
        input_size=spec.input_size,
        prompts=list(spec.prompts),
        licence=spec.licence,
        default=is_default,
    )
