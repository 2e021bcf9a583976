"""POST /images/ID/propagate and /find: masks from the picture before, and from words."""

from __future__ import annotations

import dataclasses
import time
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from anymask.core.embedding import ImageEmbedding
from anymask.core.errors import InputError, MissingExtraError
from anymask.core.rle import decode
from anymask.predict.model import Model
from anymask.server.problems import Problem, one_line
from anymask.store import Image, Mask
from anymask.studio.deps import Person, SceneHere, image_of, problems, unknown
from anymask.studio.prompting.propagation import Found, propagate
from anymask.studio.prompting.schemas import (
    MOST_OBJECTS,
    FindAnswer,
    FindRequest,
    PropagateAnswer,
    PropagateRequest,
)
from anymask.studio.prompting.windows import candidate_json
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["prompts"])
_AT_ONCE = 8  # masks that are unpacked at a time


@router.post(
    "/images/{id}/propagate",
    operation_id="propagate_masks",
    response_model=PropagateAnswer,
    responses=problems(),
)
async def propagate_masks(scene: SceneHere, who: Person, asked: PropagateRequest, studio: Studio) -> Response:
    """Find the masks of another picture of the project again in this one; nothing is saved."""
    image, model = scene.image, studio.model_of(scene.project)
    source = await run_in_threadpool(image_of, asked.source, studio, who)
    if source.project_id != image.project_id:
        raise unknown()
    masks = await run_in_threadpool(studio.store.masks.heads, source.id)
    if asked.objects is not None:
        masks = [mask for mask in masks if mask.object_id in asked.objects]
    if len(masks) > MOST_OBJECTS:
        raise InputError(f"the picture has {len(masks)} masks; name at most {MOST_OBJECTS} in 'objects'")
    embedding = await studio.pictures.embedding(image.id, model)
    work = partial(_propagated, studio, model, embedding, image, source, masks)
    return JSONResponse(await studio.served.lanes.everything.run(work))


@router.post(
    "/images/{id}/find", operation_id="find_words", response_model=FindAnswer, responses=problems(501)
)
async def find_words(scene: SceneHere, asked: FindRequest, studio: Studio) -> Response:
    """Masks of what words name; 501 where the parts for it are not installed."""
    image, model = scene.image, studio.model_of(scene.project)
    embedding = await studio.pictures.embedding(image.id, model)
    try:
        records = await studio.served.lanes.everything.run(
            partial(_found, studio, model, embedding, image, asked)
        )
    except MissingExtraError as error:
        raise Problem(501, "not_installed", one_line(str(error))) from None
    return JSONResponse({"records": records})


def _propagated(
    studio: StudioServices,
    model: Model,
    embedding: ImageEmbedding,
    image: Image,
    source: Image,
    masks: list[Mask],
) -> dict[str, Any]:
    start = time.perf_counter()
    new, old = studio.pictures.picture(image), studio.pictures.picture(source)
    items: list[dict[str, Any]] = []
    for first in range(0, len(masks), _AT_ONCE):
        some = masks[first : first + _AT_ONCE]
        found = propagate(model, embedding, new.pixels, old.pixels, [decode(mask.rle) for mask in some])
        items += [_item(mask, one) for mask, one in zip(some, found, strict=True)]
    return {"items": items, "milliseconds": round(1000 * (time.perf_counter() - start), 2)}


def _item(mask: Mask, found: Found | None) -> dict[str, Any]:
    return {
        "object_id": mask.object_id,
        "label_id": mask.label_id,
        "attributes": dict(mask.attributes),
        "candidate": None if found is None else candidate_json(found.candidate, with_stability=True),
        "appearance": None if found is None else round(found.appearance, 4),
        "growth": None if found is None else round(found.growth, 4),
        "fit": None if found is None else round(found.fit, 4),
        "kept": found is not None and found.is_kept,
    }


def _found(
    studio: StudioServices, model: Model, embedding: ImageEmbedding, image: Image, asked: FindRequest
) -> list[dict[str, Any]]:
    try:
        from anymask.text import find
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"finding by words needs the package {error.name}; pip install 'anymask[text]'"
        ) from error
    picture = studio.pictures.picture(image)
    # The studio names embeddings by files, `find` by pixels.
    of_pixels = dataclasses.replace(embedding, image_sha256=picture.sha256)
    records = find(
        model, picture, asked.texts, threshold=asked.threshold, most=asked.most, embedding=of_pixels
    )
    return [record.to_json() for record in records]
