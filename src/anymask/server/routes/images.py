"""/v1/images: upload a picture once, then ask about it by its id."""

from __future__ import annotations

from fastapi import APIRouter, Request

from anymask.server.library import StoredImage
from anymask.server.routes.parameters import ImageId, ModelQuery, problems
from anymask.server.schemas import EmbeddingAnswer, ImageAnswer
from anymask.server.services import Served, Services
from anymask.server.uploads import FILE_BODY, read_file

router = APIRouter(prefix="/v1/images", tags=["images"])


@router.post(
    "",
    status_code=201,
    operation_id="add_image",
    openapi_extra=FILE_BODY,
    responses=problems(415, 503),
)
async def add_image(request: Request, services: Served) -> ImageAnswer:
    """Upload an image: JPEG, PNG, WebP, AVIF, TIFF, GIF or BMP, as the body or as `file` of a form.

    The same picture always gets the same id, whatever file it comes in.
    """
    data = await read_file(request, services.config.max_upload_bytes)
    return _answer(await services.library.add(data), services)


@router.get("/{image}", operation_id="get_image", responses=problems(404, 503))
async def get_image(image: ImageId, services: Served) -> ImageAnswer:
    """What is known of an image."""
    return _answer(await services.library.image(image), services)


@router.delete("/{image}", status_code=204, operation_id="delete_image", responses=problems(404, 503))
async def delete_image(image: ImageId, services: Served) -> None:
    """Forget an image and everything that was made of it."""
    await services.library.forget(image)
    services.forget_answers(image)


@router.post("/{image}/embedding", operation_id="embed_image", responses=problems(404, 503))
async def embed_image(image: ImageId, services: Served, model: ModelQuery = None) -> EmbeddingAnswer:
    """Embed an image ahead of the first prompt. Asked again, it answers at once."""
    chosen = services.shelf.named(model)
    embedding = await services.library.embedding(image, chosen)
    return EmbeddingAnswer(
        image=image,
        model=embedding.model,
        model_sha256=embedding.model_sha256,
        input_size=embedding.input_size,
        bytes=embedding.nbytes,
    )


def _answer(stored: StoredImage, services: Services) -> ImageAnswer:
    height, width = stored.image_hw
    ready = services.library.embedded(stored.id)
    return ImageAnswer(
        id=stored.id,
        width=width,
        height=height,
        media_type=stored.media_type,
        bytes=len(stored.data),
        embedded=[model.spec.name for model in services.shelf if model.sha256 in ready],
    )
