"""GeoJSON (RFC 7946): a feature with a MultiPolygon per mask, in pixels or in map coordinates.

Vertices are the corners of pixels, x to the right and y down, unless an affine transformation (a, b, c, d, e,
f) is given as GIS programs have it: X = a x + b y + c, Y = d x + e y + f. Outlines go counterclockwise in the
file's coordinates, holes clockwise. The member "image" holds name, size and transformation, `properties` what
is known of a mask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from anymask.core.arrays import Float64Array
from anymask.core.errors import FormatError
from anymask.core.record import MaskRecord
from anymask.formats.checks import brief, listing, mapping, number, safe_name, size_hw
from anymask.formats.contents import Contents
from anymask.formats.kinds import ImageFormat
from anymask.formats.known import RECORD_NAMES, known_of, record_of
from anymask.formats.losses import Keeps
from anymask.formats.outlines import fill, polygons_of, ring_of
from anymask.formats.parsing import parse_json, write_json

_EARTH = 1e9  # metres, degrees: map coordinates are less
Affine = tuple[float, float, float, float, float, float]


def to_bytes(contents: Contents, affine: Affine | None = None) -> bytes:
    """The file's bytes. affine: from pixels to map coordinates; without it coordinates are pixels.

    Raises FormatError if the transformation has no inverse.
    """
    matrix = _matrix(affine)
    image = {**contents.image_json(), **({} if affine is None else {"affine": list(affine)})}
    features = [_feature(record, matrix) for record in contents.records]
    return write_json({"type": "FeatureCollection", "image": image, "features": features})


def feature(record: MaskRecord, affine: Affine | None = None) -> dict[str, Any]:
    """One mask as a feature, for files that are written mask by mask; `affine` as in `to_bytes`."""
    return _feature(record, _matrix(affine))


def from_bytes(
    data: bytes, stem: str = "", *, image_hw: tuple[int, int] | None = None, affine: Affine | None = None
) -> Contents:
    """The image and a record per feature that is a Polygon, a MultiPolygon or empty.

    image_hw, affine: in place of the file's member "image", which other programs do not write.
    Raises FormatError, naming the feature, if something is wrong, or the image's size is not known.
    """
    value = mapping(parse_json(data), "the file")
    image = mapping(value.get("image") or {}, "'image'")
    if image_hw is None and "height" not in image:
        raise FormatError("the file does not say the image's height and width; give image_hw")
    size = image_hw or size_hw(image.get("height"), image.get("width"))
    matrix = _matrix(affine or _affine_of(image))
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    records = []
    for place, feature in enumerate(listing(value.get("features"), "'features'"), 1):
        try:
            records.append(_record(mapping(feature, "the feature"), inverse, size))
        except FormatError as error:
            raise FormatError(f"feature {place}: {error}") from error
    name, sha256 = image.get("file_name") or stem, image.get("sha256")
    return Contents(
        tuple(records), size, safe_name(name) if name else "", sha256 if isinstance(sha256, str) else None
    )


def _feature(record: MaskRecord, matrix: Float64Array) -> dict[str, Any]:
    polygons = polygons_of(record.rle)
    parts = [[_closed(ring, matrix, k == 0) for k, ring in enumerate(p.rings)] for p in polygons]
    geometry = {"type": "MultiPolygon", "coordinates": parts} if parts else None
    return {"type": "Feature", "properties": known_of(record), "geometry": geometry}


def _closed(ring: Float64Array, matrix: Float64Array, is_outline: bool) -> list[list[float]]:
    """The ring in the file's coordinates, its first vertex again at the end, in the direction of RFC 7946."""
    turned = _apply(matrix, ring)
    x, y = (turned - turned[0]).T
    counterclockwise = np.dot(x, np.roll(y, -1)) > np.dot(y, np.roll(x, -1))
    ordered = turned if counterclockwise == is_outline else turned[::-1]
    closed: list[list[float]] = np.vstack([ordered, ordered[:1]]).tolist()
    return closed


def _record(feature: Mapping[str, Any], inverse: Float64Array, image_hw: tuple[int, int]) -> MaskRecord:
    geometry = feature.get("geometry")
    polygons = [] if geometry is None else _polygons(mapping(geometry, "'geometry'"))
    rings = [[_in_pixels(ring, inverse) for ring in polygon] for polygon in polygons]
    properties = mapping(feature.get("properties") or {}, "'properties'")
    rle = fill(rings, image_hw)
    if RECORD_NAMES.issuperset(properties):
        return record_of(rle, properties)
    label = properties.get("label", properties.get("name"))  # another program's properties
    return record_of(rle, {"attributes": dict(properties)}, label if isinstance(label, str) else None)


def _in_pixels(ring: Any, inverse: Float64Array) -> Float64Array:
    return ring_of(_apply(inverse, ring_of(ring, "an outline", _EARTH)), "an outline in pixels")


def _polygons(geometry: Mapping[str, Any]) -> list[list[Any]]:
    kind, coordinates = geometry.get("type"), listing(geometry.get("coordinates"), "'coordinates'")
    if kind == "Polygon":
        coordinates = [coordinates]
    elif kind != "MultiPolygon":
        raise FormatError(f"a geometry of type {brief(kind)}; expected Polygon or MultiPolygon")
    polygons = [listing(polygon, "a polygon") for polygon in coordinates]
    if not all(polygons):
        raise FormatError("a polygon without an outline")
    return polygons


def _affine_of(image: Mapping[str, Any]) -> Affine | None:
    if image.get("affine") is None:
        return None
    a, b, c, d, e, f = (number(n, "'affine'") for n in _six(image["affine"]))
    return a, b, c, d, e, f


def _six(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) != 6:
        raise FormatError(f"'affine' is {brief(value)}; expected 6 numbers")
    return value


def _matrix(affine: Affine | None) -> Float64Array:
    matrix = np.array(affine or (1, 0, 0, 0, 1, 0), np.float64).reshape(2, 3)
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:, :2])) < 1e-300:
        raise FormatError(f"the transformation {brief(affine)} has no inverse")
    return matrix


def _apply(matrix: Float64Array, points: Float64Array) -> Float64Array:
    moved: Float64Array = points @ matrix[:, :2].T + matrix[:, 2]
    return moved


FORMAT = ImageFormat("geojson", "GeoJSON in pixels", ".geojson", Keeps(), to_bytes, from_bytes)
