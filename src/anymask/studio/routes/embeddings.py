"""What prompts need beforehand: embeddings, here and for the decoder in the browser."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query

from anymask.server.schemas import Answer
from anymask.studio.deps import ImageHere, problems
from anymask.studio.services import Studio

router = APIRouter(tags=["embeddings"])
Next = Annotated[list[str], Query(max_length=10)]


class EmbeddingReady(Answer):
    """An embedding that is ready. seconds: what it took just now."""

    ready: bool
    seconds: float
    model: str
    model_sha256: str


@router.post("/images/{id}/embedding", operation_id="embed_image", responses=problems(503))
async def embed(image: ImageHere, studio: Studio) -> EmbeddingReady:
    """Embed a picture ahead of the first prompt, and then the next ones of the project."""
    project = studio.store.projects.get(image.project_id)
    model = studio.model_of(project)
    began = time.perf_counter()
    embedding = await studio.pictures.embedding(image.id, model)
    return EmbeddingReady(
        ready=True,
        seconds=time.perf_counter() - began,
        model=model.spec.full_name,
        model_sha256=embedding.model_sha256,
    )
