"""/label-studio: the address to give to Label Studio as a model's URL."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from anymask.core.embedding import ImageEmbedding
from anymask.core.prediction import Candidate
from anymask.core.prompt import Prompt
from anymask.predict.model import Model
from anymask.server.label_studio.labelling import Labelling, labelling_of
from anymask.server.label_studio.prompting import pointed_at
from anymask.server.label_studio.regions import regions_of
from anymask.server.problems import Problem
from anymask.server.routes.parameters import problems
from anymask.server.services import Served, Services

router = APIRouter(prefix="/label-studio", tags=["label studio"])

Config = Annotated[str, Field(max_length=1_000_000)]


class _Sent(BaseModel):
    """What Label Studio sends: more than is read here, and not the same in all its versions."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Task(_Sent):
    """data: of the project's own fields; one of them is the picture's address."""

    data: dict[str, Any]


class Context(_Sent):
    """What was drawn in the editor."""

    result: Annotated[list[dict[str, Any]], Field(max_length=1000)] = []


class Params(_Sent):
    """context: null where nobody waits for an answer."""

    context: Context | None = None


class PredictRequest(_Sent):
    """A request for predictions; interactive with a context, else for a batch of tasks."""

    tasks: Annotated[list[Task], Field(max_length=1000)]
    label_config: Config
    params: Params = Params()


class SetupRequest(_Sent):
    """A project that will ask. schema: its labelling configuration."""

    config: Annotated[Config, Field(alias="schema")] = ""


class WebhookRequest(_Sent):
    """Something that happened in a project."""

    action: Annotated[str, Field(max_length=100)] = ""


@router.get("/health", operation_id="label_studio_health")
@router.get("/", operation_id="label_studio_root", include_in_schema=False)
async def health() -> dict[str, str]:
    """Say that the backend is up."""
    return {"status": "UP", "model_class": "anymask"}


@router.post("/setup", operation_id="label_studio_setup", responses=problems())
async def setup(asked: SetupRequest, services: Served) -> dict[str, str]:
    """Take a project on. A labelling configuration that has no place for masks is told at once."""
    if asked.config:
        labelling_of(asked.config)
    return {"model_version": services.shelf.default.spec.full_name}


@router.get("/versions", operation_id="label_studio_versions", responses=problems())
async def versions(services: Served) -> dict[str, list[str]]:
    """The versions of the model that answers."""
    return {"versions": [services.shelf.default.spec.full_name]}


@router.post("/webhook", status_code=201, operation_id="label_studio_webhook", responses=problems())
async def webhook(asked: WebhookRequest) -> dict[str, str]:
    """Take note of what happens in a project; nothing is learned from it."""
    return {"status": "ok", "action": asked.action}


@router.post("/predict", operation_id="label_studio_predict", responses=problems(503))
async def predict(asked: PredictRequest, services: Served) -> JSONResponse:
    """A mask for what was drawn in the editor.

    Without a context there is one result for every task, without regions: nobody pointed at anything.
    """
    model = services.shelf.default
    labelling = labelling_of(asked.label_config)
    drawn = asked.params.context.result if asked.params.context else []
    if not drawn:
        return _results([_result(model, [], 0.0) for _ in asked.tasks])
    if len(asked.tasks) != 1:
        raise Problem(422, "unusable", f"{len(asked.tasks)} tasks came with one context; send one task")
    return _results([await _answer(asked.tasks[0], drawn, labelling, model, services)])


async def _answer(
    task: Task, drawn: list[dict[str, Any]], labelling: Labelling, model: Model, services: Services
) -> dict[str, Any]:
    embedding = await _embedding(task, labelling, model, services)
    pointed = pointed_at(drawn, embedding.image_hw)
    if pointed is None:
        return _result(model, [], 0.0)
    best = partial(_best, model, embedding, pointed.prompt)

    def work() -> dict[str, Any]:
        candidate = best()
        return _result(model, regions_of(candidate, labelling, pointed.label), candidate.score)

    return await services.lanes.prompts.run(work)


async def _embedding(task: Task, labelling: Labelling, model: Model, services: Services) -> ImageEmbedding:
    address = task.data.get(labelling.field)
    if not isinstance(address, str) or not address:
        raise Problem(422, "unusable", f"the task's data has no picture in '{labelling.field}'")
    image = services.addresses.get(address)
    if image is not None:
        try:
            return await services.library.embedding(image, model)
        except Problem as problem:
            if problem.status_code != 404:  # forgotten meanwhile: fetch it again
                raise
    data = await services.lanes.fetches.run(partial(services.source.read, address))
    stored = await services.library.add(data)
    if not address.startswith("data:"):
        services.addresses.put(address, stored.id)
    return await services.library.embedding(stored.id, model)


def _best(model: Model, embedding: ImageEmbedding, prompt: Prompt) -> Candidate:
    return model.predict_many(embedding, [prompt])[0].best


def _result(model: Model, regions: list[dict[str, Any]], score: float) -> dict[str, Any]:
    return {"result": regions, "score": score, "model_version": model.spec.full_name}


def _results(results: list[dict[str, Any]]) -> JSONResponse:
    return JSONResponse({"results": results})
