"""POST .../images/ID/edit, /polygons and /cutout: what can be done with masks without a model."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from anymask.core.draw import cutout
from anymask.core.masks import union
from anymask.formats.png import encode_png
from anymask.store import Image
from anymask.studio.deps import ImageHere, problems
from anymask.studio.editing.operations import edited, outlined
from anymask.studio.editing.schemas import (
    CutoutRequest,
    EditAnswer,
    EditRequest,
    PolygonsAnswer,
    PolygonsRequest,
)
from anymask.studio.pictures import Pictures
from anymask.studio.prompting.windows import pixels_of
from anymask.studio.services import Studio

router = APIRouter(tags=["edits"])
_PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.post("/images/{id}/edit", operation_id="edit_masks", response_model=EditAnswer, responses=problems())
async def edit_masks(image: ImageHere, asked: EditRequest, studio: Studio) -> Response:
    """One operation on masks of the image; nothing is saved."""
    work = partial(edited, asked, (image.height, image.width))
    return JSONResponse(await studio.served.lanes.files.run(work))


@router.post(
    "/images/{id}/polygons", operation_id="mask_polygons", response_model=PolygonsAnswer, responses=problems()
)
async def mask_polygons(image: ImageHere, asked: PolygonsRequest, studio: Studio) -> Response:
    """A mask's outlines at a tolerance and what is lost by it, or the mask that polygons fill."""
    work = partial(outlined, asked, (image.height, image.width))
    return JSONResponse(await studio.served.lanes.files.run(work))


@router.post(
    "/images/{id}/cutout", operation_id="cut_out", response_class=Response, responses=_PNG | problems()
)
async def cut_out(image: ImageHere, asked: CutoutRequest, studio: Studio) -> Response:
    """The objects on a transparent ground, as a PNG with a soft edge."""
    data = await studio.served.lanes.files.run(partial(_cutout, image, asked, studio.pictures))
    return Response(data, media_type="image/png")


def _cutout(image: Image, asked: CutoutRequest, pictures: Pictures) -> bytes:
    image_hw = image.height, image.width
    whole = union(*(pixels_of(mask, image_hw) for mask in asked.masks))
    cut = cutout(pictures.picture(image).pixels, whole, feather=asked.feather, crop=asked.crop)
    return encode_png(np.ascontiguousarray(cut))
