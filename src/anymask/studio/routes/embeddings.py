"""What prompts need beforehand: a picture's embedding, and the decoder for browsers that decode."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from anymask.core.embedding import ImageEmbedding
from anymask.predict.model import Model
from anymask.server.problems import Problem
from anymask.server.schemas import Answer
from anymask.store import Image
from anymask.studio.deps import ImageHere, Person, problems
from anymask.studio.services import Studio, StudioServices

router = APIRouter(tags=["embeddings"])
ModelSha = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of a model's weights")]
ModelQuery = Annotated[str | None, Query(pattern="^[0-9a-f]{64}$", description="SHA-256 of its weights")]
_FOR_EVER = "private, max-age=31536000, immutable"
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


class EmbeddingReady(Answer):
    """An embedding that is ready. seconds: what it took just now. model: name@version."""

    ready: bool
    seconds: float
    model: str
    model_sha256: str


class DecoderAnswer(Answer):
    """A model as a browser needs to know it.

    local_corrections: whether a click on a mask changes it only near the click. features: names of the
    embedding's tensors. graphs: names of the decoder's parts, each at
    /models/{sha256}/{graph}.onnx; empty where the browser cannot decode.
    """

    name: str
    version: str
    sha256: str
    architecture: str
    input_size: int
    mask_size: int
    prompts: list[str]
    local_corrections: bool
    features: list[str]
    graphs: list[str]


@router.post("/images/{id}/embedding", operation_id="embed_image", responses=problems())
async def embed_image(image: ImageHere, studio: Studio, who: Person) -> EmbeddingReady:
    """Embed a picture ahead of the first prompt; the next ones of its project follow in the background."""
    model = await run_in_threadpool(_model, studio, image, None)
    began = time.perf_counter()
    await studio.pictures.embedding(image.id, model)
    seconds = time.perf_counter() - began
    studio.ahead.want(who.id, await run_in_threadpool(studio.next_images, image, who), model)
    return EmbeddingReady(ready=True, seconds=seconds, model=model.spec.full_name, model_sha256=model.sha256)


@router.get(
    "/images/{id}/embedding-tensors",
    operation_id="get_embedding_tensors",
    response_class=Response,
    responses=problems() | _BYTES,
)
async def get_embedding_tensors(
    image: ImageHere, studio: Studio, request: Request, model: ModelQuery = None
) -> Response:
    """The embedding as safetensors, the decoder's inputs; computed first if it has not been."""
    chosen = await run_in_threadpool(_model, studio, image, model)
    headers = {"ETag": f'"{image.sha256}.{chosen.sha256}"', "Cache-Control": "private, max-age=86400"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    embedding = await studio.pictures.embedding(image.id, chosen)
    data = await run_in_threadpool(_tensors, embedding)
    return Response(data, media_type="application/octet-stream", headers=headers)


@router.get("/models/{sha256}", operation_id="get_decoder", responses=problems())
def get_decoder(sha256: ModelSha, studio: Studio, who: Person) -> DecoderAnswer:
    """What a browser needs to know to decode with a model itself."""
    model = studio.model_by_sha256(sha256)
    spec = model.spec
    return DecoderAnswer(
        name=spec.name,
        version=spec.version,
        sha256=model.sha256,
        architecture=spec.architecture,
        input_size=spec.input_size,
        mask_size=spec.mask_size,
        prompts=list(spec.prompts),
        local_corrections=spec.local_corrections,
        features=list(spec.features),
        graphs=studio.decoders.graphs(model.sha256),
    )


@router.get(
    "/models/{sha256}/{graph}.onnx",
    operation_id="get_decoder_graph",
    response_class=Response,
    responses=problems() | _BYTES,
)
async def get_decoder_graph(
    sha256: ModelSha,
    graph: Annotated[str, Path(pattern="^[a-z_]{1,40}$", description="one of the model's `graphs`")],
    studio: Studio,
    who: Person,
) -> Response:
    """A part of the decoder, its weights inside. It never changes: its address names the weights."""
    if graph not in studio.decoders.graphs(sha256):
        raise Problem(404, "unknown_graph", "this model has no such graph for browsers")
    data = await run_in_threadpool(partial(studio.decoders.graph, sha256, graph))
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": _FOR_EVER})


def _model(studio: StudioServices, image: Image, sha256: str | None) -> Model:
    if sha256 is not None:
        return studio.model_by_sha256(sha256)
    return studio.model_of(studio.store.projects.get(image.project_id, with_counts=False))


def _tensors(embedding: ImageEmbedding) -> bytes:
    from safetensors.numpy import save

    return save(dict(embedding.features))
