"""Operations on masks of one image, from request to answer; what computes here belongs into a lane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from anymask.core.arrays import BoolArray
from anymask.core.errors import InputError
from anymask.core.masks import intersect, subtract, union
from anymask.core.polygons import Polygon, Simplified, mask_to_polygons, polygons_to_mask, simplify
from anymask.core.regions import fill_holes, keep_largest, remove_islands
from anymask.core.rle import encode
from anymask.studio.editing.schemas import EditRequest, PolygonShape, PolygonsRequest
from anymask.studio.prompting.windows import pixels_of

_SETS = {"union": union, "subtract": subtract, "intersect": intersect}


def edited(asked: EditRequest, image_hw: tuple[int, int]) -> dict[str, Any]:
    """`EditAnswer` in JSON. Raises InputError if masks or polygons are missing or do not fit the image."""
    if asked.operation == "polygon":
        if not asked.polygons:
            raise InputError("the operation polygon needs polygons; give at least one")
        return _answer(polygons_to_mask(_polygons(asked.polygons), image_hw), polygons=asked.polygons)
    masks = [pixels_of(mask, image_hw) for mask in asked.masks]
    least = 2 if asked.operation in _SETS else 1
    if len(masks) < least:
        raise InputError(f"{asked.operation} of {len(masks)} masks is not possible; give at least {least}")
    if asked.operation in _SETS:
        return _answer(_SETS[asked.operation](*masks))
    if asked.operation == "simplify":
        simple = simplify(mask_to_polygons(masks[0]), asked.tolerance, image_hw)
        filled = polygons_to_mask(simple.polygons, image_hw)
        return _answer(filled, polygons=shapes(simple.polygons), error=1 - simple.iou)
    return _answer(_cleaned(asked, masks[0]))


def outlined(asked: PolygonsRequest, image_hw: tuple[int, int]) -> dict[str, Any]:
    """`PolygonsAnswer` in JSON. Raises InputError unless either a mask or polygons are given."""
    if (asked.mask is None) == (asked.polygons is None):
        raise InputError("give either a mask, to get its polygons, or polygons, to get their mask")
    if asked.mask is not None:
        polygons = mask_to_polygons(pixels_of(asked.mask, image_hw))
    else:
        polygons = _polygons(asked.polygons or ())
    simple = simplify(polygons, asked.tolerance, image_hw) if asked.mask is not None else _as_given(polygons)
    return {
        "polygons": [shape.model_dump() for shape in shapes(simple.polygons)],
        "rle": encode(polygons_to_mask(simple.polygons, image_hw)).to_coco(),
        "iou": simple.iou,
        "max_deviation": simple.max_deviation,
        "vertices": simple.vertices,
    }


def shapes(polygons: Iterable[Polygon]) -> list[PolygonShape]:
    """Polygons as they are sent."""
    return [
        PolygonShape(exterior=one.exterior.tolist(), holes=[hole.tolist() for hole in one.holes])
        for one in polygons
    ]


def _polygons(shapes: Iterable[PolygonShape]) -> list[Polygon]:
    return [
        Polygon(np.array(shape.exterior), tuple(np.array(hole) for hole in shape.holes)) for shape in shapes
    ]


def _as_given(polygons: Sequence[Polygon]) -> Simplified:
    return Simplified(tuple(polygons), 1.0, 0.0, sum(len(ring) for one in polygons for ring in one.rings))


def _cleaned(asked: EditRequest, mask: BoolArray) -> BoolArray:
    if asked.operation == "fill_holes":
        return fill_holes(mask, asked.area)
    return keep_largest(mask) if asked.area is None else remove_islands(mask, asked.area)


def _answer(
    mask: BoolArray, *, polygons: Sequence[PolygonShape] | None = None, error: float = 0.0
) -> dict[str, Any]:
    rle = encode(mask)
    return {
        "rle": rle.to_coco(),
        "bbox": list(rle.box_xywh),
        "area": rle.area,
        "polygons": None if polygons is None else [shape.model_dump() for shape in polygons],
        "error": error,
    }
